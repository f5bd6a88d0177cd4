/**
 * Records in memory.
 *
 * @module
 */

import { addTo, subtractFrom, SUM_BYTES } from "../../sums.ts";
import { type Bound, compareRecords, isBefore, type RecordStorage, type TimedId } from "./storage.ts";

/** One of so many sums of all records before an index is kept. */
const STEP = 64;

/** Sorted records in memory. */
export class MemoryStorage implements RecordStorage {
  readonly #records: readonly TimedId[];
  /** The sums of the ids before every index that is a multiple of `STEP`. */
  readonly #sums: Uint8Array;

  /** @param records The records, in any order; a repeated one counts once. */
  constructor(records: Iterable<TimedId>) {
    const sorted = [...records].sort(compareRecords);
    this.#records = sorted.filter((record, i) => i === 0 || compareRecords(sorted[i - 1], record) !== 0);
    this.#sums = new Uint8Array(SUM_BYTES * (1 + Math.floor(this.#records.length / STEP)));
    const sum = new Uint8Array(SUM_BYTES);
    this.#records.forEach(({ id }, i) => {
      if (i % STEP === 0) this.#sums.set(sum, i / STEP * SUM_BYTES);
      addTo(sum, id);
    });
    if (this.#records.length % STEP === 0) this.#sums.set(sum, this.#sums.length - SUM_BYTES);
  }

  /** @inheritdoc */
  get size(): number {
    return this.#records.length;
  }

  /** @inheritdoc */
  at(index: number): TimedId {
    return this.#records[index];
  }

  /** @inheritdoc */
  lowerBound(bound: Bound, from = 0): number {
    let [begin, end] = [from, this.size];
    while (begin < end) {
      const middle = (begin + end) >>> 1;
      if (isBefore(this.#records[middle], bound)) begin = middle + 1;
      else end = middle;
    }
    return begin;
  }

  /** @inheritdoc */
  *range(begin: number, end: number): Generator<TimedId> {
    for (let index = begin; index < end; index++) yield this.#records[index];
  }

  /** @inheritdoc */
  sum(begin: number, end: number): Uint8Array {
    const sum = this.#sumBefore(end);
    subtractFrom(sum, this.#sumBefore(begin));
    return sum;
  }

  #sumBefore(end: number): Uint8Array {
    const step = Math.floor(end / STEP);
    const sum = this.#sums.slice(step * SUM_BYTES, (step + 1) * SUM_BYTES);
    for (let index = step * STEP; index < end; index++) addTo(sum, this.#records[index].id);
    return sum;
  }
}
