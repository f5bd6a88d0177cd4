/**
 * Outgoing operations: rows of the log as messages of some hundred kilobytes, in `seq` order, no more of them in flight
 * than the peer accepts.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Condition } from "./condition.ts";
import type { Link } from "./link.ts";
import { badMessage } from "./fields.ts";
import { encodeOperations, type Outcomes, REFUSAL_CODES, type Terms } from "./messages.ts";

/** The size of a message, in bytes, unless one operation is larger. */
const MESSAGE_BYTES = 1 << 18;

/** A row of the log. */
export type Row = readonly [seq: number, wire: string];

/** Sends operations to a peer. */
export class Outgoing {
  /** Operations that were sent. */
  operations = 0;
  /** Operations that were not sent: too large for the peer's messages, or damaged, so that they would break the lines. */
  readonly withheld: Outcomes["refusals"] = {};
  /** The outcomes that the peer has reported. */
  outcomes: Outcomes = { new: 0, known: 0, pending: 0, refusals: {} };
  readonly #link: Link;
  readonly #peer: Terms;
  readonly #changed: Condition;
  #bytes = 0;
  #takenOperations = 0;
  #takenBytes = 0;

  /**
   * @param link The link.
   * @param peer What the peer accepts.
   * @param changed Reports that the peer has taken operations in.
   */
  constructor(link: Link, peer: Terms, changed: Condition) {
    this.#link = link;
    this.#peer = peer;
    this.#changed = changed;
  }

  /**
   * Sends rows.
   *
   * @param rows The rows, read as they are sent.
   * @param isOver Ends the sending.
   */
  async send(rows: Iterable<Row>, isOver: () => boolean): Promise<void> {
    const { maxMessageBytes, bytesInFlight, operationsInFlight } = this.#peer;
    const most = Math.min(MESSAGE_BYTES, maxMessageBytes - 1, bytesInFlight);
    let wires: string[] = [];
    let bytes = 0;
    for (const [, wire] of rows) {
      const size = Buffer.byteLength(wire) + 1;
      const fault = size > maxMessageBytes - 1 ? "too-large" : !isOneLine(wire) ? "bad-shape" : undefined;
      if (fault !== undefined) {
        this.withheld[fault] = (this.withheld[fault] ?? 0) + 1;
        continue;
      }
      if (wires.length > 0 && (bytes + size > most || wires.length === operationsInFlight)) {
        await this.#push(wires, bytes);
        if (isOver()) return;
        wires = [];
        bytes = 0;
      }
      wires.push(wire);
      bytes += size;
    }
    if (wires.length > 0) await this.#push(wires, bytes);
  }

  /** Sends a message once the peer accepts it. */
  async #push(wires: string[], bytes: number): Promise<void> {
    const { bytesInFlight, operationsInFlight } = this.#peer;
    const inFlight = () => this.operations - this.#takenOperations;
    while (
      inFlight() > 0 &&
      (this.#bytes - this.#takenBytes + bytes > bytesInFlight || inFlight() + wires.length > operationsInFlight)
    ) {
      await this.#changed.wait();
      this.#link.throwIfFailed();
    }
    this.operations += wires.length;
    this.#bytes += bytes;
    await this.#link.sendBytes(encodeOperations(wires, bytes));
  }

  /**
   * Records what the peer has taken in.
   *
   * @returns Whether that is progress.
   * @throws {SyncError} `bad-message` when it is more than was sent, or less than before.
   */
  taken(operations: number, bytes: number, outcomes: Outcomes): boolean {
    if (operations < this.#takenOperations || operations > this.operations) {
      throw badMessage("it took in what was not sent");
    }
    if (bytes < this.#takenBytes || bytes > this.#bytes) throw badMessage("it took in bytes that were not sent");
    const isProgress = this.decided(outcomes) || operations > this.#takenOperations;
    this.#takenOperations = operations;
    this.#takenBytes = bytes;
    return isProgress;
  }

  /**
   * Records the outcomes that the peer has reported.
   *
   * @returns Whether there are new ones.
   * @throws {SyncError} `bad-message` when they are more than was sent, or less than before.
   */
  decided(outcomes: Outcomes): boolean {
    const [before, count] = [countOutcomes(this.outcomes), countOutcomes(outcomes)];
    if (count < before || count > this.operations) throw badMessage("its outcomes are not those of what was sent");
    this.outcomes = outcomes;
    return count > before;
  }

  /** Whether the peer has reported an outcome for all that was sent. */
  get isDecided(): boolean {
    return countOutcomes(this.outcomes) === this.operations;
  }
}

/** Whether a text is one line, as that of every operation is. */
function isOneLine(wire: string): boolean {
  return wire !== "" && !wire.includes("\n") && !wire.includes("\r");
}

/** The number of operations that have an outcome. */
export function countOutcomes({ new: added, known, pending, refusals }: Outcomes): number {
  return added + known + pending + countRefusals(refusals);
}

/** The number of refused operations. */
export function countRefusals(refusals: Outcomes["refusals"]): number {
  return REFUSAL_CODES.reduce((count, code) => count + (refusals[code] ?? 0), 0);
}
