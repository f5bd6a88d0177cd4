/**
 * Rows of the log that a session sends, and the mapping of ids to them.
 *
 * @module
 */

import { HASH_BYTES } from "../bytes.ts";
import { readRows, type SeqRange } from "../log/pager.ts";
import type { Connection } from "../sqlite/connection.ts";
import type { Row } from "./outgoing.ts";

const SELECT_RANGE = "SELECT seq, wire FROM ops WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3";
const SELECT_LISTED = "SELECT seq, wire FROM ops WHERE seq > ?1 AND seq <= ?2 " +
  "AND seq IN (SELECT value FROM json_each(?4)) ORDER BY seq LIMIT ?3";
const SELECT_SEQS = "SELECT op_id, seq FROM ops WHERE op_id IN (SELECT 'op_' || value FROM json_each(?))";

/** Ids or `seq` numbers that are given to one statement. */
const BATCH = 1024;

/** The rows of a range, as they are read. */
export function rangeRows(connection: Connection, range: SeqRange): Generator<Row> {
  return readRows<[number, string], Row>(connection, { sql: SELECT_RANGE, isComplete: true }, [range], (row) => row);
}

/** The rows of `seq` numbers in ascending order. */
export function* listedRows(connection: Connection, seqs: Float64Array): Generator<Row> {
  for (let start = 0; start < seqs.length; start += BATCH) {
    const batch = seqs.subarray(start, start + BATCH);
    const range = { after: batch[0] - 1, upTo: batch[batch.length - 1] };
    const query = { sql: SELECT_LISTED, parameters: [JSON.stringify([...batch])] };
    yield* readRows<[number, string], Row>(connection, query, [range], (row) => row);
  }
}

/**
 * Where the log holds operations.
 *
 * @param connection The log's file.
 * @param ids Ids in hex, without repetition; those that the log does not hold are left out.
 * @returns Their `seq` numbers, ascending.
 */
export function seqsOf(connection: Connection, ids: ReadonlySet<string>): Float64Array {
  const seqs = new Float64Array(ids.size);
  let count = 0;
  for (const rows of present(connection, ids)) for (const [, seq] of rows) seqs[count++] = seq;
  return seqs.subarray(0, count).sort();
}

/** Removes the ids that the log holds. */
export function removePresent(connection: Connection, ids: Set<string>): void {
  for (const rows of present(connection, ids)) for (const [opId] of rows) ids.delete(opId.slice("op_".length));
}

function* present(connection: Connection, ids: ReadonlySet<string>): Generator<[opId: string, seq: number][]> {
  const all = [...ids];
  for (let start = 0; start < all.length; start += BATCH) {
    const batch = JSON.stringify(all.slice(start, start + BATCH));
    yield connection.query(SELECT_SEQS).values<[string, number]>(batch);
  }
}

/** Adds ids, 32 bytes each, to a set of ids in hex. */
export function addIds(set: Set<string>, ids: Uint8Array): void {
  for (let at = 0; at < ids.length; at += HASH_BYTES) set.add(ids.subarray(at, at + HASH_BYTES).toHex());
}

/** The bytes of ids in hex. */
export function idBytes(ids: readonly string[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(ids.join(""));
}
