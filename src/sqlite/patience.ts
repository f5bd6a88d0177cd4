/**
 * Waits for locks that other connections hold. SQLite waits by itself, but ever longer between two attempts, up to 100 ms.
 * A lock that many want is free for less than a millisecond at a time, so that one of them may not get it for many seconds.
 * So SQLite waits for a short time, and is called again until the time is over.
 *
 * @module
 */

/** The `busy_timeout`: SQLite makes five attempts in it. */
const SQLITE_WAIT_MS = 18;
/** A pause where SQLite does not wait, as for a change of the journal mode. */
const PAUSE_MS = 2;

const never = new Int32Array(new SharedArrayBuffer(4));

/** How long a connection waits for locks. */
export class Patience {
  readonly #milliseconds: number;
  #isOff = false;

  /** @param milliseconds How long; 0 for not at all. */
  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  /** The `busy_timeout` that goes with it. */
  get sqliteWaitMs(): number {
    return this.#isOff ? 0 : Math.min(this.#milliseconds, SQLITE_WAIT_MS);
  }

  /** Does not wait, until it is called with `false`. */
  suspend(isOff: boolean): void {
    this.#isOff = isOff;
  }

  /**
   * Repeats a call that has failed because the file is locked.
   *
   * @param error Why it failed.
   * @param call The call.
   * @throws The error where it is another one, or the time is over.
   */
  retry<T>(error: unknown, call: () => T): T {
    const end = performance.now() + this.#milliseconds - SQLITE_WAIT_MS;
    while (!this.#isOff && isLocked(error) && performance.now() < end) {
      Atomics.wait(never, 0, 0, PAUSE_MS);
      try {
        return call();
      } catch (next) {
        error = next;
      }
    }
    throw error;
  }
}

/** Whether another connection holds a lock; that of a table is held by the connection itself. */
function isLocked(error: unknown): boolean {
  return error instanceof Error && error.message.includes("database is locked");
}
