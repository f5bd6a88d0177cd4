/**
 * Random numbers that a seed repeats: the bytes of SHA-256 over the seed and a counter.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** A repeatable source of random choices. */
export class Random {
  readonly #seed: string;
  #counter = 0;
  #words = new Uint32Array();
  #at = 0;

  /** @param seed Two sources with the same seed give the same choices. */
  constructor(seed: string) {
    this.#seed = seed;
  }

  /** A source of its own, which does not depend on how much of this one was used. */
  fork(name: string | number): Random {
    return new Random(`${this.#seed}/${name}`);
  }

  /** A number from 0 up to, not including, 1. */
  fraction(): number {
    if (this.#at === this.#words.length) {
      const digest = createHash("sha256").update(`${this.#seed}#${this.#counter++}`).digest();
      this.#words = Uint32Array.from({ length: 8 }, (_, i) => digest.readUInt32LE(4 * i));
      this.#at = 0;
    }
    return this.#words[this.#at++] / 2 ** 32;
  }

  /** An integer from 0 up to, not including, `limit`. */
  integer(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  /** An integer from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + this.integer(most - least + 1);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** One of a list. */
  pick<T>(list: readonly T[]): T {
    return list[this.integer(list.length)];
  }

  /** Bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.integer(256));
  }
}
