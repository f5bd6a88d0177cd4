/**
 * Blocks that are being checked, in the order of their source.
 *
 * @module
 */

import type { CheckedBlock } from "./check.ts";

/** The results of checks, oldest first. */
export class CheckQueue {
  readonly #results: { readonly result: Promise<CheckedBlock>; isChecked: boolean }[] = [];
  #unchecked = 0;

  /** Adds the result of a check that may be in progress. */
  add(result: Promise<CheckedBlock>): void {
    const block = { result, isChecked: false };
    const settled = () => {
      block.isChecked = true;
      this.#unchecked--;
    };
    result.then(settled, settled); // a failure is thrown when its turn comes
    this.#results.push(block);
    this.#unchecked++;
  }

  /** Removes the oldest, and resolves with it. There must be one. */
  take(): Promise<CheckedBlock> {
    return this.#results.shift()!.result;
  }

  /** How many blocks are in it. */
  get size(): number {
    return this.#results.length;
  }

  /** How many blocks of them are not checked yet; one that is taken counts until it is checked. */
  get unchecked(): number {
    return this.#unchecked;
  }

  /** Whether the oldest is checked. */
  get isNextChecked(): boolean {
    return this.#results[0]?.isChecked ?? false;
  }
}
