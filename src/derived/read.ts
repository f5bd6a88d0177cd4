/**
 * Reading a run of operations for replay, with their depths.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { damaged } from "../sqlite/failures.ts";
import { fromStored, type Operation } from "../wire/operation.ts";
import { derivedRows } from "./damage.ts";

/** An operation, where it stands, and how deep. */
export interface Replayed {
  /** Its place in this log. */
  seq: number;
  /** 0 without `prev`, else 1 more than the greatest depth among them. */
  depth: number;
  /** The operation. */
  op: Operation;
}

const SELECT = "SELECT seq, depth, wire FROM ops LEFT JOIN mnema_depths USING (seq) WHERE seq > ? AND seq <= ?";
const OF_TYPES = " AND type IN (SELECT value FROM json_each(?))";
const ORDER = " ORDER BY seq LIMIT ?";
/** Few enough that a page stays small where each operation is as large as it may be. */
const PAGE_ROWS = 64;

/**
 * Reads operations in the order of their `seq`; their depths must have been brought up.
 *
 * @param connection The log's file.
 * @param range After which `seq`, and up to which.
 * @param types Only these types, where they are given.
 */
export function* readOperations(
  connection: Connection,
  range: { after: number; last: number },
  types?: readonly string[],
): Generator<Replayed> {
  const sql = SELECT + (types === undefined ? "" : OF_TYPES) + ORDER;
  const list = types === undefined ? [] : [JSON.stringify(types)];
  for (let after = range.after;;) {
    const page = derivedRows(connection, sql, ["integer", "integer", "any"], after, range.last, ...list, PAGE_ROWS);
    for (const [seq, depth, wire] of page) yield { seq, depth, op: decodeStored(connection.path, seq, wire) };
    if (page.length < PAGE_ROWS) return;
    after = page[page.length - 1][0];
  }
}

/**
 * An operation from the wire text of a row.
 *
 * @throws {FileError} `corrupt` when it is none.
 */
export function decodeStored(path: string, seq: number, wire: unknown): Operation {
  if (typeof wire !== "string") throw damaged(path, `what stands at seq ${seq} is no text`);
  try {
    return fromStored(wire);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    throw damaged(path, `what stands at seq ${seq} is no operation: ${error.message}`, { cause: error });
  }
}
