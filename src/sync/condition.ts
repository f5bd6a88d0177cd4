/**
 * A condition that tasks of one thread wait for.
 *
 * @module
 */

/** Something that changes now and then. Whoever waits looks again after each change. */
export class Condition {
  #changed = Promise.withResolvers<void>();

  /** Resolves with the next change. */
  wait(): Promise<void> {
    return this.#changed.promise;
  }

  /** Reports a change. */
  notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
