/**
 * The writer: checks what may be appended to a log, and is the only one that inserts operations.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { DanglingReferenceError, FileError, LogError, tooLarge } from "../errors.ts";
import { HASH_BYTES } from "../bytes.ts";
import { checkBody } from "../wire/bodies.ts";
import { textLeafHash } from "./leaf.ts";
import { isOperation, type Operation } from "../wire/operation.ts";
import type { Appended, Follower } from "./appended.ts";
import type { Changes } from "./changes.ts";
import type { Connection } from "../sqlite/connection.ts";
import { lastSeq, namedOutside, seqOf } from "./entries.ts";
import { hasOtherTriggers, isConflict } from "./schema.ts";
import {
  countOf,
  INSERT_RECORDS,
  leafOf,
  namesOf,
  type RecordBuffer,
  type Records,
  selectRecords,
  TableBuilder,
} from "./records.ts";

/** Default limit of a wire text, in bytes of UTF-8. */
export const MAX_OPERATION_BYTES: number = 1 << 20;

const SELECT_MISSING = "SELECT value FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM ops WHERE op_id = value)";
/** The `seq` of an operation that is in the log, and what it follows that is not. */
const SELECT_BEFORE = "SELECT (SELECT seq FROM ops WHERE op_id = ?), (SELECT json_group_array(value) FROM " +
  "json_each(?) WHERE NOT EXISTS (SELECT 1 FROM ops WHERE op_id = value))";
const INSERT = "INSERT INTO ops (op_id, type, author, ts, wire) VALUES (?, ?, ?, ?, ?)";
// What @db/sqlite has as `lastInsertRowId` ends at 2^31.
const SELECT_LAST = "SELECT last_insert_rowid()";

const SELECT_PRESENT = "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM ops WHERE op_id = value)";

/** The number of appended ids that are kept in memory. */
const MAX_RECENT = 4096;

const utf8 = new TextEncoder();

/** Operations that were checked, each after those in the batch that it follows. */
export interface Batch extends Records {
  /** Their ids. */
  opIds: string[];
  /** What each follows. */
  prevs: string[][];
}

/** What became of an operation: the `seq` it was appended at, or it is in the log already, or what it follows is missing. */
export type Verdict = number | "known" | { missing: string[] };

/** Appends to one log. */
export class Writer {
  /** The limit of a wire text, in bytes of UTF-8. */
  readonly maxOperationBytes: number;
  readonly #connection: Connection;
  readonly #follower: Follower;
  readonly #changes: Changes;
  readonly #leaf = new Uint8Array(HASH_BYTES);
  /** The ids that were appended last, oldest first: they are in the log and need not be looked up. */
  readonly #recent = new Set<string>();

  /**
   * @param connection The log's file.
   * @param follower Receives every appended operation.
   * @param changes Is notified that the log has changed.
   * @param maxOperationBytes The limit of a wire text, in bytes of UTF-8.
   */
  constructor(connection: Connection, follower: Follower, changes: Changes, maxOperationBytes: number) {
    this.#connection = connection;
    this.#follower = follower;
    this.#changes = changes;
    this.maxOperationBytes = maxOperationBytes;
  }

  /**
   * Refuses an operation that may not be appended, whatever the log holds.
   *
   * @throws {LogError} `too-large`, `invalid-argument`, `bad-address`, `bad-signature`, `bad-body`.
   */
  admit(op: Operation, verify = true): void {
    if (!isOperation(op)) {
      throw new LogError("invalid-argument", "only an Operation can be appended; make one with Operation.parse");
    }
    if (exceedsBytes(op.wire, this.maxOperationBytes)) throw tooLarge(`operation ${op.opId}`, this.maxOperationBytes);
    if (verify) op.verify();
    checkBody(op.type, op.body, op.opId);
  }

