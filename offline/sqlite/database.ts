import { fileURLToPath } from "node:url";
import {
  check,
  cString,
  MISUSE,
  OK,
  OPEN_CREATE,
  OPEN_MEMORY,
  OPEN_READONLY,
  OPEN_READWRITE,
  sqlite,
  string,
} from "./ffi.ts";
import { finalizeStatements, type RestBindParameters, Statement } from "./statement.ts";

/** How to open a `Database`. */
export interface DatabaseOpenOptions {
  /** Open for reading only. Default `false`. */
  readonly?: boolean;
  /** Create the file if there is none. Default `true`, unless `readonly`. */
  create?: boolean;
  /** SQLite's own open flags, instead of `readonly`, `create` and `memory`. */
  flags?: number;
  /** Keep the database in memory, whatever the path. Default `false`. */
  memory?: boolean;
  /**
   * Read whole integers: a `number` where it is safe, else a `bigint`. Default
   * `false`: only the low 32 bits are read.
   */
  int64?: boolean;
  /** Cache what another connection's schema change makes wrong. Default `false`. */
  unsafeConcurrency?: boolean;
  /** Parse the text that SQLite's JSON functions return. Default `true`. */
  parseJson?: boolean;
}

/** A function that runs in a transaction, made by `Database.transaction`. */
export type Transaction<T extends (...args: never[]) => unknown> =
  & ((...args: Parameters<T>) => ReturnType<T>)
  & {
    /** The function, in a transaction begun with `BEGIN`. */
    default: Transaction<T>;
    /** The function, in a transaction begun with `BEGIN DEFERRED`. */
    deferred: Transaction<T>;
    /** The function, in a transaction begun with `BEGIN IMMEDIATE`. */
    immediate: Transaction<T>;
    /** The function, in a transaction begun with `BEGIN EXCLUSIVE`. */
    exclusive: Transaction<T>;
    /** The database the transaction is on. */
    database: Database;
  };

/** A connection to an SQLite database. */
export class Database {
  /** Whether integers are read whole; see `DatabaseOpenOptions`. */
  int64: boolean;
  /** Whether JSON is parsed; see `DatabaseOpenOptions`. */
  parseJson: boolean;
  /** Whether column names are read once; see `DatabaseOpenOptions`. */
  unsafeConcurrency: boolean;

  #path: string;
  #handle: Deno.PointerValue;
  #transactions?: TransactionStatements;

