/**
 * Reconciliation: which operations each side sends. The initiator compares ids with the responder (Negentropy), and
 * tells the plan; when one side has nothing, or the difference is large, both stream everything instead.
 *
 * @module
 */

import { HASH_BYTES } from "../bytes.ts";
import { SyncError } from "../errors.ts";
import { internalsOf, type OpLog } from "../oplog.ts";
import type { Agreement } from "./admission.ts";
import type { SessionLimits } from "./limits.ts";
import type { Link } from "./link.ts";
import { badMessage } from "./fields.ts";
import type { MessageOf } from "./messages.ts";
import { initiate, reconcile, respond } from "./negentropy/negentropy.ts";
import { addIds, idBytes, removePresent, seqsOf } from "./rows.ts";
import { openRanges } from "./store.ts";

/** The limit of a message of ranges that this node writes, in bytes. */
const FRAME_BYTES = 1 << 17;
/** From so many operations on, the first message describes more ranges than elsewhere, which saves a round. */
const MANY_OPERATIONS = 100_000;
const MANY_BUCKETS = 256;
/** Everything is streamed when one side has so many times the operations of the other. */
const STREAM_RATIO = 16;
/** Ids in one message. */
const IDS_PER_MESSAGE = 4096;

/** What this node sends, and expects. */
export interface Plan {
  /** The `seq` numbers of the operations to send, ascending; undefined for all of them. */
  seqs?: Float64Array;
  /** How many operations the peer sends at most; undefined when it streams all that it has. */
  expected?: number;
  /** How many operations this node lacks, as far as it is known. */
  missingHere?: number;
  /** How many operations the peer lacks, as far as it is known. */
  missingThere?: number;
  /** Round trips. */
  rounds: number;
}

/** What both sides of the reconciliation need. */
export interface ReconcileContext {
  /** The link. */
  link: Link;
  /** The log of this node. */
  log: OpLog;
  /** How many operations it holds. */
  operations: number;
  /** What both sides have agreed to. */
  agreement: Agreement;
  /** The limits of this node. */
  limits: SessionLimits;
}

/**
 * Drives the reconciliation.
 *
 * @throws {SyncError} `rate-limited` when it takes more rounds or bytes than are allowed.
 */
export async function planAsInitiator(context: ReconcileContext): Promise<Plan> {
  const { link, log, agreement, limits } = context;
  const budget = new Budget(limits);
  const differences = isStreamed(context) ? undefined : await compare(context, budget);
  const { rounds } = budget;
  if (differences === undefined) {
    await link.send({ kind: "plan", plan: { byIds: false, missingAtInitiator: 0, missingAtResponder: 0 } });
    return { ...missingWhenEmpty(context), rounds };
  }
  const { have, need } = differences;
  const { connection } = internalsOf(log);
  removePresent(connection, need);
  const plan = { byIds: true, missingAtInitiator: need.size, missingAtResponder: have.size };
  await link.send({ kind: "plan", plan });
  if (agreement.receives && !agreement.dryRun) await sendWants(link, [...need]);
  return {
    seqs: seqsOf(connection, have),
    expected: need.size,
    missingHere: need.size,
    missingThere: have.size,
    rounds,
  };
}

/**
 * Answers the initiator.
 *
 * @throws {SyncError} `rate-limited` when it takes more rounds or bytes than are allowed, `bad-message`.
 */
