/**
 * Pending operations: those that arrived before an operation that they follow. They wait for it in memory.
 *
 * @module
 */

import type { Records } from "../log/records.ts";
import type { Refusal } from "./check.ts";

/** A checked operation. */
export interface Candidate {
  /** Its position in the source. */
  position: number;
  /** Its id. */
  opId: string;
  /** The ids of its parents. */
  prev: string[];
  /** A copy of its row: the memory of its block is reused. */
  record: Records;
}

/** A pending operation. */
export interface Pending extends Candidate {
  /** The ids of the parents that were not in the log when it arrived. */
  missing: Iterable<string>;
}

/** Default limit of pending operations. */
export const MAX_PENDING = 100_000;
/** Limit of the rows of all pending operations together, in bytes. */
const MAX_PENDING_BYTES = 1 << 26;

/** Holds a bounded number of operations until all of their parents have arrived. */
export class PendingOperations {
  readonly #limit: number;
  /** By position, as one operation may arrive several times. */
  readonly #pending = new Map<number, Pending & { missing: Set<string> }>();
  /** The positions of the operations that a missing parent holds back, by its id. */
  readonly #byMissing = new Map<string, number[]>();
  #bytes = 0;

  /** @param limit Limit of pending operations. */
  constructor(limit: number = MAX_PENDING) {
    this.#limit = limit;
  }

  /** How many are pending. */
  get size(): number {
    return this.#pending.size;
  }

  /** Adds an operation; false when a limit is reached. */
  add(pending: Pending): boolean {
    if (this.#pending.size >= this.#limit || this.#bytes + sizeOf(pending) > MAX_PENDING_BYTES) return false;
    const missing = new Set(pending.missing);
    this.#pending.set(pending.position, { ...pending, missing });
    this.#bytes += sizeOf(pending);
    for (const id of missing) {
      const positions = this.#byMissing.get(id);
      if (positions === undefined) this.#byMissing.set(id, [pending.position]);
      else positions.push(pending.position);
    }
    return true;
  }

  /** Removes and returns the operations whose last missing parent has arrived, in the order of the source. */
  release(arrived: readonly string[]): Pending[] {
    const due: Pending[] = [];
    for (const id of arrived) {
      for (const position of this.#byMissing.get(id) ?? []) {
        const pending = this.#pending.get(position)!;
        pending.missing.delete(id);
        if (pending.missing.size > 0) continue;
        due.push(pending);
        this.#pending.delete(position);
        this.#bytes -= sizeOf(pending);
      }
      this.#byMissing.delete(id);
    }
    return due.sort((a, b) => a.position - b.position);
  }

  /** The positions of all that are pending. */
  positions(): number[] {
    return [...this.#pending.keys()];
  }

  /** Removes and returns all that are left, in the order of the source. */
  drain(): Pending[] {
    const rest = [...this.#pending.values()].sort((a, b) => a.position - b.position);
    this.#pending.clear();
    this.#byMissing.clear();
    return rest;
  }

  /** The refusal of an operation that a limit keeps out. */
  full({ position, opId }: Pending): Refusal {
    const reason = `operation ${opId} came before what it follows, and no more than ${this.#pending.size} can wait; ` +
      "put the source in order, or raise maxWaiting";
    return { position, code: "waiting-full", reason, opId };
  }
}

function sizeOf({ record: { bytes, table } }: Candidate): number {
  return bytes.length + table.length;
}
