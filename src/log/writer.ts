/**
 * What may enter a log, and how: the one place that inserts operations.
 *
 * @module
 */

import { DanglingReferenceError, FileError, LogError, tooLarge } from "../errors.ts";
import { Operation } from "../wire/operation.ts";
import type { Connection } from "./connection.ts";
import type { Heads } from "./heads.ts";

/** The greatest wire text that may enter unless the log is opened with another limit, in bytes of UTF-8. */
export const MAX_OPERATION_BYTES: number = 1 << 20;

const SELECT_SEQ = "SELECT seq FROM ops WHERE op_id = ?";
const SELECT_MISSING = "SELECT value FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM ops WHERE op_id = value)";
const INSERT = "INSERT INTO ops (op_id, type, author, ts, wire) VALUES (?, ?, ?, ?, ?) RETURNING seq";

/** Where an operation stands in the log after it was inserted. */
export interface Inserted {
  /** Its place. */
  seq: number;
  /** Whether it was there already. */
  known: boolean;
}

/** Appends to one log. */
export class Writer {
  /** The greatest wire text that may enter, in bytes of UTF-8. */
  readonly maxOperationBytes: number;
  readonly #connection: Connection;
  readonly #heads: Heads;

  /**
   * @param connection The log's file.
   * @param heads Is told of every operation that enters.
   * @param maxOperationBytes The greatest wire text that may enter, in bytes of UTF-8.
   */
  constructor(connection: Connection, heads: Heads, maxOperationBytes: number) {
    this.#connection = connection;
    this.#heads = heads;
    this.maxOperationBytes = maxOperationBytes;
  }

  /**
   * Refuses what may not enter whatever the log holds.
   *
   * @throws {LogError} `too-large`, `invalid-argument`, `bad-address`, `bad-signature`.
   */
  admit(op: Operation, verify = true): void {
    if (!(op instanceof Operation)) {
      throw new LogError("invalid-argument", "only an Operation can be appended; make one with Operation.parse");
    }
    if (exceedsBytes(op.wire, this.maxOperationBytes)) throw tooLarge(`operation ${op.opId}`, this.maxOperationBytes);
    if (verify) op.verify();
  }

  /**
   * Puts an admitted operation after all others, unless it is there already. Inside {@linkcode Writer.transaction}.
   *
   * @throws {DanglingReferenceError} Before anything is changed.
   */
  insert(op: Operation, checkPrev = true): Inserted {
    const known = this.#connection.query(SELECT_SEQ).value<[number]>(op.opId);
    if (known !== undefined) return { seq: known[0], known: true };
    if (checkPrev && op.prev.length > 0) {
      const missing = this.#connection.query(SELECT_MISSING).values<[string]>(JSON.stringify(op.prev));
      if (missing.length > 0) throw new DanglingReferenceError(op.opId, missing.map(([opId]) => opId));
    }
    const [seq] = this.#connection.query(INSERT).value<[number]>(op.opId, op.type, op.author, op.ts, op.wire)!;
    this.#heads.note(seq, op.opId, op.prev);
    return { seq, known: false };
  }

  /** Runs `work` as one transaction: all that it inserts, or nothing. Inside another, as a part that can fail alone. */
  transaction<T>(work: () => T): T {
    this.#refuseReadonly();
    try {
      return this.#connection.transaction(work);
    } catch (error) {
      this.#heads.forget();
      throw error;
    }
  }

  /** The same for work that takes its time: what else is appended through this connection meanwhile is a part of it. */
  async heldTransaction<T>(work: () => Promise<T>): Promise<T> {
    this.#refuseReadonly();
    try {
      return await this.#connection.heldTransaction(work);
    } catch (error) {
      this.#heads.forget();
      throw error;
    }
  }

  #refuseReadonly(): void {
    const { path, readonly } = this.#connection;
    if (readonly) {
      throw new FileError("read-only", path, `${path} was opened with readonly; open it without, to append`);
    }
  }
}

/** Whether a text has more bytes of UTF-8 than allowed; one UTF-16 unit is at most three. */
function exceedsBytes(text: string, bytes: number): boolean {
  return text.length > bytes || (text.length * 3 > bytes && new TextEncoder().encode(text).length > bytes);
}
