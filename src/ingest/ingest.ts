/**
 * Bulk intake of operations that others made: workers check blocks of wire texts in parallel, and one writer appends them
 * in their order, as many as are ready in one transaction.
 *
 * @module
 */

import { DanglingReferenceError, LogError, RefusedError, tooLarge } from "../errors.ts";
import { requireCallback, requireInteger } from "../log/entries.ts";
import { copyRecord, countOf, namesOf, RecordBuffer, type Records } from "../log/records.ts";
import type { Batch, Verdict, Writer } from "../log/writer.ts";
import { type Block, BlockMemory, type IngestSource, type OversizedLine, readBlocks } from "./blocks.ts";
import { type CheckedBlock, type Refusal, refusal } from "./check.ts";
import { CheckQueue } from "./check_queue.ts";
import { afterCommits } from "./failures.ts";
import { CheckPool } from "./pool.ts";
import { type Candidate, MAX_PENDING, type Pending, PendingOperations } from "./pending.ts";

/** Options of an ingest. */
export interface IngestOptions {
  /** All or nothing: the first refusal ends the ingest, and nothing is appended. By default refused ones are skipped. */
  atomic?: boolean;
  /**
   * `"causal"`, the default: the parents of each operation are in the log or before it in the source. `"any"`: an
   * operation that arrives before a parent is pending, in memory, until that arrives.
   */
  order?: "causal" | "any";
  /** With `order: "any"`, the limit of pending operations, 100,000 by default; more are refused. */
  maxWaiting?: number;
  /** The number of workers: one for each core by default, 0 for none. The report does not depend on it. */
  workers?: number;
  /** Called after every transaction, with the report so far. */
  onProgress?: (report: IngestReport) => void;
  /** Called for every refused operation. */
  onRefused?: (refusal: Refusal) => void;
  /**
   * Called once for every operation of the source, after the transaction that decided it; within one transaction in the
   * order of positions. With `atomic`, an operation that is `new` is in the log only once the ingest has succeeded.
   */
  onOutcome?: (outcome: Outcome) => void;
  /** Aborts between two transactions; what was committed stays. */
  signal?: AbortSignal;
}

/**
 * The outcome of one operation of a source. `position` counts from 1: in a stream of bytes, it is the line number.
 *
 * - `new`: it was appended, at `seq`.
 * - `known`: the log held it already.
 * - `refused`: it is not valid, or a parent is missing; `code` says which.
 * - `pending`: with `order: "any"`, the parents in `missing` had not arrived at the end of the source. It was not
 *   appended; the report counts it as refused.
 */
export type Outcome =
  | { readonly position: number; readonly status: "new"; readonly opId: string; readonly seq: number }
  | { readonly position: number; readonly status: "known"; readonly opId: string }
  | { readonly status: "refused" } & Readonly<Refusal>
  | {
    readonly position: number;
    readonly status: "pending";
    readonly opId: string;
    readonly missing: readonly string[];
  };

/** The totals of an ingest. */
export interface IngestReport {
  /** How many were appended. */
  new: number;
  /** How many the log held already. */
  known: number;
  /** How many were refused. */
  refused: number;
  /** The first 1,000 refusals; `onRefused` receives all. */
  refusals: Refusal[];
}

/** Options for sources within the module, which keep a position with the operations. */
export interface IntakeOptions extends IngestOptions {
  /** Called at the end of every transaction, inside it: what it writes is committed with the operations, or not at all. */
  inTransaction?: (written: Written) => void;
}

/** What one transaction of an ingest has decided. */
export interface Written {
  /** How many blocks it took, in the order of the source. */
  readonly blocks: number;
  /** The first `seq` of those it appended; they are consecutive. */
  readonly firstSeq: number;
  /** How many it appended. */
  readonly appended: number;
  /** The ids of operations that the log held already. */
  readonly known: readonly string[];
  /** The refused operations. */
  readonly refusals: readonly Refusal[];
  /** The positions of the operations that are pending after it. */
  readonly pending: readonly number[];
}

