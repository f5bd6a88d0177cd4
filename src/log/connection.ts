/**
 * One connection to the log's SQLite file: opens it once Deno has allowed it, sets what the log relies on, runs queries
 * and transactions, and fails with nothing but {@linkcode LogError}s.
 *
 * @module
 */

import { Database } from "@db/sqlite";
import { fileURLToPath } from "node:url";
import { FileError, LogError } from "../errors.ts";
import { cannotOpen, isFolder, translate } from "./failures.ts";
import { followLinks, requestPermissions } from "./permissions.ts";
import { Query } from "./query.ts";

/** SQLite 3.38 brought what the log's queries need. */
const OLDEST_SQLITE = [3, 38];

/** The header of an SQLite file. */
const SHORTEST_DATABASE = 100;

/** Flags of `sqlite3_open_v2`. */
const OPEN_READONLY = 0x01;
const OPEN_URI = 0x40;

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
  readonly #database: Database;
  readonly #busyTimeoutMs: number;
  readonly #queries = new Map<string, Query>();
  #depth = 0;
  #isHeld = false;
  #open = true;

  private constructor(path: string, database: Database, options: ConnectionOptions) {
    this.path = path;
    this.readonly = options.readonly;
    this.#database = database;
    this.#busyTimeoutMs = options.busyTimeoutMs;
  }

  /**
   * Opens a file, or memory.
   *
   * @throws {Deno.errors.NotCapable} When Deno's permissions do not allow the path or what SQLite puts beside it.
   * @throws {FileError} When the file cannot be used.
   */
  static open(location: string | URL, options: ConnectionOptions): Connection {
    const path = pathOf(location);
    if (path === ":memory:") {
      const connection = Connection.#connect(path, path, options, { readonly: false });
      // Nobody else will ever read it, so it is one transaction that is never committed: for a commit SQLite may look at
      // every page it has in memory.
      connection.#begin("BEGIN");
      return connection;
    }
    const file = followLinks(path, options.readonly);
    const nativeReadonly = requestPermissions(file, options.readonly);
    refuseFragment(path, file);
    return Connection.#connect(path, file, options, { readonly: nativeReadonly });
  }

  /**
   * Opens a file to look at it, whatever is in it, so that nothing SQLite does can change it: it is opened for reading
   * only, the file and its `-wal` stay byte for byte as they are. As every reader of a write-ahead log does, this one
   * marks its place in `-shm`; where `-wal` and `-shm` are not there it makes them, the former empty, and leaves them to
   * the next who opens the log to append. Where the folder does not let them be made, on a disk that cannot be written,
   * a file without commits in a `-wal` is read as it is.
   *
   * @throws {Deno.errors.NotCapable} When Deno's permissions do not allow the path or what SQLite puts beside it.
   * @throws {FileError} When the file cannot be read, `read-only` when it cannot without writing; what stands in it is
   * met by the first query.
   */
  static openToAudit(location: string | URL, busyTimeoutMs: number): Connection {
    const path = pathOf(location);
    if (path === ":memory:") {
      throw new LogError("invalid-argument", "a log in memory is not audited; name a file");
    }
    const options = { readonly: true, create: false, busyTimeoutMs, synchronous: "FULL" } as const;
    const file = followLinks(path, true);
    requestPermissions(file, true);
    refuseFragment(path, file);
    // For reading alone, the system opens a folder as well.
    if (isFolder(file)) throw cannotOpen(new Error("unable to open a folder"), path, file, false);
    try {
      return Connection.#connect(path, file, options, { readonly: true }, true);
    } catch (error) {
      if (!isShut(error)) throw error;
      if (!isEmpty(`${file}-journal`)) {
        const message =
          `a change to ${path} was interrupted and must be rolled back, which an audit may not do: open ` +
          "the log to append";
        throw new FileError("read-only", path, message, { cause: error });
      }
      if (!isEmpty(`${file}-wal`)) {
        const message =
          `what is in ${path}-wal cannot be read where nothing may be written; copy both to another folder`;
        throw new FileError("read-only", path, message, { cause: error });
      }
      const uri = `file:${file.split("/").map(encodeURIComponent).join("/")}?immutable=1`;
      return Connection.#connect(path, uri, options, { flags: OPEN_READONLY | OPEN_URI }, true);
    }
  }

  static #connect(
    path: string,
    file: string,
    options: ConnectionOptions,
    native: { readonly: boolean } | { flags: number },
    audit = false,
  ): Connection {
    let database: Database | undefined;
    try {
      database = new Database(file, {
        ...native,
        create: options.create && !options.readonly,
        int64: true,
        parseJson: false,
      });
      const connection = new Connection(path, database, options);
      if (audit) connection.#configureAudit();
      else connection.#configure(options);
      return connection;
    } catch (error) {
      database?.close();
      throw cannotOpen(error, path, file, options.create && !options.readonly) ?? translate(error, path);
    }
  }

  #configure(options: ConnectionOptions): void {
    this.#refuseOldSqlite();
    // What sorts spill into must not become a file that Deno was not asked about. Ids are hashes: a writer comes back to
    // the pages of their index all the time, so more of them are kept, and copied into the file less often.
    this.execute(
      `PRAGMA busy_timeout = ${options.busyTimeoutMs}; PRAGMA synchronous = ${options.synchronous};` +
        "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;" +
        `PRAGMA cache_size = ${-CACHE_KIB}; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
    );
    if (this.readonly) this.execute("PRAGMA query_only = ON");
  }

  /** None of these reads the schema, which may be no schema: that is for the audit to find. */
  #configureAudit(): void {
    this.#refuseOldSqlite();
    this.execute(
      `PRAGMA busy_timeout = ${this.#busyTimeoutMs}; PRAGMA temp_store = MEMORY; PRAGMA query_only = ON;` +
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA ignore_check_constraints = ON;" +
        "PRAGMA mmap_size = 0",
    );
    try {
      this.query("PRAGMA schema_version").value();
    } catch (error) {
      // Whether the file can be opened is told by the first read; what else that may tell is for the audit.
      if (isShut(error)) throw error;
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

  /** SQLite opens a file it may not write for reading only, and says so no sooner than at the first change. */
  refuseReadOnlyFile(): void {
    this.execute("PRAGMA busy_timeout = 0");
    try {
      this.execute("DELETE FROM ops WHERE false");
    } catch (error) {
      // Locked means that somebody else is writing: then it can be written.
      if (!(error instanceof FileError) || error.code !== "locked") throw error;
    } finally {
      this.execute(`PRAGMA busy_timeout = ${this.#busyTimeoutMs}`);
    }
  }

  /**
   * Switches the file to write-ahead logging, which readers and a writer can use at once. Where the file system does
   * not support it, SQLite keeps its rollback journal, which is as durable.
   */
  useWriteAheadLog(): void {
    const deadline = Date.now() + this.#busyTimeoutMs;
    for (;;) {
      try {
        this.query("PRAGMA journal_mode = WAL").value();
        return;
      } catch (error) {
        // For this change SQLite does not wait for other connections by itself.
        if (!(error instanceof FileError) || error.code !== "locked" || Date.now() >= deadline) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      }
    }
  }

  /** A prepared statement, kept for the next time the same SQL is asked for. */
  query(sql: string): Query {
    this.#assertOpen();
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

  /** Whether a transaction that takes its time is under way: what it inserted may be rolled back. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  #assertOpen(): void {
    if (!this.#open) throw new LogError("closed", `the log ${this.path} was closed; open it again`);
  }
}

/** The path that a location means. */
function pathOf(location: string | URL): string {
  if (location instanceof URL && location.protocol !== "file:") {
    throw new LogError("invalid-argument", `${location} is no file; a log is opened from a path or a file: URL`);
  }
  const path = location instanceof URL ? fileURLToPath(location) : location;
  if (path === "" || path.includes("\0")) {
    throw new LogError("invalid-argument", `${JSON.stringify(path)} is no path; name a file, or ":memory:"`);
  }
  return path;
}

/** Whether SQLite could not open a file for reading because it would have to write beside it, or to it. */
function isShut(error: unknown): boolean {
  return error instanceof FileError && (error.code === "read-only" || /unable to open/.test(String(error.cause)));
}

/** Whether there is nothing in a file. */
function isEmpty(file: string): boolean {
  try {
    return Deno.statSync(file).size === 0;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}

/** SQLite takes a file that is too short to be a database for an empty one, and would write over it. */
function refuseFragment(path: string, file: string): void {
  let size: number;
  try {
    size = Deno.statSync(file).size;
  } catch {
    return; // there is none, or opening it will say what is wrong
  }
  if (size > 0 && size < SHORTEST_DATABASE) throw translate(new Error("file is not a database"), path);
}
