/**
 * Taking in many operations that others made: blocks of wire texts are checked by workers, several at a time, and
 * written in their order by one writer, as many as are ready in one transaction.
 *
 * @module
 */

import { DanglingReferenceError, LogError, RefusedError, tooLarge } from "../errors.ts";
import { requireCallback, requireInteger } from "../log/entries.ts";
import { copyRecord, joinRecords, namesOf } from "../log/records.ts";
import type { Batch, Verdict, Writer } from "../log/writer.ts";
import { BlockMemory, type IngestSource, readBlocks } from "./blocks.ts";
import { type CheckedBlock, type Refusal, refusal } from "./check.ts";
import { afterCommits } from "./failures.ts";
import { CheckPool } from "./pool.ts";
import { type Candidate, MAX_WAITING, type Waiting, WaitingRoom } from "./pending.ts";

/** How to take operations in. */
export interface IngestOptions {
  /** All or none: the first that is refused ends it, and nothing is kept. Otherwise what is refused is passed over. */
  atomic?: boolean;
  /**
   * `"causal"`, the default: each operation follows only what is in the log or stands before it in the source.
   * `"any"`: one that comes too early waits, in memory, for what it follows.
   */
  order?: "causal" | "any";
  /** With `order: "any"`, at most so many wait at a time, 100,000 by default; what comes too early then is refused. */
  maxWaiting?: number;
  /** How many workers check: as many as there are cores by default, 0 for none. The report does not depend on it. */
  workers?: number;
  /** Called after every transaction, with the report so far. */
  onProgress?: (report: IngestReport) => void;
  /** Called for every operation that is refused. */
  onRefused?: (refusal: Refusal) => void;
  /**
   * Called once for every operation of the source, after the transaction that decided it; within one transaction in the
   * order of their positions. With `atomic`, what is `new` is in the log only when the ingest has succeeded.
   */
  onOutcome?: (outcome: Outcome) => void;
  /** Ends it between two transactions; what was committed stays. */
  signal?: AbortSignal;
}

/**
 * What became of one operation of a source. `position` counts from 1: of a stream of bytes, it is the line number.
 *
 * - `new`: it entered the log, at `seq`.
 * - `known`: the log had it already.
 * - `refused`: it is not what it claims to be, or follows something that is missing; `code` says which.
 * - `pending`: with `order: "any"`, it still waited at the end of the source for the operations in `missing`. It did not
 *   enter the log; the report counts it as refused.
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

/** What became of the operations of a source. */
export interface IngestReport {
  /** How many entered the log. */
  new: number;
  /** How many were in it already. */
  known: number;
  /** How many were refused. */
  refused: number;
  /** The first 1,000 that were refused; `onRefused` is told of all. */
  refusals: Refusal[];
}

const KEPT_REFUSALS = 1000;
/** So many blocks make a transaction: fewer cost more writing, for every one rewrites much of the index of ids. */
const TRANSACTION_BLOCKS = 40;

/** Takes in what a source holds. @see OpLog.ingest */
export async function ingest(writer: Writer, source: IngestSource, options: IngestOptions = {}): Promise<IngestReport> {
  const { workers = navigator.hardwareConcurrency, order = "causal", maxWaiting = MAX_WAITING, signal } = options;
  requireInteger("workers", workers, 0);
  requireInteger("maxWaiting", maxWaiting, 0);
  requireCallback("onProgress", options.onProgress);
  requireCallback("onRefused", options.onRefused);
  requireCallback("onOutcome", options.onOutcome);
  if (order !== "causal" && order !== "any") {
    throw new LogError("invalid-argument", `order is "causal" or "any", not ${JSON.stringify(order)}`);
  }
  const intake = new Intake(writer, options);
  const pool = new CheckPool(workers, writer.maxOperationBytes);
  const memory = new BlockMemory();
  const underWay: UnderWay[] = [];
  let checked: CheckedBlock[] = [];
  /** Takes the results of all but `left` blocks, in their order, and of those behind them that are there already. */
  const collect = async (left: number) => {
    while (underWay.length > left || underWay[0]?.isDone) checked.push(await underWay.shift()!.result);
  };
  const write = () => {
    signal?.throwIfAborted();
    intake.write(checked);
    for (const { bytes } of checked) memory.give(bytes);
    checked = [];
  };
  try {
    for await (const block of readBlocks(source, writer.maxOperationBytes, memory)) {
      signal?.throwIfAborted();
      if (block === undefined) { // the source makes us wait: what it has given enters meanwhile
        await collect(underWay.length);
        write();
        continue;
      }
      underWay.push(new UnderWay("oversized" in block ? oversized(writer.maxOperationBytes) : pool.check(block)));
      await collect(pool.depth);
      if (checked.length >= TRANSACTION_BLOCKS) write();
    }
    await collect(0);
    write();
    intake.finish();
    return intake.report;
  } finally {
    pool.close();
  }
}

/** A block that is being checked. */
class UnderWay {
  readonly result: Promise<CheckedBlock>;
  isDone = false;

  constructor(result: Promise<CheckedBlock>) {
    this.result = result;
    const done = () => void (this.isDone = true);
    result.then(done, done); // a failure is met when its turn comes
  }
}

