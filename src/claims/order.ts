/**
 * The order of replay, which is the same on every node: by depth, then id.
 *
 * @module
 */

/** A claim, and where it stands in the order of replay. */
export interface Ranked {
  /** Its place in the log. */
  seq: number;
  /** Its depth. */
  depth: number;
  /** Its id. */
  opId: string;
}

/** Whether one comes before another. */
export function isBefore(a: Ranked, b: Ranked): boolean {
  return a.depth !== b.depth ? a.depth < b.depth : a.opId < b.opId;
}
