/**
 * One connection to the log's SQLite file: opens it once Deno has allowed it, sets what the log relies on, runs queries
 * and transactions, and fails with nothing but {@linkcode LogError}s.
 *
 * @module
 */

import type { Database } from "@db/sqlite";
import { FileError, LogError } from "../errors.ts";
import { cannotOpen, cannotRead, isShut, refusedWrite, translate } from "./failures.ts";
import { inspectBeside, pathOf, type PreparedFile, prepareFile, stampOf } from "./files.ts";
import { Query } from "./query.ts";
import { openDatabase, requireSqlite } from "./native.ts";

/** SQLite 3.38 brought what the log's queries need. */
const OLDEST_SQLITE = [3, 38];

/** Flags of `sqlite3_open_v2`. */
const OPEN_READONLY = 0x01;
const OPEN_READWRITE = 0x02;
const OPEN_URI = 0x40;
const OPEN_NOFOLLOW = 0x0100_0000;

const FIRST_READ = "PRAGMA schema_version";
const CACHE_KIB = 32 << 10;
const CHECKPOINT_PAGES = 25_000;

const TRANSACTIONS = {
  outer: ["BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"],
  reader: ["BEGIN", "COMMIT", "ROLLBACK"],
  inner: ["SAVEPOINT part", "RELEASE part", "ROLLBACK TO part; RELEASE part"],
} as const;

/** How a file is opened. */
export interface ConnectionOptions {
  /** Refuses every change. */
  readonly: boolean;
  /** Makes the file when there is none. */
  create: boolean;
  /** How long to wait for another writer's turn to end, in milliseconds. */
  busyTimeoutMs: number;
  /** Whether a commit waits until the disk has it. */
  synchronous: "FULL" | "NORMAL";
}

/** An open connection. */
export class Connection {
  /** The path as it was given, for messages. */
  readonly path: string;
  /** Whether changes are refused. */
  readonly readonly: boolean;
  /** How long to wait for another writer's turn to end, in milliseconds. */
  readonly busyTimeoutMs: number;
  readonly #database: Database;
  readonly #queries = new Map<string, Query>();
  #depth = 0;
  #isHeld = false;
  /** Whether a file that is read without a lock is what it was. */
  #isUnchanged = () => true;
  #open = true;
  /** Whether a `-wal` was made as it was opened. */
  #madeWal = false;
  /** Whose code runs, while that of a caller does. */
  #caller?: string;

  private constructor(path: string, database: Database, options: ConnectionOptions) {
    this.path = path;
    this.readonly = options.readonly;
    this.#database = database;
    this.busyTimeoutMs = options.busyTimeoutMs;
  }

  /**
   * Opens a file, or memory.
   *
   * @throws {Deno.errors.NotCapable} When Deno's permissions do not allow the path or what SQLite puts beside it.
   * @throws {FileError} When the file cannot be used.
   */
  static open(location: string | URL, options: ConnectionOptions): Connection {
    const path = pathOf(location);
    requireSqlite();
    if (path === ":memory:") {
      const connection = Connection.#connect(path, path, options, {});
      // Nobody else will ever read it, so it is one transaction that is never committed: for a commit SQLite may look at
      // every page it has in memory.
      connection.#begin("BEGIN");
      return connection;
    }
    const at = prepareFile(path, options);
    if (options.readonly) return Connection.#openToRead(path, at, options);
    return Connection.#connect(path, at.file, options, { flags: OPEN_READWRITE | OPEN_NOFOLLOW });
  }

  /**
   * Opens a file to look at it, whatever is in it, so that nothing SQLite does can change it: it is opened for reading
   * only, the file and its `-wal` stay byte for byte as they are. As every reader of a write-ahead log does, this one
   * marks its place in `-shm`; where `-wal` and `-shm` are not there it makes them, the former empty:
   * {@linkcode Connection.closeAndTidy} removes them.
   *
   * @throws {Deno.errors.NotCapable} When Deno's permissions do not allow the path or what SQLite puts beside it.
   * @throws {FileError} When the file cannot be read, `read-only` when it cannot without writing; what stands in it is
   * met by the first query.
   */
  static openToAudit(location: string | URL, busyTimeoutMs: number): Connection {
    const path = pathOf(location);
    requireSqlite();
    if (path === ":memory:") {
      throw new LogError("invalid-argument", "a log in memory is not audited; name a file");
    }
    const options = { readonly: true, create: false, busyTimeoutMs, synchronous: "FULL" } as const;
    const file = { ...prepareFile(path, options), nativeReadonly: true };
    const connection = Connection.#openToRead(path, file, options, true);
    connection.#madeWal = !file.hasWal;
    return connection;
  }