/** What stands for a line that was too large to keep. */
function oversized(maxBytes: number): Promise<CheckedBlock> {
  const nothing = { bytes: new Uint8Array(), table: new Uint8Array(), at: new Uint32Array() };
  return Promise.resolve({ ...nothing, positions: 1, refusals: [refusal(1, tooLarge("the operation", maxBytes))] });
}

/** Writes checked blocks, and keeps the report. */
class Intake {
  readonly report: IngestReport = { new: 0, known: 0, refused: 0, refusals: [] };
  readonly #writer: Writer;
  readonly #options: IngestOptions;
  readonly #waiting?: WaitingRoom;
  /** Outcomes of the transaction that is under way, where somebody asks for them. */
  readonly #outcomes?: Outcome[];
  #position = 0;

  constructor(writer: Writer, options: IngestOptions) {
    this.#writer = writer;
    this.#options = options;
    if (options.order === "any") this.#waiting = new WaitingRoom(options.maxWaiting);
    if (options.onOutcome !== undefined) this.#outcomes = [];
  }

  /** Puts blocks into the log, as one transaction. */
  write(blocks: CheckedBlock[]): void {
    if (blocks.length === 0) return;
    const counts = { new: 0, known: 0 };
    let refusals: Refusal[];
    try {
      refusals = this.#writer.transaction(() => blocks.flatMap((block) => this.#writeBlock(block, counts)));
    } catch (error) {
      throw this.#options.atomic ? error : afterCommits(error, this.report.new);
    }
    this.report.new += counts.new;
    this.report.known += counts.known;
    this.#count(refusals);
    if (this.#outcomes !== undefined) {
      const refused = refusals.map((refused): Outcome => ({ status: "refused", ...refused }));
      this.#report([...this.#outcomes.splice(0), ...refused].sort((a, b) => a.position - b.position));
    }
    this.#options.onProgress?.(this.report);
  }

  /** At the end of the source: what still waits will not get what it waits for. */
  finish(): void {
    const waiting = this.#waiting?.leave() ?? [];
    const refusals = waiting.map(dangling);
    this.#stopIfAtomic(refusals);
    this.#count(refusals);
    const pending = waiting.map(({ position, opId, missing }) => ({ position, opId, missing: [...missing] }));
    this.#report(pending.map((waiting): Outcome => ({ status: "pending", ...waiting })));
  }

  #writeBlock(block: CheckedBlock, counts: { new: number; known: number }): Refusal[] {
    const base = this.#position;
    this.#position += block.positions;
    const refusals = block.refusals.map((refused) => ({ ...refused, position: base + refused.position }));
    let arrived: string[] = [];
    const settle = (verdict: Verdict, position: number, opId: string, candidate: () => Candidate) => {
      if (typeof verdict === "object") {
        const waiting = { ...candidate(), missing: verdict.missing };
        if (this.#waiting === undefined) refusals.push(dangling(waiting));
        else if (!this.#waiting.enter(waiting)) refusals.push(this.#waiting.full(waiting));
        return;
      }
      if (this.#waiting !== undefined) arrived.push(opId);
      if (verdict === "known") {
        counts.known++;
        this.#outcomes?.push({ position, status: "known", opId });
      } else {
        counts.new++;
        this.#outcomes?.push({ position, status: "new", opId, seq: verdict });
      }
    };

    const { opIds, prevs } = namesOf(block);
    const candidate = (i: number): Candidate => (
      { position: base + block.at[i], opId: opIds[i], prev: prevs[i], record: copyRecord(block, i) }
    );
    const verdicts = this.#writer.insertBatch({ ...block, opIds, prevs });
    verdicts.forEach((verdict, i) => settle(verdict, base + block.at[i], opIds[i], () => candidate(i)));
    for (let due = this.#waiting?.release(arrived) ?? []; due.length > 0; due = this.#waiting!.release(arrived)) {
      arrived = [];
      const verdicts = this.#writer.insertBatch(batchOf(due));
      due.forEach((waiting, i) => settle(verdicts[i], waiting.position, waiting.opId, () => waiting));
    }
    refusals.sort((a, b) => a.position - b.position);
    this.#stopIfAtomic(refusals);
    return refusals;
  }

  #stopIfAtomic([first]: Refusal[]): void {
    if (this.#options.atomic && first !== undefined) throw new RefusedError(first);
  }

  /** Counts what a committed transaction has refused. */
  #count(refusals: Refusal[]): void {
    this.report.refused += refusals.length;
    this.report.refusals.push(...refusals.slice(0, KEPT_REFUSALS - this.report.refusals.length));
    refusals.forEach((refused) => this.#options.onRefused?.(refused));
  }

  #report(outcomes: Outcome[]): void {
    outcomes.forEach((outcome) => this.#options.onOutcome?.(outcome));
  }
}

function batchOf(candidates: Candidate[]): Batch {
  const records = joinRecords(candidates.map(({ record }) => record));
  return { ...records, opIds: candidates.map(({ opId }) => opId), prevs: candidates.map(({ prev }) => prev) };
}

function dangling({ position, opId, missing }: Waiting): Refusal {
  return refusal(position, new DanglingReferenceError(opId, [...missing]));
}
