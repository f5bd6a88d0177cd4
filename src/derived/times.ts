/**
 * An index of the log by time. `ts` is the author's clock and need not grow with `seq`, but mostly does: for every 1,024
 * `seq` the least and the greatest `ts` are stored, and only the parts whose span overlaps the requested one are read.
 * The table has a thousandth of the log's rows.
 *
 * Built when it is first asked for, and caught up after that; appending does not pay for it.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import type { SeqRange } from "../log/pager.ts";
import type { Batch } from "./batch.ts";
import { derivedRows } from "./damage.ts";
import type { TableProjection } from "./table_projection.ts";

const PART = 1024;
const UPSERT = `INSERT INTO mnema_times (part, first, last)
  SELECT seq / ${PART}, min(ts), max(ts) FROM ops WHERE seq > ? AND seq <= ? GROUP BY 1
  ON CONFLICT (part) DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last)`;
const SELECT_PARTS = "SELECT part FROM mnema_times WHERE first < ? AND last >= ? ORDER BY part";

/** The span of `ts` in each part of the log. */
export const times: TableProjection = {
  name: "times",
  version: 1,
  tables: { mnema_times: "(part INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL)" },
  start: (connection) => ({
    apply: ({ after, last }: Batch) => void connection.query(UPSERT).run(after, last),
  }),
};

/**
 * The parts of the log that can hold operations of a time, in ascending order. The projection must have been caught up.
 *
 * @param connection The log's file.
 * @param from The least `ts`.
 * @param until The `ts` before which it ends.
 */
export function selectParts(connection: Connection, from: number, until: number): SeqRange[] {
  const ranges: SeqRange[] = [];
  for (const [part] of derivedRows(connection, SELECT_PARTS, ["integer"], until, from)) {
    const [after, upTo] = [part * PART - 1, part * PART + PART - 1];
    const before = ranges.at(-1);
    if (before?.upTo === after) before.upTo = upTo;
    else ranges.push({ after, upTo });
  }
  return ranges;
}
