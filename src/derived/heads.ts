/**
 * The heads: every operation that no other names in `prev`.
 *
 * The table also holds, with `seq` NULL, ids that were named before they arrived, as another implementation may
 * append them: when such an operation arrives, it is not a head.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import type { Batch } from "./batch.ts";
import { derivedRow, derivedRows } from "./damage.ts";
import type { TableProjection } from "./table_projection.ts";

const SELECT_HEADS = "SELECT op_id FROM mnema_heads WHERE seq NOT NULL ORDER BY seq DESC LIMIT ?";
const SELECT_DEEPEST = "SELECT op_id FROM mnema_heads JOIN mnema_depths USING (seq) ORDER BY depth DESC, op_id LIMIT ?";
const COUNT_HEADS = "SELECT count(*) FROM mnema_heads WHERE seq NOT NULL";
const DELETE_NAMED = "DELETE FROM mnema_heads WHERE op_id IN (SELECT value FROM json_each(?))";
const INSERT_AWAITED = "INSERT INTO mnema_heads (op_id, seq) SELECT value, NULL FROM json_each(?) " +
  "WHERE NOT EXISTS (SELECT 1 FROM ops WHERE op_id = value AND seq <= ?)";
const INSERT_HEADS = "INSERT INTO mnema_heads (op_id, seq) SELECT key, value FROM json_each(?) " +
  "WHERE key NOT IN (SELECT op_id FROM mnema_heads WHERE seq IS NULL)";
const DELETE_ARRIVED = "DELETE FROM mnema_heads WHERE seq IS NULL " +
  "AND EXISTS (SELECT 1 FROM ops WHERE ops.op_id = mnema_heads.op_id AND ops.seq <= ?)";

/** The heads of a log. */
export const heads: TableProjection = {
  name: "heads",
  version: 1,
  tables: { mnema_heads: "(op_id TEXT PRIMARY KEY, seq INTEGER)" },
  indexes: { mnema_heads_seq: "mnema_heads (seq)" },
  start: (connection) => ({ apply: (batch) => apply(connection, batch) }),
};

/**
 * The ids of the heads, newest first. The projection must have been caught up.
 *
 * @param connection The log's file.
 * @param limit The greatest number of heads.
 */
export function selectHeads(connection: Connection, limit: number): string[] {
  return derivedRows(connection, SELECT_HEADS, ["op-id"], limit).map(([opId]) => opId);
}

/** How many heads there are. The projection must have been caught up. */
export function countHeads(connection: Connection): number {
  return derivedRow(connection, COUNT_HEADS, ["integer"])![0];
}

/**
 * The ids of the heads that are deepest, of equal depth the smallest. What follows the first of them is deeper than all
 * operations in the log. This projection and the depths must have been caught up. Costs a look at every head.
 *
 * @param connection The log's file.
 * @param limit The greatest number of heads.
 */
export function selectDeepestHeads(connection: Connection, limit: number): string[] {
  return derivedRows(connection, SELECT_DEEPEST, ["op-id"], limit).map(([opId]) => opId);
}

function apply(connection: Connection, batch: Batch): void {
  /** The heads of the batch, with their `seq`, oldest first. */
  const added = new Map<string, number>();
  /** The ids that the batch names in `prev` before they come in it. */
  const named = new Set<string>();
  const ids = new Set<string>();
  for (const { seq, opId, prev } of batch.links()) {
    for (const id of prev) {
      if (ids.has(id)) added.delete(id);
      else named.add(id);
    }
    ids.add(opId);
    if (!named.has(opId)) added.set(opId, seq);
  }
  const namedList = JSON.stringify([...named]);
  connection.query(DELETE_NAMED).run(namedList);
  connection.query(INSERT_HEADS).run(JSON.stringify(Object.fromEntries(added)));
  connection.query(DELETE_ARRIVED).run(batch.last);
  connection.query(INSERT_AWAITED).run(namedList, batch.last);
}
