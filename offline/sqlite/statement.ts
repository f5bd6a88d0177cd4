import type { Database } from "./database.ts";
import {
  BLOB,
  check,
  cString,
  DONE,
  FLOAT,
  INTEGER,
  JSON_SUBTYPE,
  MISUSE,
  ROW,
  sqlite,
  STATUS_REPREPARE,
  string,
  TEXT,
} from "./ffi.ts";

/** What a parameter can be bound to. A `symbol` is refused when it is bound. */
export type BindValue =
  | number
  | string
  | symbol
  | bigint
  | boolean
  | null
  | undefined
  | Date
  | Uint8Array
  | BindValue[]
  | { [key: string]: BindValue };

/** A statement's parameters in one value: by position, or by name. */
export type BindParameters = BindValue[] | Record<string, BindValue>;

/** A statement's parameters as arguments: each one, or all in the first. */
export type RestBindParameters = BindValue[] | [BindParameters];

// The statements of each database not yet finalized. SQLite closes a connection
// only when it has none.
const statements = new WeakMap<Database, Set<Deno.PointerObject>>();

const abandoned = new FinalizationRegistry<
  { handle: Deno.PointerObject; siblings: Set<Deno.PointerObject> }
>(({ handle, siblings }) => {
  if (siblings.delete(handle)) sqlite.sqlite3_finalize(handle);
});

/** Finalizes what is left of `db`'s statements, whatever state they are in. */
export function finalizeStatements(db: Database): void {
  const handles = statements.get(db);
  for (const handle of handles ?? []) sqlite.sqlite3_finalize(handle);
  handles?.clear();
}

const encoder = new TextEncoder();

/** Texts up to this long, in bytes, are bound from a buffer that is kept. */
const KEPT_BUFFER = 1 << 16;

/** What an empty text or blob points to: Deno passes an empty buffer as NULL. */
const EMPTY = new Uint8Array(1);

/**
 * A compiled statement, made by `Database.prepare`.
 *
 * Parameters are the arguments. A first argument that is an array, or an object
 * other than a `Date` or `Uint8Array`, is the whole list itself: by position,
 * or by name. Those not given are NULL. A statement that has no parameters
 * ignores its arguments.
 *
 * A call that throws leaves the statement as it was: it is not reset until its
 * next use, and until then may hold locks. After `database is locked` SQLite
 * takes it to be still running, and commits nothing else on the connection.
 */
export class Statement<TStatement extends object = Record<string, unknown>> {
  #handle: Deno.PointerValue;
  #parameters: number;
  #indexes?: Map<string, number>;
  /** Whether it has been stepped since it was last reset. */
  #running = false;
  /** A buffer for each parameter, to encode texts into. */
  #buffers: Uint8Array<ArrayBuffer>[] = [];
  /** What SQLite points to until the statement is reset or bound again. */
  #bound: unknown[] = [];
  #columns?: string[];
  #compiled = -1;
  /** The object every `get` returns, where one is shared. */
  #row?: Record<string, unknown>;

