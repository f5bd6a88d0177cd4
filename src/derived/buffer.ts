/**
 * The operations that were appended through this connection since the last catch-up: projections take them from memory
 * instead of reading them from the file again.
 *
 * @module
 */

import type { Appended } from "../log/appended.ts";

/** A buffer of appended operations with consecutive `seq`. */
export class AppendBuffer {
  #operations: Appended[] = [];

  /** The number of buffered operations. */
  get size(): number {
    return this.#operations.length;
  }

  /** Adds operations with consecutive `seq`. Where they do not continue those in the buffer, they replace them. */
  add(operations: readonly Appended[]): void {
    const last = this.#operations.at(-1);
    if (last !== undefined && operations[0].seq !== last.seq + 1) this.#operations = [];
    for (const operation of operations) this.#operations.push(operation);
  }

  /** Removes all operations. */
  clear(): void {
    this.#operations = [];
  }

  /**
   * The operations after a `seq`, up to the end of the log; undefined when the buffer does not hold all of them.
   *
   * @param after The `seq` before the first.
   * @param last The last `seq` of the log.
   */
  since(after: number, last: number): readonly Appended[] | undefined {
    const start = after + 1 - this.#operations[0]?.seq;
    return start >= 0 && this.#operations.at(-1)!.seq === last ? this.#operations.slice(start) : undefined;
  }
}
