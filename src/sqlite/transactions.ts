/**
 * Transactions on one connection.
 *
 * @module
 */

import { FileError } from "../errors.ts";

/** Begin, commit and roll back. */
type Statements = readonly [begin: string, commit: string, rollback: string];

const WRITE: Statements = ["BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"];
const READ: Statements = ["BEGIN", "COMMIT", "ROLLBACK"];
const NESTED: Statements = ["SAVEPOINT part", "RELEASE part", "ROLLBACK TO part; RELEASE part"];

/** The transactions of a connection, which may be nested. */
export abstract class Transactions {
  /** The path of the file as it was given, for messages. */
  abstract readonly path: string;
  /** Whether changes are refused. */
  abstract readonly readonly: boolean;
  #depth = 0;
  #isHeld = false;

  /** Runs statements that return no rows. */
  abstract execute(sql: string): void;

  /** Begins a transaction that is never committed: every later one is nested in it. */
  beginForever(): void {
    this.#begin("BEGIN");
  }

  /**
   * Runs `work` as one transaction that holds the write lock from its start; inside another, as a savepoint, which is
   * rolled back alone.
   */
  transaction<T>(work: () => T): T {
    return this.#within(this.#statements(), work);
  }

  #within<T>([begin, commit, rollback]: Statements, work: () => T): T {
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

  /** As {@linkcode transaction}, for asynchronous work: what else runs on this connection meanwhile is a part of it. */
  async heldTransaction<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isHeld) {
      const message = `another asynchronous transaction on ${this.path} is open; wait until it has ended`;
      throw new FileError("locked", this.path, message);
    }
    const [begin, commit, rollback] = this.#statements();
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

  /** Runs `work` in a read transaction: all that it reads is one snapshot, whatever others write meanwhile. */
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

  /** Runs `work`, which writes to temporary tables alone, also on a connection that refuses changes. */
  temporarily(work: () => void): void {
    if (this.readonly) this.execute("PRAGMA query_only = OFF");
    try {
      if (this.#depth > 0) work();
      else this.#within(READ, work);
    } finally {
      if (this.readonly) this.execute("PRAGMA query_only = ON");
    }
  }

  /** Whether a transaction is open; in memory, one always is. */
  get isInTransaction(): boolean {
    return this.#depth > 0;
  }

  /** Whether an asynchronous transaction is open: what it inserted may be rolled back. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  #statements(): Statements {
    return this.#depth === 0 ? WRITE : NESTED;
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
}
