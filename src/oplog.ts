/**
 * The log: signed operations in one SQLite file, append-only.
 *
 * @module
 */

import { LogError, NotFoundError } from "./errors.ts";
import type { Signer } from "./keys/signer.ts";
import { MAX_PREV } from "./wire/envelope.ts";
import { Operation, type OperationDraft } from "./wire/operation.ts";
import type { Connection } from "./sqlite/connection.ts";
import { damaged } from "./sqlite/failures.ts";
import { PageCache } from "./log/cache.ts";
import { Changes } from "./log/changes.ts";
import {
  countBytes,
  type EntriesOptions,
  isIterable,
  lastOpId,
  lastSeq,
  readEntries,
  requireCallback,
  requireInteger,
  requireObject,
  requireText,
  rowOf,
} from "./log/entries.ts";
import { followEntries, type FollowOptions } from "./log/follow.ts";
import { openLog, type OpenOptions } from "./log/open.ts";
import { resolveAuthor, resolveOperation } from "./log/resolve.ts";
import type { LogStats } from "./log/stats.ts";
import { Writer } from "./log/writer.ts";
import type { IngestSource } from "./ingest/blocks.ts";
import { ingest, type IngestOptions, type IngestReport } from "./ingest/ingest.ts";
import { children, selectChildren } from "./derived/children.ts";
import { counts, selectCounts } from "./derived/counts.ts";
import { depths } from "./derived/depths.ts";
import { heads, selectDeepestHeads, selectHeads } from "./derived/heads.ts";
import { Projections } from "./derived/engine.ts";
import { decodeStored } from "./derived/read.ts";
import { countOperations } from "./derived/size.ts";
import type { Projection } from "./derived/projection.ts";
import { project, replay } from "./derived/state.ts";
import { selectParts, times } from "./derived/times.ts";
import { BULK_FOLLOWERS, FOLLOWERS, REBUILT } from "./built_in.ts";
import { Claims } from "./claims/claims.ts";
import { Proofs } from "./checkpoints/proofs.ts";
import { definitionOf } from "./audit/expected_schema.ts";

/** What an append checks: both by default. For operations that the caller has just checked. */
export interface AppendOptions {
  /** Checks content address and signature. */
  verify?: boolean;
  /** Checks that every `prev` is in the log. */
  checkPrev?: boolean;
}

/** The parts of an open log that rooms above the facade use: synchronization and streams. */
export interface Internals {
  /** The connection to the file. */
  readonly connection: Connection;
  /** The projection engine. */
  readonly projections: Projections;
  /** Appends and begins transactions. */
  readonly writer: Writer;
  /** Reports that the file may have changed. */
  readonly changes: Changes;
}

/** The parts of an open log. It is not exported from `mod.ts`. */
export let internalsOf: (log: OpLog) => Internals;

/** An operation and its place in the log. */
export interface Entry {
  /** Its position in this log: greater than that of everything it follows. */
  seq: number;
  /** The operation. */
  op: Operation;
}

/**
 * A log of operations in one SQLite file. The database itself refuses UPDATE, DELETE and REPLACE; every operation is
 * verified before it is appended; everything it follows is in the log before it; appending it again changes nothing.
 *
 * Every method but `ingest` and `follow` is synchronous. Several processes and workers may open one file.
 *
 * @example
 * ```ts
 * import { Identity, OpLog } from "@mnema/oplog";
 * import { assertEquals } from "@std/assert";
 *
 * using log = OpLog.open(); // in memory; name a file to keep it
 * const alice = Identity.generate();
 * const first = log.record(alice, "note", { text: "tea at four" });
 * const second = log.record(alice, "note", { text: "moved to five" });
 * assertEquals(second.prev, [first.opId]);
 * assertEquals(log.heads(), [second.opId]);
 * for (const { seq, op } of log.entries()) console.log(seq, op.type, op.body);
 * ```
 */
export class OpLog implements Disposable {
  readonly #path: string | URL;
  readonly #options: OpenOptions;
  readonly #connection: Connection;
  readonly #cache: PageCache;
  readonly #changes: Changes;
  readonly #projections: Projections;
  readonly #writer: Writer;
  /** Claims: status, explanation, refutation. */
  readonly claims: Claims;
  /** Signed checkpoints, and proofs of what they say. */
  readonly proofs: Proofs;
  #closed = false;
  /** The last operation that was recorded after everything: while the log ends with it, it is the only head. */
  #onlyHead?: { seq: number; opId: string };

