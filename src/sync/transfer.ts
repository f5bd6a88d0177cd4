/**
 * Transfer: operations both ways at once, their outcomes back, and, when both follow, what is appended from then on.
 *
 * Three tasks share the link: one sends operations, one receives messages, one reports outcomes. The first failure ends
 * all of them. What has arrived by then is appended all the same.
 *
 * @module
 */

import { followRanges } from "../log/follow.ts";
import { internalsOf, type OpLog } from "../oplog.ts";
import type { Agreement } from "./admission.ts";
import { Condition } from "./condition.ts";
import { Incoming } from "./incoming.ts";
import type { SessionLimits } from "./limits.ts";
import { type Link, MAX_TIMER_MS } from "./link.ts";
import { badMessage } from "./fields.ts";
import type { Message } from "./messages.ts";
import { Outgoing } from "./outgoing.ts";
import type { Plan } from "./reconcile.ts";
import { listedRows, rangeRows } from "./rows.ts";
import { SeqRuns } from "./seq_runs.ts";

/** Signs of life in the time that the peer waits for one. */
const ALIVE_PER_IDLE = 3;
/** The least time between them, in milliseconds: a peer with a short patience is not to keep this node busy. */
const MIN_ALIVE_MS = 20;

/** What a transfer needs. */
export interface TransferContext {
  /** The link. */
  link: Link;
  /** The log. */
  log: OpLog;
  /** The last `seq` before the reconciliation: what is appended later is followed. */
  lastSeq: number;
  /** What both sides have agreed to. */
  agreement: Agreement;
  /** What each side sends. */
  plan: Plan;
  /** The limits of this node. */
  limits: SessionLimits;
  /** Whose operations are accepted; everyone's by default. */
  acceptAuthor?: (author: string) => boolean;
  /** Called when something was sent, received or decided. */
  onChange: () => void;
}

/** The transfer of one session. */
export class Transfer {
  /** What this node receives. */
  readonly incoming: Incoming;
  /** What this node sends. */
  readonly outgoing: Outgoing;
  readonly #context: TransferContext;
  readonly #changed = new Condition();
  readonly #stop = new AbortController();
  /** Where received operations were appended: they are not sent back. */
  readonly #received = new SeqRuns();
  readonly #sends: boolean;
  readonly #receives: boolean;
  /** How many operations may arrive before the peer has caught up; undefined without a limit. */
  readonly #expected?: number;
  #hasCaughtUp = false;
  #hasEnded = false;
  #peerHasCaughtUp = false;
  #peerHasEnded = false;
  /** Whether the peer has reported the outcomes of all that was sent. */
  #hasTotals = false;
  #isSettled = false;
  #isReportDue = false;

