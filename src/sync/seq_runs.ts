/**
 * A set of ascending `seq` numbers, as runs of consecutive ones: a batch that is appended in one go takes one run.
 *
 * @module
 */

/** Numbers that are added in ascending order, and looked up in ascending order. */
export class SeqRuns {
  /** First and last number of each run. */
  readonly #runs: [first: number, last: number][] = [];

  /** Adds a number that is greater than all before it. */
  add(seq: number): void {
    const last = this.#runs.at(-1);
    if (last !== undefined && last[1] === seq - 1) last[1] = seq;
    else this.#runs.push([seq, seq]);
  }

  /** Whether a number is in the set. Forgets those below it. */
  take(seq: number): boolean {
    while (this.#runs.length > 0 && this.#runs[0][1] < seq) this.#runs.shift();
    return this.#runs.length > 0 && this.#runs[0][0] <= seq;
  }
}