const MAX_REPORTED_REFUSALS = 1000;
/** Blocks in a transaction: each transaction rewrites much of the index of ids, so fewer blocks cost more writing. */
const TRANSACTION_BLOCKS = 24;
/** Limit of the texts in a transaction, but for the last block: they are in memory twice. */
const MAX_TRANSACTION_BYTES = 1 << 26;
/** Limit of the checked blocks that wait beside a full transaction while the workers are given more. */
const MAX_CHECKED = 8;
/** At the end of a source, checked blocks are written while the workers check so many more. */
const LAST_BLOCKS = 8;

/** Appends the operations of a source. @see OpLog.ingest */
export async function ingest(writer: Writer, source: IngestSource, options: IngestOptions = {}): Promise<IngestReport> {
  const { workers = 0, order = "causal", maxWaiting = MAX_PENDING } = options;
  requireInteger("workers", workers, 0);
  requireInteger("maxWaiting", maxWaiting, 0);
  requireCallback("onProgress", options.onProgress);
  requireCallback("onRefused", options.onRefused);
  requireCallback("onOutcome", options.onOutcome);
  if (order !== "causal" && order !== "any") {
    throw new LogError("invalid-argument", `order is "causal" or "any", not ${JSON.stringify(order)}`);
  }
  const memory = new BlockMemory();
  return await ingestBlocks(writer, readBlocks(source, writer.maxOperationBytes, memory), options, memory);
}

/**
 * Appends the operations of blocks.
 *
 * @param writer Appends to the log.
 * @param blocks The blocks; undefined asks for a transaction with all that came before.
 * @param options Checked options.
 * @param memory Takes back the memory of written blocks.
 */
export async function ingestBlocks(
  writer: Writer,
  blocks: AsyncIterable<Block | OversizedLine | undefined>,
  options: IntakeOptions,
  memory: BlockMemory = new BlockMemory(),
): Promise<IngestReport> {
  const { workers = navigator.hardwareConcurrency, signal } = options;
  const intake = new Intake(writer, options);
  const pool = new CheckPool(workers, writer.maxOperationBytes);
  const queue = new CheckQueue();
  const write = () => {
    signal?.throwIfAborted();
    intake.write();
  };
  /**
   * Waits until no more than `left` blocks are being checked, and takes those that are checked; writes whenever a
   * transaction is full, once `left` blocks are being checked: while it writes, the workers are given nothing.
   */
  const settle = async (left: number) => {
    while (true) {
      if (!intake.hasRoom) {
        if (queue.unchecked < left && queue.size - queue.unchecked < MAX_CHECKED) return;
        write();
        continue;
      }
      if (queue.unchecked <= left && !queue.isNextChecked) return;
      const checked = await queue.take();
      intake.take(checked);
      memory.give(checked.bytes);
    }
  };
  try {
    for await (const block of blocks) {
      signal?.throwIfAborted();
      if (block === undefined) { // the source is silent: append what has arrived
        await settle(0);
        write();
        continue;
      }
      queue.add("oversized" in block ? oversized(writer.maxOperationBytes) : pool.check(block));
      await settle(pool.depth);
    }
    do {
      await settle(Math.max(0, queue.unchecked - LAST_BLOCKS));
      write();
    } while (queue.size > 0);
    intake.finish();
    return intake.report;
  } finally {
    pool.close();
  }
}

/** The result for a line that was too large to keep. */
function oversized(maxBytes: number): Promise<CheckedBlock> {
  const nothing = { bytes: new Uint8Array(), table: new Uint8Array(), at: new Uint32Array() };
  return Promise.resolve({ ...nothing, positions: 1, refusals: [refusal(1, tooLarge("the operation", maxBytes))] });
}

/** What a transaction has appended, and what the log held already. */
interface Counts {
  new: number;
  known: string[];
  firstSeq: number;
}