  /** @param context What it needs. */
  constructor(context: TransferContext) {
    const { link, log, agreement, plan, limits, acceptAuthor, onChange } = context;
    this.#context = context;
    this.#sends = agreement.sends && !agreement.dryRun;
    this.#receives = agreement.receives && !agreement.dryRun;
    this.#expected = plan.expected;
    this.outgoing = new Outgoing(link, agreement.peer, this.#changed);
    const isEchoPossible = agreement.follow && this.#sends;
    this.incoming = new Incoming(log, limits, acceptAuthor, {
      onChange: () => {
        this.#isReportDue = true;
        this.#changed.notify();
        onChange();
      },
      onAppended: (seq) => isEchoPossible && this.#received.add(seq),
      onFailure: (error) => link.fail(error),
    });
  }

  /** Operations that are expected and have not arrived. */
  get behind(): number {
    if (!this.#receives || this.#peerHasCaughtUp || this.#peerHasEnded) return 0;
    return Math.max(0, (this.#expected ?? this.#context.agreement.peer.operations) - this.incoming.operations);
  }

  /** Whether both sides have what the other had at the start, and pass on what is appended. */
  get isFollowing(): boolean {
    return this.#hasCaughtUp && this.#peerHasCaughtUp;
  }

  /** Ends a session that follows in good order, and fails another with `reason`. */
  stop(reason: unknown): void {
    if (this.#context.agreement.follow) this.#stop.abort();
    else this.#context.link.fail(reason);
  }

  /** Runs until both sides have all outcomes. */
  async run(): Promise<void> {
    const { link } = this.#context;
    link.onFailure = () => {
      this.#stop.abort();
      this.#changed.notify();
    };
    link.throwIfFailed();
    const alive = this.#startAlive();
    try {
      const tasks = [this.#sendOperations(), this.#receiveMessages(), this.#reportOutcomes()];
      await Promise.all(tasks.map((task) => task.catch((error) => link.fail(error))));
    } finally {
      clearInterval(alive);
    }
    this.incoming.finish();
    await this.incoming.settled().catch((error) => link.fail(error));
    link.throwIfFailed();
  }

  async #sendOperations(): Promise<void> {
    const { link, log, agreement, plan, lastSeq, onChange } = this.#context;
    const { connection, changes } = internalsOf(log);
    const { signal } = this.#stop;
    const isOver = () => signal.aborted;
    if (this.#sends) {
      const { seqs } = plan;
      const rows = seqs === undefined
        ? rangeRows(connection, { after: 0, upTo: lastSeq })
        : listedRows(connection, seqs);
      await this.outgoing.send(rows, isOver);
    }
    if (agreement.follow && !isOver()) {
      await link.send({ kind: "caught-up", operations: this.outgoing.operations });
      this.#hasCaughtUp = true;
      onChange();
      for await (const range of followRanges(connection, changes, lastSeq, signal)) {
        if (!this.#sends) continue;
        const rows = rangeRows(connection, range).filter(([seq]) => !this.#received.take(seq));
        await this.outgoing.send(rows, isOver);
      }
    }
    link.throwIfFailed();
    this.#hasEnded = true;
    await link.send({ kind: "end", operations: this.outgoing.operations });
  }

  async #receiveMessages(): Promise<void> {
    const { link, onChange } = this.#context;
    while (!this.#hasTotals || !this.#peerHasEnded) {
      if (this.#handle(await link.receive())) link.progress();
      onChange();
    }
  }

  /** Handles a message; returns whether it is progress. */
  #handle(message: Message): boolean {
    const { agreement } = this.#context;
    switch (message.kind) {
      case "operations":
        this.#receiveOperations(message.lines);
        return true;
      case "outcomes": {
        const isProgress = this.outgoing.taken(message.operations, message.bytes, message.outcomes);
        this.#changed.notify();
        return isProgress;
      }
      case "caught-up":
        this.#requirePhase(agreement.follow && !this.#peerHasCaughtUp && !this.#peerHasEnded, message);
        this.#requireCount(message.operations);
        this.#peerHasCaughtUp = true;
        this.incoming.follow();
        return true;
      case "end":
        this.#requirePhase(!this.#peerHasEnded, message);
        this.#requireCount(message.operations);
        this.#endPeer();
        return true;
      case "totals":
        this.#requirePhase(this.#hasEnded && !this.#hasTotals, message);
        this.#hasTotals = true;
        this.outgoing.decided(message.outcomes);
        if (!this.outgoing.isDecided) throw badMessage("its totals are not those of what was sent");
        return true;
      case "alive":
        this.#requirePhase(this.#peerHasCaughtUp && !this.#peerHasEnded, message);
        return true;
      default:
        throw badMessage(`${message.kind} came during the transfer`);
    }
  }

  #receiveOperations(lines: Uint8Array<ArrayBuffer>): void {
    if (!this.#receives || this.#peerHasEnded) throw badMessage("it sends operations that nobody asked for");
    this.incoming.receive(lines);
    if (!this.#peerHasCaughtUp && this.incoming.operations > (this.#expected ?? Infinity)) {
      throw badMessage("it sends more operations than were missing");
    }
  }

  /** The peer sends no more operations: when all have an outcome, it gets the totals. In a session that follows, this
   * node ends, too. */
  #endPeer(): void {
    const { link, agreement } = this.#context;
    this.#peerHasEnded = true;
    this.incoming.finish();
    this.incoming.settled().then(() => {
      this.#isSettled = true;
      this.#changed.notify();
    }, (error) => link.fail(error));
    if (agreement.follow) this.#stop.abort();
  }

  async #reportOutcomes(): Promise<void> {
    const { link } = this.#context;
    const { incoming } = this;
    while (!this.#isSettled) {
      if (this.#isReportDue) {
        this.#isReportDue = false;
        const { takenOperations: operations, takenBytes: bytes, outcomes } = incoming;
        await link.send({ kind: "outcomes", operations, bytes, outcomes });
      } else {
        await this.#changed.wait();
        link.throwIfFailed();
      }
    }
    await link.send({ kind: "totals", outcomes: incoming.outcomes });
  }

  /** While nothing is appended, the peer is told that this node is still there. */
  #startAlive(): ReturnType<typeof setInterval> | undefined {
    const { link, agreement: { follow, peer } } = this.#context;
    if (!follow) return undefined;
    return setInterval(() => {
      if (this.#hasCaughtUp && !this.#hasEnded) link.send({ kind: "alive" }).catch((error) => link.fail(error));
    }, Math.min(Math.max(MIN_ALIVE_MS, peer.idleMs / ALIVE_PER_IDLE), MAX_TIMER_MS));
  }

  #requireCount(operations: number): void {
    if (operations !== this.incoming.operations) throw badMessage("it counts other operations than it has sent");
  }

  #requirePhase(isInPhase: boolean, { kind }: Message): void {
    if (!isInPhase) throw badMessage(`${kind} came in another phase than its own`);
  }
}