  /**
   * Opens a database. SQLite reads the file at the first statement, not now,
   * so a file that is no database is found only then.
   *
   * @param path Path or `file:` URL, or `:memory:`.
   * @throws {SqliteError} If it cannot be opened: code 14 if there is no such file.
   */
  constructor(path: string | URL, options: DatabaseOpenOptions = {}) {
    this.#path = path instanceof URL ? fileURLToPath(path) : path;
    this.int64 = options.int64 ?? false;
    this.parseJson = options.parseJson ?? true;
    this.unsafeConcurrency = options.unsafeConcurrency ?? false;
    const out = new BigUint64Array(1);
    const code = sqlite.sqlite3_open_v2(
      cString(this.#path),
      out,
      options.flags ?? openFlags(options),
      null,
    );
    this.#handle = Deno.UnsafePointer.create(out[0]);
    if (code !== OK) sqlite.sqlite3_close_v2(this.#handle);
    check(code);
  }

  /** The path it was opened with. */
  get path(): string {
    return this.#path;
  }

  /** Whether it has not been closed. */
  get open(): boolean {
    return this.#handle !== null;
  }

  /** SQLite's `sqlite3*`; `null` once closed. */
  get unsafeHandle(): Deno.PointerValue {
    return this.#handle;
  }

  /** How many rows the last `INSERT`, `UPDATE` or `DELETE` changed. */
  get changes(): number {
    return sqlite.sqlite3_changes(this.#opened());
  }

  /** How many rows have been changed since the database was opened. */
  get totalChanges(): number {
    return sqlite.sqlite3_total_changes(this.#opened());
  }

  /** The rowid of the last row inserted, cut to 32 bits: prefer `RETURNING`. */
  get lastInsertRowId(): number {
    return sqlite.sqlite3_last_insert_rowid(this.#opened());
  }

  /** Whether no transaction is open. */
  get autocommit(): boolean {
    return sqlite.sqlite3_get_autocommit(this.#opened()) === 1;
  }

  /** Whether a transaction is open. */
  get inTransaction(): boolean {
    return this.open && !this.autocommit;
  }

  /**
   * Runs SQL and drops the rows it returns: several statements, or one with
   * parameters.
   *
   * @returns How many rows the last `INSERT`, `UPDATE` or `DELETE` changed.
   */
  exec(sql: string, ...params: RestBindParameters): number {
    if (params.length > 0) {
      this.prepare(sql).run(...params);
      return this.changes;
    }
    const out = new BigUint64Array(1);
    sqlite.sqlite3_exec(this.#opened(), cString(sql), null, null, out);
    const message = Deno.UnsafePointer.create(out[0]);
    if (message !== null) {
      const text = string(message);
      sqlite.sqlite3_free(message);
      throw new Error(text);
    }
    return this.changes;
  }

  /** The same as `exec`. */
  run(sql: string, ...params: RestBindParameters): number {
    return this.exec(sql, ...params);
  }

  /** Compiles one statement; SQL after its end is ignored. */
  prepare<T extends object = Record<string, unknown>>(
    sql: string,
  ): Statement<T> {
    return new Statement<T>(this, sql);
  }

  /**
   * Makes a function that runs `fn` in a transaction: committed when `fn`
   * returns, rolled back when it throws. Called inside a transaction, it uses a
   * savepoint of it instead. Its `deferred`, `immediate` and `exclusive` say
   * how to begin.
   */
  transaction<T extends (this: Transaction<T>, ...args: never[]) => unknown>(
    fn: T,
  ): Transaction<T> {
    this.#transactions ??= prepareTransactions(this);
    const statements = this.#transactions;
    const variant = (begin: Statement) => ({
      value: wrapTransaction(fn, this, begin, statements),
    });
    const properties = {
      default: variant(statements.default),
      deferred: variant(statements.deferred),
      immediate: variant(statements.immediate),
      exclusive: variant(statements.exclusive),
      database: { value: this, enumerable: true },
    };
    const { default: plain, deferred, immediate, exclusive } = properties;
    for (const { value } of [plain, deferred, immediate, exclusive]) {
      Object.defineProperties(value, properties);
    }
    return plain.value as Transaction<T>;
  }

  /** Finalizes every statement and closes. Does nothing the second time. */
  close(): void {
    if (!this.open) return;
    finalizeStatements(this);
    const code = sqlite.sqlite3_close_v2(this.#handle);
    this.#handle = null;
    check(code);
  }

  /** The handle, for those that must not be called with a freed one. */
  #opened(): Deno.PointerValue {
    if (this.#handle === null) check(MISUSE);
    return this.#handle;
  }
}

function openFlags({ memory, readonly, create }: DatabaseOpenOptions): number {
  return (memory ? OPEN_MEMORY : 0) |
    (readonly ? OPEN_READONLY : OPEN_READWRITE) |
    ((create ?? true) && !readonly ? OPEN_CREATE : 0);
}

interface TransactionStatements {
  default: Statement;
  deferred: Statement;
  immediate: Statement;
  exclusive: Statement;
  commit: Statement;
  rollback: Statement;
  savepoint: Statement;
  release: Statement;
  rollbackTo: Statement;
}

// One of each for a connection, kept and so reset only at its next use.
function prepareTransactions(db: Database): TransactionStatements {
  return {
    default: db.prepare("BEGIN"),
    deferred: db.prepare("BEGIN DEFERRED"),
    immediate: db.prepare("BEGIN IMMEDIATE"),
    exclusive: db.prepare("BEGIN EXCLUSIVE"),
    commit: db.prepare("COMMIT"),
    rollback: db.prepare("ROLLBACK"),
    savepoint: db.prepare("SAVEPOINT nested_transaction"),
    release: db.prepare("RELEASE nested_transaction"),
    rollbackTo: db.prepare("ROLLBACK TO nested_transaction"),
  };
}

function wrapTransaction<T extends (...args: never[]) => unknown>(
  fn: T,
  db: Database,
  begin: Statement,
  { commit, rollback, savepoint, release, rollbackTo }: TransactionStatements,
) {
  return function (this: unknown, ...args: Parameters<T>): unknown {
    const nested = db.inTransaction;
    (nested ? savepoint : begin).run();
    try {
      const result = Reflect.apply(fn, this, args);
      (nested ? release : commit).run();
      return result;
    } catch (error) {
      // SQLite may have rolled back already, as when the disk is full.
      if (!db.autocommit) {
        (nested ? rollbackTo : rollback).run();
        if (nested) release.run();
      }
      throw error;
    }
  };
}
