/**
 * The children of every operation: those that name it in `prev`.
 *
 * Built when it is first asked for, and caught up after that; appending does not pay for it.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { namedOutside } from "../log/entries.ts";
import type { Batch } from "./batch.ts";
import { derivedRows } from "./damage.ts";
import type { TableProjection } from "./table_projection.ts";

const SELECT_SEQS = "SELECT op_id, seq FROM json_each(?) JOIN ops ON op_id = value";
const INSERT = "INSERT INTO mnema_children (parent, child) SELECT value ->> 0, value ->> 1 FROM json_each(?)";
const SELECT_CHILDREN = "SELECT op_id FROM mnema_children JOIN ops ON ops.seq = child WHERE parent = ? ORDER BY op_id";

/** Edges from an operation to its children, both by `seq`. */
export const children: TableProjection = {
  name: "children",
  version: 1,
  tables: {
    mnema_children: "(parent INTEGER NOT NULL, child INTEGER NOT NULL, PRIMARY KEY (parent, child)) WITHOUT ROWID",
  },
  start: (connection) => ({ apply: (batch) => apply(connection, batch) }),
};

/**
 * The ids of an operation's children, sorted. The projection must have been caught up.
 *
 * @param connection The log's file.
 * @param seq The `seq` of the operation.
 */
export function selectChildren(connection: Connection, seq: number): string[] {
  return derivedRows(connection, SELECT_CHILDREN, ["text"], seq).map(([opId]) => opId);
}

function apply(connection: Connection, batch: Batch): void {
  const links = batch.links();
  const named = [...namedOutside(links)];
  const seqs = new Map(connection.query(SELECT_SEQS).values<[string, number]>(JSON.stringify(named)));
  const edges: [parent: number, child: number][] = [];
  for (const { seq, opId, prev } of links) {
    // A parent that is not in the log, as only other implementations append it, is ignored.
    for (const parent of prev) if (seqs.has(parent)) edges.push([seqs.get(parent)!, seq]);
    seqs.set(opId, seq);
  }
  connection.query(INSERT).run(JSON.stringify(edges));
}