  static {
    internalsOf = (log) => ({
      connection: log.#connection,
      projections: log.#projections,
      writer: log.#writer,
      changes: log.#changes,
    });
  }

  private constructor(path: string | URL, options: OpenOptions, connection: Connection, maxOperationBytes: number) {
    this.#path = path;
    this.#options = options;
    this.#connection = connection;
    this.#cache = new PageCache(connection);
    this.#changes = new Changes(connection.path);
    this.#projections = new Projections(connection, FOLLOWERS, BULK_FOLLOWERS);
    this.#writer = new Writer(connection, this.#projections, this.#changes, maxOperationBytes);
    this.claims = new Claims(connection, this.#projections, {
      record: (...operation) => this.record(...operation),
      appendNew: (ops) => {
        for (const op of ops) this.#writer.admit(op);
        this.#writer.insertNew(ops);
      },
      heads: (limit) => this.heads(limit, { by: "depth" }),
      transaction: (work) => this.#writer.transaction(work),
    });
    this.proofs = new Proofs(connection, this.#projections, (work) => this.#writer.transaction(work));
  }

  /**
   * Opens a log, and makes it when there is none. Before any native code touches the file, Deno is asked for read and
   * write permission on it and on `-wal`, `-shm` and `-journal` beside it. What is not a regular file is refused, and a
   * journal that names another file; for writing, so is a file whose schema would run code as rows are written that the
   * log did not create. A new file can be read by its owner alone.
   *
   * @param path A file, or `":memory:"` for a log that is gone when it is closed.
   * @param options How to open it.
   * @throws {Deno.errors.NotCapable} When a permission is denied; no file is made.
   * @throws {FileError} `missing-folder`, `missing-file`, `is-a-folder`, `not-a-file`, `not-a-database`, `not-a-log`,
   * `super-journal`, `read-only`, `locked`, `disk-full`, `corrupt`, `io`. The file is left as it was.
   * @throws {LogError} `invalid-argument`, `no-sqlite`, `old-sqlite`.
   */
  static open(path: string | URL = ":memory:", options: OpenOptions = {}): OpLog {
    const { connection, maxOperationBytes } = openLog(path, options, definitionOf);
    return new OpLog(path, options, connection, maxOperationBytes);
  }

  /**
   * Appends one operation.
   *
   * @param op The operation.
   * @param options Which checks to make.
   * @returns Its `seq`: a new one, or the one it has when it is in the log already.
   * @throws {OperationError} `bad-address`, `bad-signature`.
   * @throws {DanglingReferenceError} When a `prev` is not in the log.
   * @throws {LogError} `too-large`, `closed`.
   * @throws {FileError} `locked`, `read-only`, `disk-full`, `io`; `missing-file` when the file was removed or replaced
   * while it was open: the log is as it was.
   */
  append(op: Operation, options: AppendOptions = {}): number {
    const { verify, checkPrev } = requireOptions(options);
    this.#writer.admit(op, verify);
    return this.#writer.insert(op, checkPrev);
  }

  /**
   * Appends operations as one transaction: all of them, or, when one is refused, none.
   *
   * @param ops The operations, in an order in which each follows only what is in the log or comes before it.
   * @param options Which checks to make.
   * @returns The `seq` of each.
   * @throws As {@linkcode OpLog.append}.
   */
  appendAll(ops: Iterable<Operation>, options: AppendOptions = {}): number[] {
    const { verify, checkPrev } = requireOptions(options);
    if (!isIterable(ops)) throw new LogError("invalid-argument", "operations to append are a list; one goes to append");
    const batch = [...ops];
    // Checked before the write lock is taken: others can write meanwhile.
    for (const op of batch) this.#writer.admit(op, verify);
    return this.#writer.transaction(() => batch.map((op) => this.#writer.insert(op, checkPrev)));
  }

