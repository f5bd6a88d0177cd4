/**
 * The operations that were appended through this connection since the last catch-up: projections take them from memory
 * instead of reading them from the file again.
 *
 * @module
 */

import { enlarged, HASH_BYTES } from "../bytes.ts";
import type { Appended } from "../log/appended.ts";

/** What an operation follows. */
export type Link = Pick<Appended, "seq" | "opId" | "prev">;

/** Links, and the leaf hashes of the same operations, one after the other. */
export interface Buffered {
  readonly links: readonly Link[];
  readonly leaves: Uint8Array;
}

/** A buffer of appended operations with consecutive `seq`. */
export class AppendBuffer {
  #links: Link[] = [];
  /** One array: many small ones would be costly garbage. */
  #leaves = new Uint8Array(512 * HASH_BYTES);

  /** The number of buffered operations. */
  get size(): number {
    return this.#links.length;
  }

  /** The `seq` of the last; 0 when it is empty. */
  get last(): number {
    return this.#links.at(-1)?.seq ?? 0;
  }

  /** Adds operations with consecutive `seq`. Where they do not continue those in the buffer, they replace them. */
  add(operations: readonly Appended[]): void {
    if (operations[0].seq !== this.last + 1) this.#links = [];
    for (const { seq, opId, prev, leaf } of operations) {
      const at = this.#links.length * HASH_BYTES;
      this.#leaves = enlarged(this.#leaves, at, at + HASH_BYTES);
      this.#leaves.set(leaf, at);
      this.#links.push({ seq, opId, prev });
    }
  }

  /** Removes all operations. */
  clear(): void {
    this.#links = [];
  }

  /**
   * The operations after a `seq`, up to another; undefined when the buffer does not end with all of them.
   *
   * @param after The `seq` before the first.
   * @param last The last `seq`.
   */
  since(after: number, last: number): Buffered | undefined {
    const start = after + 1 - this.#links[0]?.seq;
    if (!(start >= 0 && this.last === last)) return undefined;
    const leaves = this.#leaves.subarray(start * HASH_BYTES, this.#links.length * HASH_BYTES);
    return { links: this.#links.slice(start), leaves };
  }
}