export async function planAsResponder(context: ReconcileContext): Promise<Plan> {
  const { link, log, agreement, limits } = context;
  const budget = new Budget(limits);
  for (;;) {
    const next = await link.expect("ranges", "plan");
    if (next.kind === "plan") return await followPlan(next.plan, budget.rounds);
    budget.countRound();
    budget.countBytes(next.message);
    const reply = openRanges(log).read((ranges) => respond(ranges, next.message, { frameLimit: FRAME_BYTES }));
    budget.countBytes(reply);
    await link.send({ kind: "ranges", message: reply });
  }

  async function followPlan(
    { byIds, missingAtInitiator, missingAtResponder }: MessageOf<"plan">["plan"],
    rounds: number,
  ): Promise<Plan> {
    if (!byIds) return { ...missingWhenEmpty(context), rounds };
    // Operations that were appended meanwhile count, too.
    if (missingAtInitiator > limits.differences || missingAtInitiator > log.lastSeq()) {
      throw badMessage("it lacks more than there is");
    }
    const wanted = agreement.sends && !agreement.dryRun
      ? await receiveWants(link, missingAtInitiator)
      : new Set<string>();
    return {
      seqs: seqsOf(internalsOf(log).connection, wanted),
      expected: missingAtResponder,
      missingHere: missingAtResponder,
      missingThere: missingAtInitiator,
      rounds,
    };
  }
}

/** Whether ids are not worth comparing. A dry run compares them anyway: it is to report the difference. */
function isStreamed({ operations, agreement }: ReconcileContext): boolean {
  const other = agreement.peer.operations;
  const [smaller, larger] = [Math.min(operations, other), Math.max(operations, other)];
  return smaller === 0 || !agreement.dryRun && larger > STREAM_RATIO * smaller;
}

/** When one side has nothing, the other lacks nothing; else the difference is not known. */
function missingWhenEmpty({ operations, agreement }: ReconcileContext): Pick<Plan, "missingHere" | "missingThere"> {
  const other = agreement.peer.operations;
  return operations === 0 || other === 0 ? { missingHere: other, missingThere: operations } : {};
}

/** The ids that only one side has, in hex; undefined when there are more than are reconciled. */
async function compare(
  { link, log, agreement, limits }: ReconcileContext,
  budget: Budget,
): Promise<{ have: Set<string>; need: Set<string> } | undefined> {
  const most = Math.min(limits.differences, agreement.peer.differences);
  const have = new Set<string>();
  const need = new Set<string>();
  let next: Uint8Array<ArrayBuffer> | undefined = openRanges(log).read((ranges) =>
    initiate(ranges, FRAME_BYTES, ranges.size > MANY_OPERATIONS ? MANY_BUCKETS : undefined)
  );
  while (next !== undefined) {
    budget.countRound();
    budget.countBytes(next);
    await link.send({ kind: "ranges", message: next });
    const { message } = await link.expect("ranges");
    budget.countBytes(message);
    const result = openRanges(log).read((ranges) => reconcile(ranges, message, { frameLimit: FRAME_BYTES }));
    for (const id of result.have) addIds(have, id);
    for (const id of result.need) addIds(need, id);
    if (have.size + need.size > most) return undefined;
    next = result.reply;
  }
  return { have, need };
}

async function sendWants(link: Link, ids: readonly string[]): Promise<void> {
  for (let start = 0; start < ids.length; start += IDS_PER_MESSAGE) {
    await link.send({ kind: "wants", ids: idBytes(ids.slice(start, start + IDS_PER_MESSAGE)) });
  }
}

async function receiveWants(link: Link, count: number): Promise<Set<string>> {
  const wanted = new Set<string>();
  for (let received = 0; received < count;) {
    const { ids } = await link.expect("wants");
    received += ids.length / HASH_BYTES;
    if (received > count) throw badMessage("it wants more than it lacks");
    addIds(wanted, ids);
  }
  return wanted;
}

/** Counts rounds and bytes. */
class Budget {
  rounds = 0;
  readonly #limits: SessionLimits;
  #bytes = 0;

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  countRound(): void {
    if (++this.rounds > this.#limits.rounds) throw exceeded(`${this.#limits.rounds} rounds`);
  }

  countBytes({ length }: Uint8Array): void {
    this.#bytes += length;
    if (this.#bytes > this.#limits.reconcileBytes) throw exceeded(`${this.#limits.reconcileBytes} bytes`);
  }
}

function exceeded(limit: string): SyncError {
  const message = `the reconciliation takes more than ${limit}; raise the limit if the logs are that different`;
  return new SyncError("rate-limited", message, { refusedBy: "this node" });
}
