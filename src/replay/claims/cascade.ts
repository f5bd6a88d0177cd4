/**
 * What falls with a refute or a correction.
 *
 * @module
 */

import type { ClaimReader } from "./read.ts";

/** A longer path is recorded by its ends: the paths along a chain would take the square of its length. */
const MAX_PATH = 32;

/** Keeps which claims fell and which rose while state was brought up. */
export class FallRecord {
  readonly #before = new Map<number, boolean>();
  readonly #now = new Map<number, boolean>();

  /** Notes that the claim at a `seq` fell, or that it rose again. */
  note(seq: number, fell: boolean): void {
    if (!this.#before.has(seq)) this.#before.set(seq, !fell);
    this.#now.set(seq, fell);
  }

  /** The `seq` of the claims that stood and have fallen, in that order. */
  fallen(): number[] {
    return [...this.#now].filter(([seq, fell]) => fell && !this.#before.get(seq)).map(([seq]) => seq)
      .sort((a, b) => a - b);
  }
}

/** A path by its first and its last operations, which is all of it where it is short. */
interface Ends {
  head: readonly number[];
  tail: readonly number[];
}

/** The paths along which claims fell, each found once. */
export class FallPaths {
  readonly #reader: ClaimReader;
  readonly #ends = new Map<number, Ends>();

  /** @param reader Claims as they stand. */
  constructor(reader: ClaimReader) {
    this.#reader = reader;
  }

  /** The path to the claim at a `seq`, at most 32 operations: the first and the last half of a longer one. */
  to(seq: number): number[] {
    const below = new Set<number>();
    let at: number | null = seq;
    let ends: Ends | undefined;
    while (at !== null && ends === undefined) {
      ends = this.#ends.get(at);
      if (ends !== undefined) break;
      this.#reader.visit(below, at);
      const fall = this.#reader.fall(at);
      if (fall.via === null) ends = { head: [fall.cause], tail: [] };
      at = fall.via;
    }
    for (const claim of [...below].reverse()) this.#ends.set(claim, ends = extended(ends!, claim));
    return [...ends!.head, ...ends!.tail];
  }
}

function extended({ head, tail }: Ends, claim: number): Ends {
  if (head.length < MAX_PATH / 2) return { head: [...head, claim], tail };
  return { head, tail: [...tail.length < MAX_PATH / 2 ? tail : tail.slice(1), claim] };
}
