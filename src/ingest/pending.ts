/**
 * Operations that came before what they follow, and wait for it in memory.
 *
 * @module
 */

import type { Records } from "../log/records.ts";
import type { Refusal } from "./check.ts";

/** An operation that was checked, by itself. */
export interface Candidate {
  /** Its place in the source. */
  position: number;
  /** Its id. */
  opId: string;
  /** What it follows. */
  prev: string[];
  /** Its row, in memory of its own: that of its block is used again. */
  record: Records;
}

/** One that waits. */
export interface Waiting extends Candidate {
  /** What it follows that was not in the log when it came. */
  missing: Iterable<string>;
}

/** At most so many wait, unless told. */
export const MAX_WAITING = 100_000;
/** However few they are, what waits has at most so many bytes of rows. */
const MAX_WAITING_BYTES = 1 << 26;

/** Holds a bounded number of operations until what they wait for has arrived. */
export class WaitingRoom {
  readonly #limit: number;
  /** By position: one operation may come several times. */
  readonly #waiting = new Map<number, Waiting & { missing: Set<string> }>();
  /** The positions of those that wait for an id. */
  readonly #awaiting = new Map<string, number[]>();
  #bytes = 0;

  /** @param limit At most so many wait. */
  constructor(limit: number = MAX_WAITING) {
    this.#limit = limit;
  }

  /** Lets an operation wait; false when there is no room. */
  enter(waiting: Waiting): boolean {
    if (this.#waiting.size >= this.#limit || this.#bytes + sizeOf(waiting) > MAX_WAITING_BYTES) return false;
    const missing = new Set(waiting.missing);
    this.#waiting.set(waiting.position, { ...waiting, missing });
    this.#bytes += sizeOf(waiting);
    for (const id of missing) {
      const positions = this.#awaiting.get(id);
      if (positions === undefined) this.#awaiting.set(id, [waiting.position]);
      else positions.push(waiting.position);
    }
    return true;
  }

  /** Those that wait for nothing more after these have arrived, in the order of the source. They leave. */
  release(arrived: readonly string[]): Waiting[] {
    const due: Waiting[] = [];
    for (const id of arrived) {
      for (const position of this.#awaiting.get(id) ?? []) {
        const waiting = this.#waiting.get(position)!;
        waiting.missing.delete(id);
        if (waiting.missing.size > 0) continue;
        due.push(waiting);
        this.#waiting.delete(position);
        this.#bytes -= sizeOf(waiting);
      }
      this.#awaiting.delete(id);
    }
    return due.sort((a, b) => a.position - b.position);
  }

  /** All that still wait, in the order of the source. They leave. */
  leave(): Waiting[] {
    const left = [...this.#waiting.values()].sort((a, b) => a.position - b.position);
    this.#waiting.clear();
    this.#awaiting.clear();
    return left;
  }

  /** What is said of an operation for which there is no room. */
  full({ position, opId }: Waiting): Refusal {
    const reason = `operation ${opId} came before what it follows, and no more than ${this.#waiting.size} can wait; ` +
      "put the source in order, or raise maxWaiting";
    return { position, code: "waiting-full", reason, opId };
  }
}

function sizeOf({ record: { bytes, table } }: Candidate): number {
  return bytes.length + table.length;
}
