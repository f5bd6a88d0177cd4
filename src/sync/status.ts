/**
 * The status of a session: its report so far, and where it is.
 *
 * @module
 */

import type { Link } from "./link.ts";
import { countRefusals, type Outgoing } from "./outgoing.ts";
import { type Outcomes, REFUSAL_CODES } from "./messages.ts";
import type { Plan } from "./reconcile.ts";
import type { SyncPhase, SyncReport, SyncStatus, TransferTotals } from "./report.ts";
import type { Transfer } from "./transfer.ts";

const NOTHING: Outcomes = { new: 0, known: 0, pending: 0, refusals: {} };

/** Gathers the status of a session, and reports it. */
export class StatusReporter {
  /** The author id of the peer; empty before it is proved. */
  peer = "";
  /** What the reconciliation has found. */
  plan?: Plan;
  /** The transfer, once it has begun. */
  transfer?: Transfer;
  readonly #link: Link;
  readonly #onStatus?: (status: SyncStatus) => void;
  #phase: SyncPhase = "handshake";

  /**
   * @param link Counts bytes.
   * @param onStatus Receives the status.
   */
  constructor(link: Link, onStatus?: (status: SyncStatus) => void) {
    this.#link = link;
    this.#onStatus = onStatus;
  }

  /** Enters a phase. */
  enter(phase: SyncPhase): void {
    this.#phase = phase;
    this.changed();
  }

  /** Reports the status. */
  changed(): void {
    if (this.#phase === "transfer" && this.transfer?.isFollowing) this.#phase = "follow";
    this.#onStatus?.({ ...this.report(), phase: this.#phase, behind: this.transfer?.behind ?? 0 });
  }

  /** The report so far. */
  report(): SyncReport {
    const { missingHere, missingThere, rounds = 0 } = this.plan ?? {};
    return {
      peer: this.peer,
      sent: sentTotals(this.transfer?.outgoing),
      received: totalsOf(this.transfer?.incoming.operations ?? 0, this.transfer?.incoming.outcomes ?? NOTHING),
      rounds,
      bytesSent: this.#link.bytesSent,
      bytesReceived: this.#link.bytesReceived,
      ...missingHere === undefined ? {} : { missingHere },
      ...missingThere === undefined ? {} : { missingThere },
    };
  }
}

/** With operations that were not sent among those that were refused. */
function sentTotals(outgoing: Outgoing | undefined): TransferTotals {
  if (outgoing === undefined) return totalsOf(0, NOTHING);
  const { operations, outcomes, withheld } = outgoing;
  const refusals = { ...outcomes.refusals };
  for (const code of REFUSAL_CODES) {
    if (withheld[code] !== undefined) refusals[code] = withheld[code] + (refusals[code] ?? 0);
  }
  return totalsOf(operations + countRefusals(withheld), { ...outcomes, refusals });
}

function totalsOf(operations: number, { new: added, known, pending, refusals }: Outcomes): TransferTotals {
  return { operations, new: added, known, refused: countRefusals(refusals), pending, refusals: { ...refusals } };
}