  /**
   * @param db The database it is for.
   * @param sql One statement.
   * @throws {Error} With SQLite's message, if it cannot be compiled.
   */
  constructor(public readonly db: Database, sql: string) {
    if (!db.open) check(MISUSE);
    const text = cString(sql);
    const out = new BigUint64Array(1);
    check(
      sqlite.sqlite3_prepare_v2(
        db.unsafeHandle,
        text,
        text.byteLength,
        out,
        null,
      ),
      db.unsafeHandle,
    );
    this.#handle = Deno.UnsafePointer.create(out[0]);
    this.#parameters = sqlite.sqlite3_bind_parameter_count(this.#handle);
    if (this.#handle === null) return; // SQL that is empty, or only a comment
    let siblings = statements.get(db);
    if (!siblings) statements.set(db, siblings = new Set());
    siblings.add(this.#handle);
    abandoned.register(this, { handle: this.#handle, siblings }, this);
    if (db.unsafeConcurrency && this.#parameters === 0) this.#row = {};
  }

  /**
   * Runs it to its first row, if it returns any, and no further.
   *
   * @returns How many rows the last `INSERT`, `UPDATE` or `DELETE` changed.
   */
  run(...params: RestBindParameters): number {
    this.#begin(params);
    this.#step();
    this.#reset();
    return this.db.changes;
  }

  /** The first row as an object, or `undefined` if there is none. */
  get<T extends object = TStatement>(
    ...params: RestBindParameters
  ): T | undefined {
    const columns = this.#columnNames();
    this.#begin(params);
    if (!this.#step()) return undefined;
    const row = this.#readObject(columns, this.#row);
    this.#reset();
    return row as T;
  }

  /** The first row as an array, or `undefined` if there is none. */
  value<T extends unknown[]>(...params: RestBindParameters): T | undefined {
    const columns = sqlite.sqlite3_column_count(this.#usable());
    this.#begin(params);
    if (!this.#step()) return undefined;
    const row = this.#readArray(columns);
    this.#reset();
    return row as T;
  }

  /** Every row, as objects. */
  all<T extends object = TStatement>(...params: RestBindParameters): T[] {
    this.#begin(params);
    const columns = this.#plainColumnNames();
    const rows: unknown[] = [];
    while (this.#step()) rows.push(this.#readObject(columns));
    this.#reset();
    return rows as T[];
  }

  /** Every row, as arrays. */
  values<T extends unknown[] = unknown[]>(...params: RestBindParameters): T[] {
    this.#begin(params);
    const columns = sqlite.sqlite3_column_count(this.#handle);
    const rows: unknown[] = [];
    while (this.#step()) rows.push(this.#readArray(columns));
    this.#reset();
    return rows as T[];
  }

  /**
   * The rows as objects, each read when it is asked for. Left before the end,
   * the statement stays at its row until its next use.
   */
  *iter(...params: RestBindParameters): IterableIterator<TStatement> {
    this.#begin(params);
    // Only here does a statement without parameters check its arguments.
    if (this.#parameters === 0) this.#bindAll(params);
    const columns = this.#plainColumnNames();
    while (this.#step()) yield this.#readObject(columns) as TStatement;
    this.#reset();
  }

  /** The same as `iter` with no parameters. */
  [Symbol.iterator](): IterableIterator<TStatement> {
    return this.iter();
  }

  /**
   * Frees the statement. Does nothing the second time.
   *
   * @throws {SqliteError} If its last use threw, with the code of that failure:
   * it is freed all the same.
   */
  finalize(): void {
    if (this.#handle === null) return;
    const handle = this.#handle;
    this.#handle = null;
    this.#bound = [];
    abandoned.unregister(this);
    if (statements.get(this.db)?.delete(handle)) {
      check(sqlite.sqlite3_finalize(handle));
    }
  }

  /** Frees the statement, as `finalize` does. */
  [Symbol.dispose](): void {
    this.finalize();
  }

  /** The handle, if neither it nor its database has been freed. */
  #usable(): Deno.PointerValue {
    if (this.#handle === null || !this.db.open) check(MISUSE);
    return this.#handle;
  }

  /** Makes it ready for its first step. */
  #begin(params: RestBindParameters): void {
    this.#usable();
    if (this.#running) this.#reset();
    if (this.#parameters > 0) this.#bindAll(params);
  }

  #bindAll(params: RestBindParameters): void {
    const handle = this.#usable();
    const first = params[0];
    const list = isList(first) ? first : params as BindValue[];
    if (!Array.isArray(list)) {
      sqlite.sqlite3_clear_bindings(handle);
      for (const [name, value] of Object.entries(list)) {
        this.#bind(handle, this.#indexOf(name), value);
      }
      return;
    }
    // Where every parameter gets a value there is nothing to clear.
    const whole = list.length === this.#parameters;
    if (!whole) sqlite.sqlite3_clear_bindings(handle);
    for (let i = 0; i < list.length; i++) {
      if (list[i] !== null && list[i] !== undefined) {
        this.#bind(handle, i + 1, list[i]);
      } else if (whole) {
        check(sqlite.sqlite3_bind_null(handle, i + 1));
      }
    }
  }

  #indexOf(name: string): number {
    const known = this.#indexes?.get(name);
    if (known !== undefined) return known;
    const prefixed = /^[:@$]/.test(name) ? name : ":" + name;
    const index = sqlite.sqlite3_bind_parameter_index(
      this.#handle,
      cString(prefixed),
    );
    if (index === 0) throw new Error(`No such parameter "${name}"`);
    (this.#indexes ??= new Map()).set(name, index);
    return index;
  }

  #bind(handle: Deno.PointerValue, index: number, value: BindValue): void {
    switch (typeof value) {
      case "string":
        return this.#bindText(handle, index, value);
      case "number":
        return check(bindNumber(handle, index, value));
      case "bigint":
        return check(sqlite.sqlite3_bind_int64(handle, index, value));
      case "boolean":
        return check(sqlite.sqlite3_bind_int(handle, index, value ? 1 : 0));
      case "undefined":
        return;
      case "object":
        if (value === null) return;
        if (value instanceof Uint8Array) {
          return this.#bindBlob(handle, index, value);
        }
        return this.#bindText(
          handle,
          index,
          value instanceof Date ? value.toISOString() : `${JSON.stringify(value)}`,
        );
      default:
        throw new Error(`Value of unsupported type: ${Deno.inspect(value)}`);
    }
  }

  // Texts and blobs are passed to SQLite as static: it takes no copy, and they
  // must stay where they are until the statement is bound again.

  #bindText(handle: Deno.PointerValue, index: number, text: string): void {
    let bytes: Uint8Array<ArrayBuffer>;
    let length: number;
    const most = text.length * 3;
    if (most <= KEPT_BUFFER) {
      bytes = this.#buffers[index];
      if (bytes === undefined || bytes.length < most) {
        bytes = this.#buffers[index] = new Uint8Array(Math.max(256, most * 2));
      }
      length = encoder.encodeInto(text, bytes).written;
    } else {
      bytes = encoder.encode(text);
      length = bytes.length;
      this.#bound.push(bytes);
    }
    check(sqlite.sqlite3_bind_text(handle, index, bytes, length, null));
  }

  #bindBlob(handle: Deno.PointerValue, index: number, blob: Uint8Array): void {
    // Asking for its buffer takes a small array off V8's heap, where it would
    // be moved about.
    this.#bound.push(blob.buffer);
    check(sqlite.sqlite3_bind_blob(
      handle,
      index,
      blob.length === 0 ? EMPTY : blob as Uint8Array<ArrayBuffer>,
      blob.length,
      null,
    ));
  }

  /** Whether there is another row. */
  #step(): boolean {
    this.#running = true;
    const code = sqlite.sqlite3_step(this.#usable());
    if (code === ROW) return true;
    if (code === DONE) return false;
    check(code, this.db.unsafeHandle);
    return false;
  }

  #reset(): void {
    sqlite.sqlite3_reset(this.#handle);
    this.#running = false;
    if (this.#bound.length > 0) this.#bound = [];
  }

  /** Its column names as of now: a schema change shows after the next step. */
  #columnNames(): string[] {
    const handle = this.#usable();
    if (this.#columns && this.db.unsafeConcurrency) return this.#columns;
    const compiled = sqlite.sqlite3_stmt_status(handle, STATUS_REPREPARE, 0);
    if (this.#columns && compiled === this.#compiled) return this.#columns;
    this.#compiled = compiled;
    return this.#columns = Array.from(
      { length: sqlite.sqlite3_column_count(handle) },
      (_, i) => string(sqlite.sqlite3_column_name(handle, i)),
    );
  }

  /**
   * Its column names for `all` and `iter`. The package writes these names into
   * JavaScript source, unescaped: it fails on some, such as an expression with
   * no `AS` that has a quoted text in it.
   */
  #plainColumnNames(): string[] {
    const columns = this.#columnNames();
    const odd = columns.find((name) => /["\\\n\r]/.test(name));
    if (odd !== undefined) {
      throw new SyntaxError(`Column needs a plain name: ${Deno.inspect(odd)}`);
    }
    return columns;
  }

  #readArray(columns: number): unknown[] {
    const { int64, parseJson } = this.db;
    const row = new Array<unknown>(columns);
    for (let i = 0; i < columns; i++) {
      row[i] = readColumn(this.#handle, i, int64, parseJson);
    }
    return row;
  }

  #readObject(
    columns: string[],
    row: Record<string, unknown> = {},
  ): Record<string, unknown> {
    const { int64, parseJson } = this.db;
    for (let i = 0; i < columns.length; i++) {
      row[columns[i]] = readColumn(this.#handle, i, int64, parseJson);
    }
    return row;
  }
}

function isList(value: BindValue | BindParameters): value is BindParameters {
  return typeof value === "object" && value !== null &&
    !(value instanceof Uint8Array) && !(value instanceof Date);
}

function bindNumber(
  handle: Deno.PointerValue,
  index: number,
  value: number,
): number {
  if (!Number.isInteger(value)) {
    return sqlite.sqlite3_bind_double(handle, index, value);
  }
  return value >= -(2 ** 31) && value < 2 ** 31
    ? sqlite.sqlite3_bind_int(handle, index, value)
    : sqlite.sqlite3_bind_int64(handle, index, BigInt(value));
}

function readColumn(
  handle: Deno.PointerValue,
  i: number,
  int64: boolean,
  parseJson: boolean,
): unknown {
  switch (sqlite.sqlite3_column_type(handle, i)) {
    case INTEGER: {
      if (!int64) return sqlite.sqlite3_column_int(handle, i);
      const whole = sqlite.sqlite3_column_int64(handle, i);
      const number = Number(whole);
      return Number.isSafeInteger(number) ? number : whole;
    }
    case FLOAT:
      return sqlite.sqlite3_column_double(handle, i);
    case TEXT:
      return readText(handle, i, parseJson);
    case BLOB: {
      const pointer = sqlite.sqlite3_column_blob(handle, i);
      if (pointer === null) return new Uint8Array();
      const blob = new Uint8Array(sqlite.sqlite3_column_bytes(handle, i));
      Deno.UnsafePointerView.copyInto(pointer, blob);
      return blob;
    }
    default:
      return null;
  }
}

function readText(
  handle: Deno.PointerValue,
  i: number,
  parseJson: boolean,
): unknown {
  const text = string(sqlite.sqlite3_column_text(handle, i));
  if (!parseJson) return text;
  const value = sqlite.sqlite3_column_value(handle, i);
  if (sqlite.sqlite3_value_subtype(value) !== JSON_SUBTYPE) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
