/**
 * The depth of every operation: 0 without `prev`, else 1 more than the greatest among them. Unlike `seq` it is the same
 * on every node, and with the id it orders all operations (`claims.md`).
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { namedOutside } from "../log/entries.ts";
import type { Batch } from "./batch.ts";
import { derivedRows } from "./damage.ts";
import type { TableProjection } from "./table_projection.ts";

const SELECT_NAMED = "SELECT op_id, depth FROM json_each(?) JOIN ops ON op_id = value JOIN mnema_depths USING (seq)";
const INSERT = "INSERT INTO mnema_depths (seq, depth) SELECT key, value FROM json_each(?)";

/** The depths of a log's operations, by `seq`. */
export const depths: TableProjection = {
  name: "depths",
  version: 1,
  tables: { mnema_depths: "(seq INTEGER PRIMARY KEY, depth INTEGER NOT NULL)" },
  start: (connection) => ({ apply: (batch) => apply(connection, batch) }),
};

function apply(connection: Connection, batch: Batch): void {
  const links = batch.links();
  const known = namedDepths(connection, links);
  const depths: Record<number, number> = {};
  for (const { seq, opId, prev } of links) {
    let depth = 0;
    // A prev that is not in the log, as only other implementations append it, is ignored.
    for (const id of prev) depth = Math.max(depth, 1 + (known.get(id) ?? -1));
    known.set(opId, depth);
    depths[seq] = depth;
  }
  connection.query(INSERT).run(JSON.stringify(depths));
}

/** The depths of the operations before a batch that it names in `prev`. */
function namedDepths(connection: Connection, links: ReturnType<Batch["links"]>): Map<string, number> {
  const named = namedOutside(links);
  if (named.size === 0) return new Map();
  return new Map(derivedRows(connection, SELECT_NAMED, ["text", "integer"], JSON.stringify([...named])));
}