  /**
   * Appends an admitted operation, unless it is in the log already. One statement changes the file, so that it needs no
   * transaction around it.
   *
   * @returns Its `seq`.
   * @throws {DanglingReferenceError} Before anything is changed.
   */
  insert(op: Operation, checkPrev = true): number {
    this.#refuseUnwritable();
    const prev = checkPrev ? op.prev : [];
    if (this.#recent.has(op.opId) || !prev.every((id) => this.#recent.has(id))) {
      const query = this.#connection.query(SELECT_BEFORE);
      const [known, missing] = query.value<[number | null, string]>(op.opId, JSON.stringify(prev))!;
      if (known !== null) return this.#confirmed(known);
      if (missing !== "[]") throw new DanglingReferenceError(op.opId, JSON.parse(missing));
    }
    const seq = this.#insertRow(op);
    if (seq === undefined) return this.#confirmed(this.seqOf(op.opId)!);
    this.#remember(op.opId);
    this.#follower.appended([{
      seq,
      opId: op.opId,
      prev: op.prev,
      leaf: textLeafHash(op.wire, this.#leaf),
    }]);
    this.#changes.notify();
    return seq;
  }

  /** The new `seq`; undefined when the operation is in the log already. */
  #insertRow(op: Operation): number | undefined {
    try {
      const inserted = this.#connection.query(INSERT).run(op.opId, op.type, op.author, op.ts, op.wire);
      if (inserted !== 1) throw this.#obstructed();
      return this.#connection.query(SELECT_LAST).value<[number]>()![0];
    } catch (error) {
      if (!isConflict(error) || this.seqOf(op.opId) === undefined) throw error;
    }
  }

  /** The `seq` of an operation that is in the log already. */
  #confirmed(seq: number): number {
    this.#connection.confirm();
    return seq;
  }

  #remember(opId: string): void {
    this.#recent.add(opId);
    if (this.#recent.size > MAX_RECENT) this.#recent.delete(this.#recent.keys().next().value!);
  }

  /** After a rollback: what was appended may not be in the log. */
  #rolledBack(): void {
    this.#recent.clear();
    this.#follower.rolledBack();
  }

  /** The `seq` of an operation, or undefined when the log does not hold it. */
  seqOf(opId: string): number | undefined {
    return seqOf(this.#connection, opId);
  }

  /**
   * Appends a batch of admitted operations in few native calls. Inside {@linkcode Writer.transaction}.
   *
   * @returns What became of each.
   */
  insertBatch(batch: Batch): Verdict[] {
    const { opIds, prevs } = batch;
    const missing = this.#missingFrom(opIds, prevs);
    const isComplete = missing.size === 0;
    // Where nothing is missing, all are new, unless the insertion finds one that is not.
    let verdicts = isComplete ? opIds.map((): Verdict | "new" => "new") : this.#judge(batch, missing);
    if (!this.#insertRecords(batch, indexesOf(verdicts, "new"))) {
      if (isComplete) verdicts = this.#judge(batch, missing);
      const present = this.#present(opIds);
      opIds.forEach((opId, i) => verdicts[i] = verdicts[i] === "new" && present.has(opId) ? "known" : verdicts[i]);
      this.#insertRecords(batch, indexesOf(verdicts, "new"));
    }
    const added = indexesOf(verdicts, "new");
    if (added.length === 0) this.#connection.confirm();
    let seq = lastSeq(this.#connection) - added.length;
    const appended = added.map((i): Appended => {
      verdicts[i] = ++seq;
      return { seq, opId: opIds[i], prev: prevs[i], leaf: leafOf(batch, i) };
    });
    if (appended.length > 0) this.#follower.appended(appended);
    this.#changes.notify();
    return verdicts as Verdict[];
  }

  /**
   * Appends blocks of admitted operations, if all of them are new and follow what is in the log or before them, by one
   * statement that is a transaction of its own. Within a transaction, SQLite copies every page before a statement changes
   * it, as it may have to undo that statement alone.
   *
   * @param records The blocks, each in the order of what its operations follow.
   * @returns The first `seq`, from which all are numbered; undefined, and nothing is changed, when they cannot all be
   * appended, or a transaction is open.
   */
  insertTogether({ whole, parts }: RecordBuffer): number | undefined {
    this.#refuseUnwritable();
    const count = countOf(whole);
    if (count === 0 || !this.#mayCommitAtOnce()) return undefined;
    const { opIds, prevs } = namesOf(whole);
    if (this.#missingFrom(opIds, prevs).size > 0) return undefined;
    if (!this.#runInsert(whole, count)) return undefined;
    const [last] = this.#connection.query(SELECT_LAST).value<[number]>()!;
    this.#follower.committed(appendedOf(parts, last - count), count);
    this.#changes.notify();
    return last - count + 1;
  }

  /**
   * Whether what a statement inserts can be committed with it. Not where another trigger may keep single rows out, which is
   * seen only afterwards; and with a rollback journal a commit that readers hold up would be the whole statement again.
   */
  #mayCommitAtOnce(): boolean {
    return !this.#connection.isInTransaction && this.#connection.journal !== "delete" &&
      !hasOtherTriggers(this.#connection);
  }

  /**
   * Appends admitted operations in few native calls. Inside {@linkcode Writer.transaction}.
   *
   * @param ops Operations that are new, each after those that it follows.
   */
  insertNew(ops: readonly Operation[]): void {
    const bytes = new Uint8Array(ops.reduce((length, { wire }) => length + Buffer.byteLength(wire), 0));
    const table = new TableBuilder();
    let length = 0;
    for (const op of ops) {
      const end = length + utf8.encodeInto(op.wire, bytes.subarray(length)).written;
      table.add(length, end, op, textLeafHash(op.wire, this.#leaf));
      length = end;
    }
    const opIds = ops.map(({ opId }) => opId);
    this.insertBatch({
      bytes: bytes.subarray(0, length),
      table: table.finish(),
      opIds,
      prevs: ops.map(({ prev }) => [...prev]),
    });
  }

  /** What becomes of each operation, as far as the ids tell that are named and `missing`. */
  #judge({ opIds, prevs }: Batch, missing: ReadonlySet<string>): (Verdict | "new")[] {
    const seen = new Set<string>();
    const arrived = new Set<string>();
    return opIds.map((opId, i) => {
      const repeated = arrived.has(opId);
      const absent = prevs[i].filter((id) => !arrived.has(id) && (seen.has(id) || missing.has(id)));
      seen.add(opId);
      // An operation that is in the log already is accepted, whatever it follows.
      if (absent.length > 0 && this.seqOf(opId) === undefined) return { missing: absent };
      arrived.add(opId);
      return repeated ? "known" : "new";
    });
  }

  /** The ids that are named before they come in the batch, and are not in the log. */
  #missingFrom(opIds: string[], prevs: string[][]): Set<string> {
    const named = namedOutside(opIds.map((opId, i) => ({ opId, prev: prevs[i] })));
    if (named.size === 0) return named;
    return new Set(
      this.#connection.query(SELECT_MISSING).values<[string]>(JSON.stringify([...named])).map(([opId]) => opId),
    );
  }

  #present(opIds: string[]): Set<string> {
    return new Set(this.#connection.query(SELECT_PRESENT).values<[string]>(JSON.stringify(opIds)).map(([id]) => id));
  }

  /** Whether the records were inserted; they are not, and nothing is changed, when the log has one of them already. */
  #insertRecords(records: Records, indexes: readonly number[]): boolean {
    if (indexes.length === 0) return true;
    return this.#runInsert(selectRecords(records, indexes), indexes.length);
  }

  #runInsert({ bytes, table }: Records, count: number): boolean {
    try {
      const inserted = this.#connection.query(INSERT_RECORDS).run(bytes, table, table.length);
      if (inserted !== count) throw this.#obstructed();
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  }

  /** The error for a file in which an object that is not the log's keeps rows from being inserted. */
  #obstructed(): FileError {
    const { path } = this.#connection;
    return new FileError(
      "not-a-log",
      path,
      `${path} does not let operations in: look for triggers that are not its own`,
    );
  }

  /** Runs `work` as one transaction: all that it inserts, or nothing. Inside another, as a part that can fail alone. */
  transaction<T>(work: () => T): T {
    this.#refuseUnwritable();
    try {
      return this.#connection.transaction(work);
    } catch (error) {
      this.#rolledBack();
      throw error;
    }
  }

  /** The same for asynchronous work: what else is appended through this connection meanwhile is a part of it. */
  async heldTransaction<T>(work: () => Promise<T>): Promise<T> {
    this.#refuseUnwritable();
    try {
      return await this.#connection.heldTransaction(work);
    } catch (error) {
      this.#rolledBack();
      throw error;
    } finally {
      this.#changes.notify(); // only now what was inserted can be read
    }
  }

  #refuseUnwritable(): void {
    const { path, readonly } = this.#connection;
    if (readonly) {
      throw new FileError("read-only", path, `${path} was opened with readonly; open it without, to append`);
    }
    this.#connection.refuseMoved();
  }
}

/** What was appended from blocks, after a `seq`, a block at a time. */
function* appendedOf(blocks: readonly Records[], seq: number): Generator<Appended[]> {
  for (const block of blocks) {
    const { opIds, prevs } = namesOf(block);
    if (opIds.length > 0) yield opIds.map((opId, i) => ({ seq: ++seq, opId, prev: prevs[i], leaf: leafOf(block, i) }));
  }
}

function indexesOf(verdicts: readonly unknown[], sought: "new"): number[] {
  const indexes: number[] = [];
  verdicts.forEach((verdict, i) => verdict === sought && indexes.push(i));
  return indexes;
}

/** Whether a text has more bytes of UTF-8 than allowed; one UTF-16 unit is at most three. */
function exceedsBytes(text: string, bytes: number): boolean {
  return text.length > bytes || (text.length * 3 > bytes && utf8.encode(text).length > bytes);
}
