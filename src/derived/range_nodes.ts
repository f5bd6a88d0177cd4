/**
 * The nodes of the tree over the sorted records, as they are stored: a record is 36 bytes, the timestamp in whole seconds,
 * big-endian, and the id; they are sorted by these bytes, their key. A leaf holds records. A node above holds an entry for
 * each of its children: the least key that belongs to it, how many records are below it, and the sum of their ids.
 *
 * @module
 */

import { addTo, SUM_BYTES } from "../sums.ts";
import type { Connection } from "../sqlite/connection.ts";
import { derivedDamaged, derivedRow } from "./damage.ts";

/** The bytes of a timestamp, before those of the id. */
export const TIMESTAMP_BYTES = 4;
/** The length of a record, and of a key. */
export const KEY_BYTES = 36;
/** Where in an entry the count is, and the sum. */
const COUNT_AT = KEY_BYTES;
const SUM_AT = COUNT_AT + 4;

/** The entries of the nodes of a level: how long one is, and how many a node holds at most. */
export interface Shape {
  readonly width: number;
  readonly max: number;
}

const LEAF: Shape = { width: KEY_BYTES, max: 256 };
const INNER: Shape = { width: SUM_AT + SUM_BYTES, max: 128 };
const MAX_BYTES = LEAF.width * LEAF.max;
/** Far more than there can be: every node but those at the right edge is half full. */
const MAX_LEVEL = 8;

/** The shape of the nodes of a level; the leaves are level 0. */
export function shapeOf(level: number): Shape {
  return level === 0 ? LEAF : INNER;
}

/** The key of the first node of each level. */
export const LEAST_KEY: Uint8Array = new Uint8Array(KEY_BYTES);

/** What follows `CREATE TABLE mnema_ranges`. */
export const COLUMNS = "(level INTEGER NOT NULL, low BLOB NOT NULL, entries BLOB NOT NULL, PRIMARY KEY (level, low))";

const SELECT_HEIGHT = "SELECT max(level) FROM mnema_ranges";
// Of a blob that is too large, only its length is read.
const SELECT_NODE = `SELECT CASE WHEN length(entries) <= ${MAX_BYTES} THEN entries END FROM mnema_ranges ` +
  "WHERE level = ? AND low = ?";
const UPSERT_NODE = "INSERT INTO mnema_ranges (level, low, entries) VALUES (?, ?, ?) " +
  "ON CONFLICT (level, low) DO UPDATE SET entries = excluded.entries";

/** The level of the root; undefined when there are no records. */
export function rootLevel(connection: Connection): number | undefined {
  const [level] = derivedRow(connection, SELECT_HEIGHT, ["integer?"]) ?? [null];
  if (level === null) return undefined;
  if (level >= 0 && level <= MAX_LEVEL) return level;
  throw derivedDamaged(connection, `the records have a node of level ${level}`);
}

/**
 * The entries of a node.
 *
 * @param connection The log's file.
 * @param level Its level.
 * @param low The least key that belongs to it.
 * @throws {FileError} `derived-damaged` when there is none, or it does not hold whole entries, as many as it may.
 */
export function readNode(connection: Connection, level: number, low: Uint8Array): Uint8Array {
  const row = derivedRow(connection, SELECT_NODE, ["bytes"], level, low);
  if (row === undefined) throw derivedDamaged(connection, "a node of the records is missing");
  const [entries] = row;
  const { width, max } = shapeOf(level);
  if (entries.length > 0 && entries.length % width === 0 && entries.length <= width * max) return entries;
  throw derivedDamaged(connection, `a node of the records has ${entries.length} bytes`);
}

/** Stores a node. */
export function writeNode(connection: Connection, level: number, low: Uint8Array, entries: Uint8Array): void {
  connection.query(UPSERT_NODE).run(level, low, entries);
}

/** The records below the entries of a node: how many there are, and the sum of their ids. */
export interface Total {
  count: number;
  readonly sum: Uint8Array;
}

/** Adds the records below some entries of a node to a total. */
export function addEntries(total: Total, level: number, entries: Uint8Array, first: number, end: number): void {
  const { width } = shapeOf(level);
  addTo(total.sum, entries, first * width + (level === 0 ? TIMESTAMP_BYTES : SUM_AT), end - first, width);
  if (level === 0) total.count += end - first;
  else for (let i = first; i < end; i++) total.count += countOf(entries, i);
}

/** How many records are below an entry of a node above the leaves. */
export function countOf(entries: Uint8Array, i: number): number {
  return uint32At(entries, i * INNER.width + COUNT_AT);
}

/** Sets an entry of a node above the leaves. */
export function setEntry(entries: Uint8Array, i: number, low: Uint8Array, { count, sum }: Total): void {
  const at = i * INNER.width;
  entries.set(low, at);
  for (let byte = 0; byte < 4; byte++) entries[at + COUNT_AT + byte] = count >>> (24 - 8 * byte);
  entries.set(sum, at + SUM_AT);
}

/** The key of an entry. */
export function keyAt(entries: Uint8Array, i: number, width: number): Uint8Array {
  return entries.subarray(i * width, i * width + KEY_BYTES);
}

/** The index of the first entry, from one on, whose key is not less than another; the number of entries if none is. */
export function firstNotBelow(entries: Uint8Array, width: number, key: Uint8Array, from = 0): number {
  let [begin, end] = [from, entries.length / width];
  while (begin < end) {
    const middle = (begin + end) >>> 1;
    if (compareKeys(entries, middle * width, key, 0) < 0) begin = middle + 1;
    else end = middle;
  }
  return begin;
}

/** Compares the keys at two places. */
export function compareKeys(a: Uint8Array, atA: number, b: Uint8Array, atB: number): number {
  for (let i = 0; i < KEY_BYTES; i++) {
    if (a[atA + i] !== b[atB + i]) return a[atA + i] - b[atB + i];
  }
  return 0;
}

/** Reads 4 bytes, big-endian. A `DataView` of each node would cost more than reading it. */
export function uint32At(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}
