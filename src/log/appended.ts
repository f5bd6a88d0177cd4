/**
 * What the writer reports to followers of the log within the process.
 *
 * @module
 */

/** An operation that was appended. */
export interface Appended {
  /** Its place in the log. */
  readonly seq: number;
  /** Its id. */
  readonly opId: string;
  /** What it follows. */
  readonly prev: readonly string[];
  /** The leaf hash of its wire text, 32 bytes in memory that is used again after the call. */
  readonly leaf: Uint8Array;
}

/** Follows what is appended to a log, and decides by itself when to catch up. */
export interface Follower {
  /**
   * Records appended operations: all that one statement has inserted, at least one, with consecutive `seq`. Within a
   * transaction they may still be rolled back.
   */
  appended(operations: readonly Appended[]): void;
  /**
   * The same for all that one committed statement has inserted, in parts; outside of a transaction. Each part is valid
   * until the next is asked for.
   *
   * @param parts The operations.
   * @param count How many they are in all.
   */
  committed(parts: Iterable<readonly Appended[]>, count: number): void;
  /** A transaction, or a part of one, was rolled back: what was appended since it began is not in the log. */
  rolledBack(): void;
}
