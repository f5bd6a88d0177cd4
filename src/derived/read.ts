/**
 * Reads operations for replay, with their depths.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { damaged } from "../sqlite/failures.ts";
import { notText, readRows } from "../log/pager.ts";
import { fromStored, type Operation } from "../wire/operation.ts";
import { requireKind } from "./damage.ts";
import type { ReplayEntry } from "./projection.ts";

const SELECT = "SELECT seq, wire, depth FROM ops LEFT JOIN mnema_depths USING (seq) WHERE seq > ?1 AND seq <= ?2";
const OF_TYPES = " AND type IN (SELECT value FROM json_each(?4))";
const ORDER = " ORDER BY seq LIMIT ?3";

/**
 * Reads operations in the order of their `seq`; their depths must have been caught up.
 *
 * @param connection The log's file.
 * @param range After which `seq`, and up to which.
 * @param types Only operations of these types, where they are given.
 */
export function readOperations(
  connection: Connection,
  { after, last }: { after: number; last: number },
  types?: readonly string[],
): Generator<ReplayEntry> {
  const query = types === undefined
    ? { sql: SELECT + ORDER }
    : { sql: SELECT + OF_TYPES + ORDER, parameters: [JSON.stringify(types)] };
  return readRows<[number, string, unknown], ReplayEntry>(
    connection,
    query,
    [{ after, upTo: last }],
    ([seq, wire, depth]) => {
      requireKind(connection, "integer", depth);
      return { depth, op: decodeStored(connection.path, seq, wire) };
    },
  );
}

/**
 * Decodes the wire text of a row.
 *
 * @throws {FileError} `corrupt` when it is not an operation.
 */
export function decodeStored(path: string, seq: number, wire: unknown): Operation {
  if (typeof wire !== "string") throw notText(path, seq);
  try {
    return fromStored(wire);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    throw damaged(path, `the wire text at seq ${seq} is not an operation: ${error.message}`, { cause: error });
  }
}