/** A checked block, without its records. */
type TakenBlock = Pick<CheckedBlock, "at" | "positions" | "refusals">;

/** What became of the operations of some blocks. */
interface Decided {
  counts: Counts;
  refusals: Refusal[];
}

/** Appends checked blocks and counts. */
class Intake {
  readonly report: IngestReport = { new: 0, known: 0, refused: 0, refusals: [] };
  readonly #writer: Writer;
  readonly #options: IntakeOptions;
  readonly #pending?: PendingOperations;
  /** Outcomes of the open transaction, where the caller asks for outcomes. */
  readonly #outcomes?: Outcome[];
  #blocks: TakenBlock[] = [];
  readonly #records = new RecordBuffer();
  /** Whether the last transaction held nothing that the log had: the next will hardly. */
  #isAllNew = true;
  #position = 0;

  constructor(writer: Writer, options: IntakeOptions) {
    this.#writer = writer;
    this.#options = options;
    if (options.order === "any") this.#pending = new PendingOperations(options.maxWaiting);
    if (options.onOutcome !== undefined) this.#outcomes = [];
  }

  /** Takes a checked block. Its memory may be used again. */
  take({ bytes, table, at, positions, refusals }: CheckedBlock): void {
    this.#records.add({ bytes, table });
    this.#blocks.push({ at, positions, refusals });
  }

  /** Whether the next transaction can take another block. */
  get hasRoom(): boolean {
    return this.#blocks.length < TRANSACTION_BLOCKS && this.#records.length < MAX_TRANSACTION_BYTES;
  }

  /** Appends the blocks that were taken, as one transaction. */
  write(): void {
    const blocks = this.#blocks;
    if (blocks.length === 0) return;
    let written: Decided;
    try {
      written = this.#writeTogether(blocks) ?? this.#writer.transaction(() => this.#writeBlocks(blocks));
    } catch (error) {
      throw this.#options.atomic ? error : afterCommits(error, this.report.new);
    }
    this.#blocks = [];
    this.#records.clear();
    const { counts, refusals } = written;
    this.#isAllNew = counts.known.length === 0;
    this.report.new += counts.new;
    this.report.known += counts.known.length;
    this.#count(refusals);
    if (this.#outcomes !== undefined) {
      const refused = refusals.map((refused): Outcome => ({ status: "refused", ...refused }));
      this.#report([...this.#outcomes.splice(0), ...refused].sort((a, b) => a.position - b.position));
    }
    this.#options.onProgress?.(this.report);
  }

  /** At the end of the source: pending operations are refused. */
  finish(): void {
    const rest = this.#pending?.drain() ?? [];
    const refusals = rest.map(dangling);
    this.#stopIfAtomic(refusals);
    this.#count(refusals);
    const pending = rest.map(({ position, opId, missing }) => ({ position, opId, missing: [...missing] }));
    this.#report(pending.map((operation): Outcome => ({ status: "pending", ...operation })));
  }