  /**
   * Appends many operations from their wire texts: verifies each, and appends it unless it is rejected or known. Commits
   * some thousands at a time; after an interruption, the same ingest again finishes it. Workers check signatures while
   * other operations are written. Memory does not grow with the source.
   *
   * @param source Wire texts, or operations, or a stream of bytes that holds wire texts as JSON lines; each follows only
   * what is in the log or comes before it, unless `order` is `"any"`.
   * @param options All or none, order, workers, progress, abort.
   * @returns How many were new, known and rejected.
   * @throws {RefusedError} With `atomic`, when one is rejected.
   * @throws {LogError} `worker-failed` when a worker died; `invalid-argument` when it is not such a source, or
   * yields something else.
   * @throws {FileError} `locked`, `read-only`, `disk-full`, `io`: what was committed stays, unless
   * `atomic`.
   *
   * @example
   * ```ts
   * import { Identity, OpLog } from "@mnema/oplog";
   * import { assertEquals } from "@std/assert";
   *
   * using home = OpLog.open();
   * home.record(Identity.generate(), "note", { text: "tea at four" });
   * using elsewhere = OpLog.open();
   * const report = await elsewhere.ingest(home.entries().map(({ op }) => op.wire));
   * assertEquals([report.new, report.known, report.refused], [1, 0, 0]);
   * assertEquals(elsewhere.heads(), home.heads());
   * ```
   */
  async ingest(source: IngestSource, options: IngestOptions = {}): Promise<IngestReport> {
    return await this.#cache.limited(() => this.#ingest(source, options));
  }

