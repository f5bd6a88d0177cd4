/**
 * Temporary copies of derived tables, in memory, under the same names, so that they hide the tables in the file: they
 * can be caught up although the file cannot be written. All temporary tables of the connection are such copies.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { lastSeq } from "../log/entries.ts";
import type { TableProjection } from "./table_projection.ts";
import { createTables, createWatermarks } from "./tables.ts";
import { readWatermark, setWatermark } from "./watermarks.ts";

const SELECT_COPIES = "SELECT name FROM temp.sqlite_schema WHERE type = 'table'";

/** Copies the tables of projections, in place of earlier copies. A projection without sound tables gets empty ones. */
export function copyTables(connection: Connection, projections: readonly TableProjection[]): void {
  dropCopies(connection);
  const last = lastSeq(connection);
  const found = projections.map((projection) => ({ projection, seen: readWatermark(connection, projection, last) }));
  createWatermarks(connection, "temp");
  for (const { projection, seen } of found) {
    createTables(connection, projection, "temp");
    if (seen === 0) continue;
    for (const table of Object.keys(projection.tables)) {
      connection.execute(`INSERT INTO temp."${table}" SELECT * FROM main."${table}"`);
    }
    setWatermark(connection, projection, seen);
  }
}

/** Whether there are copies of the tables of all these projections. */
export function areCopied(connection: Connection, projections: readonly TableProjection[]): boolean {
  const copies = new Set(copiesOf(connection));
  return projections.every(({ tables }) => Object.keys(tables).every((table) => copies.has(table)));
}

/** Drops all copies. */
export function dropCopies(connection: Connection): void {
  for (const table of copiesOf(connection)) connection.execute(`DROP TABLE temp."${table}"`);
}

function copiesOf(connection: Connection): string[] {
  return connection.query(SELECT_COPIES).values<[string]>().map(([table]) => table);
}
