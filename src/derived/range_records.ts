/**
 * Reads the records of operations from the columns of their rows: parsing their texts would cost far more.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Connection } from "../sqlite/connection.ts";
import { damaged } from "../sqlite/failures.ts";
import type { Added } from "./range_grow.ts";
import { compareKeys, KEY_BYTES, TIMESTAMP_BYTES, uint32At } from "./range_nodes.ts";

/** How many are sorted at once: of records in random order, fewer would have every leaf written more often. */
const CHUNK_ROWS = 65_536;
const PAGE_ROWS = 8192;

/** The records of a page as one hex text: one value is read for thousands of rows. */
const SELECT_PAGE = "SELECT count(*), max(seq), group_concat(printf('%08x', max(0, min(ts / 1000, 4294967295))) || " +
  "substr(op_id, 4), '') FROM (SELECT seq, ts, op_id FROM ops WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?)";

/**
 * Reads the records after one `seq`, up to another, as sorted chunks of some ten thousand.
 *
 * @throws {FileError} `corrupt` when a row has no id.
 */
export function* readRecords(connection: Connection, after: number, last: number): Generator<Added> {
  let pages: Uint8Array[] = [];
  let rows = 0;
  for (;;) {
    const page = connection.query(SELECT_PAGE).value<[number, number | null, unknown]>(after, last, PAGE_ROWS);
    const [count, seq, hex] = page!;
    if (seq !== null) {
      pages.push(decode(connection, hex, count));
      rows += count;
      after = seq;
    }
    if (rows > 0 && (rows >= CHUNK_ROWS || count < PAGE_ROWS)) {
      yield sort(Buffer.concat(pages), rows);
      [pages, rows] = [[], 0];
    }
    if (count < PAGE_ROWS) return;
  }
}

function decode({ path }: Connection, hex: unknown, count: number): Uint8Array {
  if (typeof hex === "string" && hex.length === 2 * KEY_BYTES * count && /^[0-9a-f]*$/.test(hex)) {
    return Uint8Array.fromHex(hex);
  }
  throw damaged(path, "a row has no id of an operation");
}

/** Sorts records that come in the order of their operations. */
function sort(records: Uint8Array, count: number): Added {
  // The first 53 bits of the keys: they decide most comparisons.
  const starts = Float64Array.from({ length: count }, (_, i) => {
    const at = i * KEY_BYTES;
    return uint32At(records, at) * 2 ** 21 + (uint32At(records, at + TIMESTAMP_BYTES) >>> 11);
  });
  const times = Uint32Array.from({ length: count }, (_, i) => i);
  times.sort((a, b) => starts[a] - starts[b] || compareKeys(records, a * KEY_BYTES, records, b * KEY_BYTES));
  const entries = new Uint8Array(records.length);
  times.forEach((time, i) => entries.set(records.subarray(time * KEY_BYTES, (time + 1) * KEY_BYTES), i * KEY_BYTES));
  return { entries, times };
}
