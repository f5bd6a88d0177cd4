/**
 * Counts of what a log holds.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";

/** What `OpLog.stats` counts. */
export interface LogStats {
  /** How many operations. */
  operations: number;
  /** How many of each type. */
  types: Record<string, number>;
  /** How many by each author. */
  authors: Record<string, number>;
  /** The least and the greatest `ts`, in Unix milliseconds; undefined for an empty log. */
  span?: { from: number; to: number };
  /** The size of the database, in bytes. */
  bytes: number;
}

/** How many operations a log holds. */
export function countOperations(connection: Connection): number {
  return connection.query("SELECT count(*) FROM ops").value<[number]>()![0];
}

/** Counts what a log holds. Reads all of it. */
export function readStats(connection: Connection): LogStats {
  const countBy = (column: "type" | "author") =>
    Object.fromEntries(
      connection.query(`SELECT ${column}, count(*) FROM ops GROUP BY ${column} ORDER BY ${column}`)
        .values<[string, number]>(),
    );
  const [from, to] = connection.query("SELECT min(ts), max(ts) FROM ops").value<[number, number]>()!;
  const [bytes] = connection.query("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
    .value<[number]>()!;
  const operations = countOperations(connection);
  const span = operations === 0 ? {} : { span: { from, to } };
  return { operations, types: countBy("type"), authors: countBy("author"), ...span, bytes };
}
