/**
 * How many operations there are of each type and by each author, and the span of their `ts`: what a summary of the log
 * needs, without reading all of it.
 *
 * Built when it is first asked for, and caught up after that; appending does not pay for it.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import type { LogStats } from "../log/stats.ts";
import type { Batch } from "./batch.ts";
import { derivedRow, derivedRows } from "./damage.ts";
import type { TableProjection } from "./table_projection.ts";

const UPSERT = ["type", "author"].map((field) =>
  `INSERT INTO mnema_counts (field, name, count, first, last)
  SELECT '${field}', ${field}, count(*), min(ts), max(ts) FROM ops WHERE seq > ? AND seq <= ? GROUP BY +${field}
  ON CONFLICT (field, name) DO UPDATE SET count = count + excluded.count, first = min(first, excluded.first),
    last = max(last, excluded.last)`
);
const SELECT = "SELECT name, count FROM mnema_counts WHERE field = ? ORDER BY name";
const SELECT_TOTAL = "SELECT coalesce(sum(count), 0), min(first), max(last) FROM mnema_counts WHERE field = 'type'";

/** The counts of operations. */
export const counts: TableProjection = {
  name: "counts",
  version: 1,
  tables: {
    mnema_counts: "(field TEXT NOT NULL, name TEXT NOT NULL, count INTEGER NOT NULL, first INTEGER NOT NULL, " +
      "last INTEGER NOT NULL, PRIMARY KEY (field, name)) WITHOUT ROWID",
  },
  start: (connection) => ({
    apply: ({ after, last }: Batch) => UPSERT.forEach((sql) => connection.query(sql).run(after, last)),
  }),
};

/** Reads the counts. The projection must have been caught up. */
export function selectCounts(connection: Connection): Omit<LogStats, "bytes"> {
  const countsOf = (field: "type" | "author") =>
    Object.fromEntries(derivedRows(connection, SELECT, ["text", "integer"], field));
  const [operations, from, to] = derivedRow(connection, SELECT_TOTAL, ["integer", "integer?", "integer?"])!;
  const span = from === null || to === null ? {} : { span: { from, to } };
  return { operations, types: countsOf("type"), authors: countsOf("author"), ...span };
}