  /**
   * Closes a connection that {@linkcode Connection.openToAudit} has opened, and removes the `-wal` and `-shm` that it made,
   * where Deno's permissions allow that: SQLite itself does so when the last connection that may write is closed.
   */
  closeAndTidy(): void {
    this.close();
    if (!this.#madeWal) return;
    try {
      const options = { readonly: true, create: false, busyTimeoutMs: 0, synchronous: "FULL" } as const;
      const connection = Connection.open(this.path, options);
      connection.query("PRAGMA schema_version").value();
      connection.close();
    } catch {
      // Somebody else is using the file, and removes them.
    }
  }

  /**
   * Opens a file for reading. Where what SQLite keeps beside it cannot be made, in a folder that cannot be written or on
   * a disk that is full, a file that has all its commits in itself is read as it is, without a lock: to write to it
   * meanwhile ends that.
   */
  static #openToRead(
    path: string,
    { file, name, nativeReadonly }: PreparedFile,
    options: ConnectionOptions,
    audit = false,
  ): Connection {
    const flags = (nativeReadonly ? OPEN_READONLY : OPEN_READWRITE) | OPEN_NOFOLLOW;
    try {
      return Connection.#connect(path, file, options, { flags }, audit);
    } catch (error) {
      if (!isShut(error)) throw error;
      const { wal = 0, journal = 0 } = inspectBeside(path, name);
      if (wal > 0 || journal > 0) throw cannotRead(error, path, wal > 0 ? "-wal" : "-journal");
      const stamp = stampOf(name);
      const uri = `file:${file.split("/").map(encodeURIComponent).join("/")}?immutable=1`;
      const connection = Connection.#connect(path, uri, options, {
        flags: OPEN_READONLY | OPEN_URI | OPEN_NOFOLLOW,
      }, audit);
      connection.#isUnchanged = () => stampOf(name) === stamp;
      return connection;
    }
  }

  static #connect(
    path: string,
    file: string,
    options: ConnectionOptions,
    native: { flags?: number },
    audit = false,
  ): Connection {
    let database: Database | undefined;
    try {
      database = openDatabase(file, { ...native, int64: true, parseJson: false });
      const connection = new Connection(path, database, options);
      connection.#refuseOldSqlite();
      if (audit) connection.#configureAudit();
      else connection.#configure(options);
      return connection;
    } catch (error) {
      database?.close();
      const translated = translate(error, path);
      throw cannotOpen(error, path) ?? (options.readonly ? translated : refusedWrite(translated, path));
    }
  }

  #configure(options: ConnectionOptions): void {
    // What sorts spill into must not become a file that Deno was not asked about. Ids are hashes: a writer comes back to
    // the pages of their index all the time, so more of them are kept, and copied into the file less often.
    this.execute(
      `PRAGMA busy_timeout = ${options.busyTimeoutMs}; PRAGMA synchronous = ${options.synchronous};` +
        "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;" +
        `PRAGMA cache_size = ${-CACHE_KIB}; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
    );
    if (this.readonly) this.execute("PRAGMA query_only = ON");
    // Not before its first read does SQLite open what is beside the file.
    this.query(FIRST_READ).value();
  }

  /** None of these reads the schema, which may be no schema: that is for the audit to find. */
  #configureAudit(): void {
    this.execute(
      `PRAGMA busy_timeout = ${this.busyTimeoutMs}; PRAGMA temp_store = MEMORY; PRAGMA query_only = ON;` +
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA ignore_check_constraints = ON;" +
        "PRAGMA mmap_size = 0",
    );
    try {
      this.query(FIRST_READ).value();
    } catch (error) {
      // Whether the file can be opened is told by the first read; what else that may tell is for the audit.
      if (isShut(error) || (error instanceof FileError && error.code === "not-a-database")) throw error;
    }
  }

  #refuseOldSqlite(): void {
    const [version] = this.query("SELECT sqlite_version()").value() as [string];
    const [major, minor] = version.split(".").map(Number);
    if (major < OLDEST_SQLITE[0] || (major === OLDEST_SQLITE[0] && minor < OLDEST_SQLITE[1])) {
      throw new LogError(
        "old-sqlite",
        `SQLite ${version} is too old: the log needs ${OLDEST_SQLITE.join(".")} or later; install one, or name its ` +
          "library in DENO_SQLITE_PATH",
      );
    }
  }

  /** A prepared statement, kept for the next time the same SQL is asked for. */
  query(sql: string): Query {
    this.#assertOpen();
    if (!this.#isUnchanged()) {
      const message = `${this.path} was written to while it was read without a lock; open it again`;
      throw new FileError("locked", this.path, message);
    }
    let query = this.#queries.get(sql);
    if (query === undefined) {
      query = new Query(this.#database, sql, this.path);
      this.#queries.set(sql, query);
    }
    return query;
  }

  /** Runs statements that give no rows. */
  execute(sql: string): void {
    this.#assertOpen();
    try {
      this.#database.exec(sql);
    } catch (error) {
      throw translate(error, this.path);
    }
  }

  /**
   * Runs `work` as one transaction that holds the write lock from its start; inside another, as a part of it that can
   * fail alone.
   */
  transaction<T>(work: () => T): T {
    return this.#within(TRANSACTIONS[this.#depth === 0 ? "outer" : "inner"], work);
  }

  #within<T>([begin, commit, rollback]: readonly [string, string, string], work: () => T): T {
    this.#begin(begin);
    try {
      const result = work();
      this.execute(commit);
      return result;
    } catch (error) {
      this.#rollback(rollback);
      throw error;
    } finally {
      this.#depth--;
    }
  }

  /** The same for work that takes its time: whatever else runs on this connection meanwhile becomes a part of it. */
  async heldTransaction<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isHeld) {
      throw new FileError(
        "locked",
        this.path,
        `${this.path} is in use by another atomic ingest; wait until it has ended`,
      );
    }
    const [begin, commit, rollback] = TRANSACTIONS[this.#depth === 0 ? "outer" : "inner"];
    this.#begin(begin);
    this.#isHeld = true;
    try {
      const result = await work();
      this.execute(commit);
      return result;
    } catch (error) {
      this.#rollback(rollback);
      throw error;
    } finally {
      this.#isHeld = false;
      this.#depth--;
    }
  }

  /** Runs `work` so that all it reads is of one moment, whatever others write meanwhile. */
  snapshot<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.#begin("BEGIN");
    try {
      return work();
    } finally {
      this.#rollback("ROLLBACK");
      this.#depth--;
    }
  }

  /** Runs `work`, which changes nothing but temporary tables, even where the log may not be changed. */
  temporarily(work: () => void): void {
    if (this.readonly) this.execute("PRAGMA query_only = OFF");
    try {
      if (this.#depth > 0) work();
      else this.#within(TRANSACTIONS.reader, work);
    } finally {
      if (this.readonly) this.execute("PRAGMA query_only = ON");
    }
  }

  /**
   * Runs code of a caller's, a step or a signer, in the middle of our own work. It cannot use the connection: it would
   * change what we are about to read, or report what may be rolled back.
   */
  callOut<T>(caller: string, work: () => T): T {
    const outer = this.#caller;
    this.#caller = caller;
    try {
      return work();
    } finally {
      this.#caller = outer;
    }
  }

  /** Whether a transaction is under way; in memory, one always is. */
  get isInTransaction(): boolean {
    return this.#depth > 0;
  }

  /** Whether a transaction that takes its time is under way: what it inserted may be rolled back. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Refuses the code of callers. */
  refuseCaller(): void {
    if (this.#caller === undefined) return;
    throw new LogError(
      "invalid-argument",
      `${this.#caller} cannot use the log that calls it; use the log before or after`,
    );
  }

  // Not prepared: a prepared BEGIN that found the file locked would keep later commits from taking effect.
  #begin(sql: string): void {
    this.execute(sql);
    this.#depth++;
  }

  #rollback(sql: string): void {
    try {
      this.execute(sql);
    } catch {
      // SQLite has rolled back by itself, as it does when the disk is full.
    }
  }

  /** Closes the connection; a second time does nothing. */
  close(): void {
    this.#open = false;
    this.#database.close();
  }

  /** Whether it can be used. */
  get isOpen(): boolean {
    return this.#open;
  }

  #assertOpen(): void {
    this.refuseCaller();
    if (!this.#open) throw new LogError("closed", `the log ${this.path} was closed; open it again`);
  }
}
