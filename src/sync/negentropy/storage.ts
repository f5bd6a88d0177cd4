/**
 * The records that are reconciled, in their order: by timestamp, then by id bytes.
 *
 * @module
 */

/** A record: an id, and the time by which it is sorted. */
export interface TimedId {
  /** Whole seconds, from 0 to 2^32-1. */
  readonly timestamp: number;
  /** 32 bytes. */
  readonly id: Uint8Array;
}

/** A place between records: before every record of its timestamp whose id is not less than the prefix. */
export interface Bound {
  /** Whole seconds; Infinity is the end, after every record. */
  readonly timestamp: number;
  /** The first bytes of an id: from 0 to 32. */
  readonly prefix: Uint8Array;
}

/** The end: after every record. */
export const END: Bound = { timestamp: Infinity, prefix: new Uint8Array() };

/** Sorted records, by index from 0. They do not change while one message is handled. */
export interface RecordStorage {
  /** How many records there are. */
  readonly size: number;
  /** A record by its index. */
  at(index: number): TimedId;
  /**
   * The index of the first record that is not before a bound; `size` when there is none.
   *
   * @param bound The bound.
   * @param from An index that is not after it: 0 by default.
   */
  lowerBound(bound: Bound, from?: number): number;
  /** The records from one index up to, and without, another. */
  range(begin: number, end: number): Iterable<TimedId>;
  /** The sum of their ids, as little-endian numbers modulo 2^256: 32 bytes. */
  sum(begin: number, end: number): Uint8Array;
}

/** Compares bytes; where one is the start of the other, the shorter is less. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i] - b[i];
  }
  return a.length - b.length;
}

/** Compares two records. */
export function compareRecords(a: TimedId, b: TimedId): number {
  return a.timestamp === b.timestamp ? compareBytes(a.id, b.id) : a.timestamp - b.timestamp;
}

/** Compares two bounds. */
export function compareBounds(a: Bound, b: Bound): number {
  return a.timestamp === b.timestamp ? compareBytes(a.prefix, b.prefix) : a.timestamp < b.timestamp ? -1 : 1;
}

/** Whether a record is before a bound. */
export function isBefore({ timestamp, id }: TimedId, bound: Bound): boolean {
  return timestamp === bound.timestamp ? compareBytes(id, bound.prefix) < 0 : timestamp < bound.timestamp;
}

/** The shortest bound between two neighbouring records: not after the second, and after the first. */
export function boundBetween(before: TimedId, { timestamp, id }: TimedId): Bound {
  if (before.timestamp !== timestamp) return { timestamp, prefix: id.subarray(0, 0) };
  let common = 0;
  while (common < id.length && before.id[common] === id[common]) common++;
  return { timestamp, prefix: id.subarray(0, common + 1) };
}
