/**
 * Adds many entries to a node, with the same result as one by one: a node that would hold too many is split in half at
 * that moment. So the tree depends on the order of the operations alone, and not on how many of them were applied at once;
 * and not on their contents, by which somebody could make it degenerate.
 *
 * The node at the right edge is split so that most remains in its left part, as entries mostly come in ascending order.
 *
 * @module
 */

import { compareKeys, firstNotBelow, keyAt, type Shape } from "./range_nodes.ts";

/** Entries to add, sorted by their keys. */
export interface Added {
  /** The entries, one after the other. */
  readonly entries: Uint8Array;
  /** Where in the order in which they are added each is: distinct numbers below 2^26. */
  readonly times: Uint32Array;
}

/** A node that came from another. */
export interface Piece {
  /** Its entries. */
  readonly entries: Uint8Array;
  /** The time of the entry that led to it; of the first piece, which is the node itself, 0. */
  readonly time: number;
}

/**
 * Adds entries to a node.
 *
 * @param existing The entries of the node, at most as many as it may hold.
 * @param added The entries to add.
 * @param shape How long entries are, and how many a node may hold.
 * @param isLast Whether it is the node at the right edge of its level.
 * @returns The nodes that it has become, in the order of their keys.
 */
export function grow(existing: Uint8Array, added: Added, shape: Shape, isLast: boolean): Piece[] {
  const { width, max } = shape;
  const pieces: Piece[] = [];
  /** `inTime`: indexes of entries to add, in the order of their times. */
  const settle = (entries: Uint8Array, inTime: Uint32Array, isLast: boolean, time: number): void => {
    const room = max - entries.length / width;
    if (inTime.length <= room) {
      pieces.push({ entries: merge(entries, added.entries, inTime.toSorted(), width), time });
      return;
    }
    const full = merge(entries, added.entries, inTime.slice(0, room + 1).sort(), width);
    const cut = isLast ? max - (max >> 3) : (max + 1) >> 1;
    const [left, right] = [full.subarray(0, cut * width), full.subarray(cut * width)];
    const rank = firstNotBelow(added.entries, width, keyAt(right, 0, width));
    const [before, after] = partition(inTime.subarray(room + 1), rank);
    settle(left, before, false, time);
    settle(right, after, isLast, added.times[inTime[room]]);
  };
  settle(existing, orderOf(added.times), isLast, 0);
  return pieces;
}

/** The indexes of times in ascending order. */
function orderOf(times: Uint32Array): Uint32Array {
  // Sorting numbers needs no calls: the index is in the lower bits.
  const tagged = Float64Array.from(times, (time, i) => time * 2 ** 26 + i).sort();
  return Uint32Array.from(tagged, (number) => number % 2 ** 26);
}

/** Those below a limit, and the others. */
function partition(indexes: Uint32Array, limit: number): [Uint32Array, Uint32Array] {
  const [below, others] = [new Uint32Array(indexes.length), new Uint32Array(indexes.length)];
  let count = 0;
  indexes.forEach((index, i) => {
    if (index < limit) below[count++] = index;
    else others[i - count] = index;
  });
  return [below.subarray(0, count), others.subarray(0, indexes.length - count)];
}

/** Merges sorted entries with some of others that are sorted, too. */
function merge(existing: Uint8Array, added: Uint8Array, indexes: Uint32Array, width: number): Uint8Array {
  const merged = new Uint8Array(existing.length + indexes.length * width);
  let [from, at] = [0, 0];
  for (const index of indexes) {
    let to = from;
    while (to < existing.length && compareKeys(existing, to, added, index * width) < 0) to += width;
    merged.set(existing.subarray(from, to), at);
    at += to - from;
    merged.set(added.subarray(index * width, (index + 1) * width), at);
    at += width;
    from = to;
  }
  merged.set(existing.subarray(from), at);
  return merged;
}