  async #ingest(source: IngestSource, options: IngestOptions): Promise<IngestReport> {
    if (!requireOptions(options).atomic) return await ingest(this.#writer, source, options);
    // A separate connection: what else is appended meanwhile is not a part of the transaction. It is to the same file.
    this.#connection.refuseMoved();
    using separate = this.#path === ":memory:"
      ? undefined
      : OpLog.open(this.#path, { ...this.#options, create: false });
    const writer = (separate ?? this).#writer;
    return await writer.heldTransaction(() => ingest(writer, source, options));
  }

  /**
   * Creates, signs and appends an operation. Without `prev` it follows everything in the log: the heads, and of more
   * than 1,024 the deepest, so that it comes after everything in the order of replay.
   *
   * @param signer Who signs it: an `Identity`.
   * @param type Lower-case words joined by dots.
   * @param body Its content.
   * @param options `prev`, and `ts` in Unix milliseconds (now by default).
   * @returns The operation.
   * @throws As {@linkcode Operation.create} and {@linkcode OpLog.append}.
   */
  record(
    signer: Signer,
    type: string,
    body: OperationDraft["body"],
    options: Pick<OperationDraft, "prev" | "ts"> = {},
  ): Operation {
    const { prev: given, ts } = requireOptions(options);
    return this.#writer.transaction(() => {
      const prev = given === undefined ? this.#headsToFollow() : given;
      const op = this.#connection.callOut("a signer", () => Operation.create({ type, body, prev, ts }, signer));
      this.#writer.admit(op);
      const seq = this.#writer.insert(op);
      // Of so many heads, some may not be among them.
      if (given === undefined && prev.length < MAX_PREV) this.#onlyHead = { seq, opId: op.opId };
      return op;
    });
  }

  /** The heads that a new operation follows. Those of a log that ends with its only head need not be caught up. */
  #headsToFollow(): string[] {
    const { seq, opId } = this.#onlyHead ?? {};
    const isOnly = opId !== undefined && lastSeq(this.#connection) === seq && lastOpId(this.#connection) === opId;
    return isOnly ? [opId] : this.heads(MAX_PREV, { by: "depth" });
  }

  /**
   * The `seq` of an operation, or undefined when the log does not hold it.
   *
   * @param opId A whole id.
   */
  seqOf(opId: string): number | undefined {
    requireText("an id", opId);
    return this.#writer.seqOf(opId);
  }

  /**
   * Whether the log holds an operation.
   *
   * @param opId A whole id.
   */
  has(opId: string): boolean {
    return this.seqOf(opId) !== undefined;
  }

  /**
   * An operation by its id. Once a thousand were asked for, SQLite may cache 256 MiB of the log instead of 32, except
   * during an ingest.
   *
   * @param opId A whole id; {@linkcode OpLog.resolve} makes one from an abbreviated one.
   * @throws {NotFoundError} When the log does not hold it.
   */
  get(opId: string): Operation {
    requireText("an id", opId);
    this.#cache.lookedUp();
    const row = rowOf(this.#connection, opId);
    if (row === undefined) throw new NotFoundError(opId);
    const op = decodeStored(this.#connection.path, ...row);
    if (op.opId !== opId) throw damaged(this.#connection.path, `the row of ${opId} holds operation ${op.opId}`);
    return op;
  }

  /**
   * The ids of an operation's children, those that name it in `prev`. They are sorted, and so the same on every node that
   * holds the same operations.
   *
   * @param opId A whole id.
   * @throws {NotFoundError} When the log does not hold it.
   */
  children(opId: string): string[] {
    requireText("an id", opId);
    const isEmpty = this.#projections.prepare(children) === 0;
    const seq = this.seqOf(opId);
    if (seq === undefined) throw new NotFoundError(opId);
    return isEmpty ? [] : selectChildren(this.#connection, seq);
  }

  /**
   * The whole id of the operation that an abbreviated one means.
   *
   * @param abbreviated The start of an id, such as `op_5b96`; an ellipsis after it is ignored.
   * @throws {NotFoundError} When no operation has such an id.
   * @throws {AmbiguousIdError} When several have; it names some of them.
   * @throws {LogError} `invalid-argument` when it is not the start of an id.
   */
  resolve(abbreviated: string): string {
    return resolveOperation(this.#connection, abbreviated);
  }

  /**
   * The whole id of the author that an abbreviated one means, of those who signed something in the log.
   *
   * @param abbreviated The start of an author id, such as `mnk_8a88`; an ellipsis after it is ignored.
   * @throws {LogError} `not-found` when the log holds nothing by such an author; `invalid-argument` when it is not the
   * start of an author id.
   * @throws {AmbiguousIdError} When several authors have such an id; it names some of them.
   */
  resolveAuthor(abbreviated: string): string {
    return resolveAuthor(this.#connection, abbreviated);
  }

  /** Limit of the wire text of an operation that is appended, in bytes of UTF-8. */
  get maxOperationBytes(): number {
    return this.#writer.maxOperationBytes;
  }

  /** How many operations the log holds. Costs a look at those that were appended last. */
  get size(): number {
    return countOperations(this.#connection);
  }

  /** The `seq` of the operation that was appended last; 0 in an empty log. */
  lastSeq(): number {
    return lastSeq(this.#connection);
  }

  /**
   * The id of the operation that was appended last; undefined in an empty log.
   *
   * @throws {FileError} `corrupt` when it is not text.
   */
  lastOpId(): string | undefined {
    return lastOpId(this.#connection);
  }

  /**
   * The ids of the heads, every operation that no other names in `prev`. They are sorted, and so the same on every node
   * that holds the same operations.
   *
   * @param limit The most ids to return.
   * @param options Which of more than `limit` heads: by `seq`, the default, those that were appended last; by `depth` the
   * deepest, of equal depth those with the smallest ids, which are the same on every node too.
   * @throws {FileError} `derived-damaged` when their table is damaged: {@linkcode OpLog.rebuild} rebuilds it.
   */
  heads(limit: number = Number.MAX_SAFE_INTEGER, options: { by?: "seq" | "depth" } = {}): string[] {
    requireInteger("limit", limit, 0);
    const { by = "seq" } = options;
    if (by !== "seq" && by !== "depth") {
      throw new LogError("invalid-argument", `heads are chosen by "seq" or "depth", not ${JSON.stringify(by)}`);
    }
    if (this.#projections.prepare(heads) === 0) return [];
    const ids = selectHeads(this.#connection, by === "seq" ? limit : Math.min(limit, Number.MAX_SAFE_INTEGER - 1) + 1);
    if (by === "seq" || ids.length <= limit) return ids.sort();
    this.#projections.prepare(heads, depths);
    return selectDeepestHeads(this.#connection, limit).sort();
  }

  /**
   * Reads operations in the order of their `seq`, as the log is at the call: what is appended later is not among
   * them, and appending meanwhile is safe. Memory does not grow with the log.
   *
   * @param options Which operations, and in which order.
   * @throws {LogError} `invalid-argument`.
   *
   * @example
   * ```ts
   * import { Identity, OpLog } from "@mnema/oplog";
   * import { assertEquals } from "@std/assert";
   *
   * using log = OpLog.open();
   * const alice = Identity.generate();
   * for (let n = 1; n <= 5; n++) log.record(alice, "count", { n });
   * const last = [...log.entries({ types: ["count"], reverse: true, limit: 2 })];
   * assertEquals(last.map(({ seq, op }) => [seq, op.body]), [[5, { n: 5 }], [4, { n: 4 }]]);
   * ```
   */
  entries(options: EntriesOptions = {}): IteratorObject<Entry> {
    requireObject("options", options);
    const { fromTs, untilTs } = options;
    if (fromTs === undefined && untilTs === undefined) return readEntries(this.#connection, options, this.#entry);
    const last = this.#projections.prepare(times);
    const parts = last === 0 ? [] : selectParts(this.#connection, fromTs ?? 0, untilTs ?? Number.MAX_SAFE_INTEGER);
    return readEntries(this.#connection, options, this.#entry, last, parts);
  }

  /**
   * Follows the log: an async iterator of operations in the order of their `seq`, that waits at the end for what is
   * appended next, by this process or by any other. While nothing is appended it costs next to nothing. It ends when
   * `signal` aborts, when the log is closed, or when the loop is left.
   *
   * @param options After which `seq` to begin, which operations, and the signal that ends it.
   * @throws {LogError} `invalid-argument`.
   *
   * @example
   * ```ts
   * import { Identity, OpLog } from "@mnema/oplog";
   * import { assertEquals } from "@std/assert";
   *
   * using log = OpLog.open();
   * const alice = Identity.generate();
   * log.record(alice, "note", { text: "tea at four" });
   * setTimeout(() => log.record(alice, "note", { text: "moved to five" }));
   *
   * const texts: unknown[] = [];
   * for await (const { op } of log.follow({ sinceSeq: 0 })) {
   *   if (texts.push(op.body.text) === 2) break;
   * }
   * assertEquals(texts, ["tea at four", "moved to five"]);
   * ```
   */
  follow(options: FollowOptions = {}): AsyncGenerator<Entry, void, undefined> {
    return followEntries(this.#connection, this.#changes, options, this.#entry);
  }

  /** Decodes a row. */
  readonly #entry = (seq: number, wire: string): Entry => ({ seq, op: decodeStored(this.#connection.path, seq, wire) });

  /**
   * Every operation of a type, oldest first.
   *
   * @param type The type.
   */
  byType(type: string): Operation[] {
    return [...this.entries({ types: [type] })].map(({ op }) => op);
  }

  /**
   * Folds a projection over the whole log, in memory.
   *
   * @param projection What to fold.
   * @throws {LogError} `invalid-argument` for a projection that is not well-formed.
   */
  replay<State>(projection: Projection<State>): State {
    return replay(this.#connection, this.#projections, projection);
  }

  /**
   * The state of a projection, stored in a table beside the log: only new operations are replayed, or all of them when
   * the version of the projection has changed, or on request. Costs reading the state; a readonly log catches up in
   * memory. A step cannot use the log. What a step throws is thrown as it is, and the stored state stays as it was.
   *
   * @param projection What to fold; its state must be JSON.
   * @param options `rebuild` replays all operations, in one transaction.
   * @throws {LogError} `invalid-argument` for a projection that is not well-formed, or a state that is not JSON;
   * `too-large` for a state of more than 16,777,216 characters of JSON: the stored state stays as it was.
   * @throws {FileError} `derived-damaged` when the stored state is damaged: `rebuild` replaces it.
   */
  project<State>(projection: Projection<State>, options: { rebuild?: boolean } = {}): State {
    return project(this.#connection, this.#projections, projection, requireOptions(options).rebuild);
  }

  /**
   * Rebuilds everything that is derived from the log: heads, Merkle tree and claims in one transaction, other projections
   * when they are next read. Nothing is lost.
   *
   * @param onProgress Called now and then with how many operations were replayed, and of how many.
   * @throws {FileError} `locked`, `read-only`, `disk-full`, `io`: everything is as it was.
   */
  rebuild(onProgress?: (done: number, total: number) => void): void {
    requireCallback("onProgress", onProgress);
    this.#writer.transaction(() => {
      this.#projections.discardAll();
      this.#projections.rebuild(REBUILT, onProgress);
    });
  }

  /**
   * Counts what the log holds. The counts are stored beside the log and caught up: only the first call reads all of it. A
   * log that was opened with `readonly` before they were stored counts in memory, once while it is open.
   *
   * @throws {FileError} `derived-damaged` when their table is damaged: {@linkcode OpLog.rebuild} rebuilds it.
   */
  stats(): LogStats {
    const bytes = () => countBytes(this.#connection);
    if (this.#projections.prepare(counts) === 0) return { operations: 0, types: {}, authors: {}, bytes: bytes() };
    return this.#connection.snapshot(() => ({ ...selectCounts(this.#connection), bytes: bytes() }));
  }

  /** Closes the log; a second time does nothing. `using log = …` does it at the end of the block. */
  close(): void {
    if (this.#closed) return;
    this.#connection.refuseCaller();
    this.#closed = true;
    try {
      this.#projections.flush();
    } finally {
      this.#connection.close();
      this.#changes.notify(); // ends every follow()
    }
  }

  /** The same as {@linkcode OpLog.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function requireOptions<Options extends object>(options: Options): Options {
  requireObject("options", options);
  return options;
}
