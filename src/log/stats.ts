/**
 * Counts of what a log holds: the public type.
 *
 * @module
 */

/** What `OpLog.stats` counts. */
export interface LogStats {
  /** How many operations. */
  operations: number;
  /** How many of each type. */
  types: Record<string, number>;
  /** How many by each author. */
  authors: Record<string, number>;
  /** The least and the greatest `ts`, in Unix milliseconds; undefined for an empty log. */
  span?: { from: number; to: number };
  /** The size of the database, in bytes. */
  bytes: number;
}
