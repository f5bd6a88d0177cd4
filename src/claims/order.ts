/**
 * Replay order, which is the same on every node: by depth, then id.
 *
 * @module
 */

/** A claim with its rank in replay order. */
export interface Ranked {
  /** Its sequence number in the log. */
  seq: number;
  /** Its depth. */
  depth: number;
  /** Its id. */
  opId: string;
}

/** Whether `a` is before `b` in replay order. */
export function isBefore(a: Ranked, b: Ranked): boolean {
  return a.depth !== b.depth ? a.depth < b.depth : a.opId < b.opId;
}
