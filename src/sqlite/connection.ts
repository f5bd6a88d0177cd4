/**
 * One connection to an SQLite file: prepared statements, transactions, and errors that are all {@linkcode LogError}s.
 *
 * @module
 */

import type { Database } from "@db/sqlite";
import { FileError, LogError } from "../errors.ts";
import { translate } from "./failures.ts";
import { Patience } from "./patience.ts";
import type { Placement } from "./placement.ts";
import { Query } from "./query.ts";
import { Transactions } from "./transactions.ts";

/** An open connection. */
export class Connection extends Transactions {
  override readonly path: string;
  override readonly readonly: boolean;
  readonly #patience: Patience;
  readonly #database: Database;
  readonly #queries = new Map<string, Query>();
  readonly #isUnchanged: () => boolean;
  readonly #placement?: Placement;
  /** The journal mode: `wal`, or `delete` for a rollback journal; undefined where nothing is written. */
  journal?: string;
  #open = true;
  /** The caller whose code is running, such as a signer; undefined while there is none. */
  #caller?: string;

  /**
   * @param path The path as it was given, for messages.
   * @param database The database.
   * @param options Whether changes are refused, and how long to wait for locks.
   * @param file Of a file: where it is, and whether what is read without a lock is still what it was.
   */
  constructor(
    path: string,
    database: Database,
    options: { readonly: boolean; busyTimeoutMs: number },
    { placement, isUnchanged = () => true }: { placement?: Placement; isUnchanged?: () => boolean } = {},
  ) {
    super();
    this.path = path;
    this.readonly = options.readonly;
    this.#patience = new Patience(options.busyTimeoutMs);
    this.#database = database;
    this.#isUnchanged = isUnchanged;
    this.#placement = placement;
  }

  /** The prepared statement of an SQL text; the same text has the same statement. */
  query(sql: string): Query {
    this.#assertUsable();
    if (!this.#isUnchanged()) {
      const message = `${this.path} was written to while it was read without a lock; open it again`;
      throw new FileError("locked", this.path, message);
    }
    let query = this.#queries.get(sql);
    if (query === undefined) {
      query = new Query(this.#database, sql, this.path, this.#patience);
      this.#queries.set(sql, query);
    }
    return query;
  }

  /** Runs statements that return no rows. */
  override execute(sql: string): void {
    this.#assertUsable();
    try {
      this.#database.exec(sql);
    } catch (first) {
      try {
        this.#patience.retry(first, () => this.#database.exec(sql));
      } catch (error) {
        throw translate(error, this.path);
      }
    }
  }

  /** Waits for locks from now on; before, SQLite does not wait at all. */
  waitForLocks(): void {
    this.execute(`PRAGMA busy_timeout = ${this.#patience.sqliteWaitMs}`);
  }

  /** Runs `work`, which fails at once where it would wait for a lock. */
  withoutWaiting<T>(work: () => T): T {
    this.#patience.suspend(true);
    try {
      this.waitForLocks();
      return work();
    } finally {
      this.#patience.suspend(false);
      this.waitForLocks();
    }
  }

  /**
   * Runs a caller's code, such as a signer, inside a transaction. It cannot use the connection: it could change what the
   * transaction is about to read, or read what may be rolled back.
   *
   * @param caller What the code is, for the message of the error.
   * @param work The code.
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

  /**
   * Refuses to go on inside {@linkcode Connection.callOut}.
   *
   * @throws {LogError} `invalid-argument`.
   */
  refuseCaller(): void {
    if (this.#caller === undefined) return;
    throw new LogError(
      "invalid-argument",
      `${this.#caller} cannot use the log that calls it; use the log before or after`,
    );
  }

  /**
   * Refuses to write to a file that was removed or replaced: what is written to it is lost.
   *
   * @throws {FileError} `missing-file`.
   */
  refuseMoved(): void {
    if (this.#placement?.isKept() ?? true) return;
    const message =
      `${this.path}, or the -wal beside it, was removed or replaced while the log was open; close it, and ` +
      "open what is there now: nothing was kept";
    throw new FileError("missing-file", this.path, message);
  }

  /**
   * Makes sure that what can be read is on the disk. With a rollback journal, the last step of a commit is to sync that the
   * journal is deleted: when that fails, or a process ends before, the commit can be read, and a power cut may undo it. The
   * next commit syncs the deletion of its own. With a write-ahead log, what can be read was synced before.
   */
  confirm(): void {
    if (this.journal !== "delete") return;
    const [version] = this.query("PRAGMA user_version").value<[number]>()!;
    this.execute(`PRAGMA user_version = ${version}`); // a commit that changes nothing
  }

  /** Closes the connection; a second time does nothing. */
  close(): void {
    this.#open = false;
    this.#database.close();
  }

  /** Whether the connection was not closed. */
  get isOpen(): boolean {
    return this.#open;
  }

  /**
   * Whether SQLite has rolled back the open transaction by itself, as it does when the disk fails or is full. What is
   * executed now would be committed at once, and alone.
   */
  get isRolledBack(): boolean {
    return this.isInTransaction && this.#database.autocommit;
  }

  #assertUsable(): void {
    this.refuseCaller();
    if (!this.#open) throw new LogError("closed", `the log ${this.path} was closed; open it again`);
    if (!this.isRolledBack) return;
    throw new FileError("io", this.path, `a change to ${this.path} failed as a whole; try it again: nothing was kept`);
  }
}