  /** Appends blocks as a whole, if that can be: undefined, and nothing is done, when one operation cannot be appended. */
  #writeTogether(blocks: TakenBlock[]): Decided | undefined {
    const mayBeParted = this.#options.inTransaction !== undefined || (this.#pending?.size ?? 0) > 0;
    if (mayBeParted || !this.#isAllNew) return undefined;
    const firstSeq = this.#writer.insertTogether(this.#records);
    if (firstSeq === undefined) return undefined;
    const counts: Counts = { new: 0, known: [], firstSeq };
    const refusals: Refusal[] = [];
    const { parts } = this.#records;
    for (const [n, block] of blocks.entries()) {
      const { base, refused } = this.#place(block);
      refusals.push(...refused);
      const seq = firstSeq + counts.new;
      counts.new += countOf(parts[n]);
      if (this.#outcomes === undefined) continue;
      namesOf(parts[n]).opIds.forEach((opId, i) =>
        this.#outcomes!.push({ position: base + block.at[i], status: "new", opId, seq: seq + i })
      );
    }
    return { counts, refusals };
  }

  /** Appends blocks, one after the other. Inside a transaction. */
  #writeBlocks(blocks: TakenBlock[]): Decided {
    const counts: Counts = { new: 0, known: [], firstSeq: 0 };
    const refusals = this.#records.parts.flatMap((records, i) => this.#writeBlock(blocks[i], records, counts));
    this.#options.inTransaction?.({
      blocks: blocks.length,
      firstSeq: counts.firstSeq,
      appended: counts.new,
      known: counts.known,
      refusals,
      pending: this.#pending?.positions() ?? [],
    });
    return { counts, refusals };
  }

  /** The position before a block, which is the next, and the operations that were refused when it was checked. */
  #place({ positions, refusals }: TakenBlock): { base: number; refused: Refusal[] } {
    const base = this.#position;
    this.#position += positions;
    return { base, refused: refusals.map((refused) => ({ ...refused, position: base + refused.position })) };
  }

  #writeBlock(block: TakenBlock, records: Records, counts: Counts): Refusal[] {
    const { base, refused: refusals } = this.#place(block);
    let arrived: string[] = [];
    const settle = (verdict: Verdict, position: number, opId: string, candidate: () => Candidate) => {
      if (typeof verdict === "object") {
        const early = { ...candidate(), missing: verdict.missing };
        if (this.#pending === undefined) refusals.push(dangling(early));
        else if (!this.#pending.add(early)) refusals.push(this.#pending.full(early));
        return;
      }
      if (this.#pending !== undefined) arrived.push(opId);
      if (verdict === "known") {
        counts.known.push(opId);
        this.#outcomes?.push({ position, status: "known", opId });
      } else {
        if (counts.new++ === 0) counts.firstSeq = verdict;
        this.#outcomes?.push({ position, status: "new", opId, seq: verdict });
      }
    };

    const { opIds, prevs } = namesOf(records);
    const candidate = (i: number): Candidate => (
      { position: base + block.at[i], opId: opIds[i], prev: prevs[i], record: copyRecord(records, i) }
    );
    const verdicts = this.#writer.insertBatch({ ...records, opIds, prevs });
    verdicts.forEach((verdict, i) => settle(verdict, base + block.at[i], opIds[i], () => candidate(i)));
    for (let due = this.#pending?.release(arrived) ?? []; due.length > 0; due = this.#pending!.release(arrived)) {
      arrived = [];
      const verdicts = this.#writer.insertBatch(batchOf(due));
      due.forEach((operation, i) => settle(verdicts[i], operation.position, operation.opId, () => operation));
    }
    refusals.sort((a, b) => a.position - b.position);
    this.#stopIfAtomic(refusals);
    return refusals;
  }

  #stopIfAtomic([first]: Refusal[]): void {
    if (this.#options.atomic && first !== undefined) throw new RefusedError(first);
  }

  /** Counts the refusals of a committed transaction. */
  #count(refusals: Refusal[]): void {
    this.report.refused += refusals.length;
    this.report.refusals.push(...refusals.slice(0, MAX_REPORTED_REFUSALS - this.report.refusals.length));
    refusals.forEach((refused) => this.#options.onRefused?.(refused));
  }

  #report(outcomes: Outcome[]): void {
    outcomes.forEach((outcome) => this.#options.onOutcome?.(outcome));
  }
}

function batchOf(candidates: Candidate[]): Batch {
  const records = new RecordBuffer();
  for (const { record } of candidates) records.add(record);
  return { ...records.whole, opIds: candidates.map(({ opId }) => opId), prevs: candidates.map(({ prev }) => prev) };
}

function dangling({ position, opId, missing }: Pending): Refusal {
  return refusal(position, new DanglingReferenceError(opId, [...missing]));
}
