/**
 * Fast random numbers that a seed repeats (sfc32, by Chris Doty-Humphrey): a mutation makes some dozens of choices, and
 * there are millions of mutations. The seed comes from the source of the whole run.
 *
 * @module
 */

import type { Random } from "../random.ts";

const WARM_UP = 12;

/** A repeatable source of cheap random choices. */
export class Choices {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param random Gives the seed. */
  constructor(random: Random) {
    [this.#a, this.#b, this.#c] = [0, 0, 0].map(() => random.integer(2 ** 32) | 0);
    for (let n = 0; n < WARM_UP; n++) this.#next();
  }

  /** An integer from 0 up to, not including, `limit`. */
  integer(limit: number): number {
    return Math.floor(this.#next() / 2 ** 32 * limit);
  }

  /** An integer from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + this.integer(most - least + 1);
  }

  /** True once in `times`, on average. */
  once(times: number): boolean {
    return this.integer(times) === 0;
  }

  /** One of a list. */
  pick<T>(list: ArrayLike<T>): T {
    return list[this.integer(list.length)];
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum | 0;
    return sum >>> 0;
  }
}
