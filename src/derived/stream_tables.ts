/**
 * The tables of streams: how far a stream was read into the log, and which operations of the log were read in it. They
 * are derived from the log and the stream together. Without them the stream is read again from its first message, which
 * appends nothing twice.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { createTables, statementsOf, type Tables } from "./tables.ts";

/**
 * Their definitions. A row of `mnema_streams` is the position in a stream: `created` is the stream's time of creation,
 * `seq` and `stamp` identify the last message that was read, and `waiting` lists the sequence numbers before it whose
 * operations wait for a parent, as JSON. A row of `mnema_stream_ranges` is a range of the log's `seq` whose operations
 * were all read in the stream.
 */
export const STREAM_TABLES: Tables = {
  tables: {
    mnema_streams: "(stream TEXT PRIMARY KEY, created TEXT NOT NULL, seq INTEGER NOT NULL, stamp TEXT NOT NULL, " +
      "waiting TEXT NOT NULL)",
    mnema_stream_ranges: "(stream TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, " +
      "PRIMARY KEY (stream, first)) WITHOUT ROWID",
  },
};

const STATEMENTS = statementsOf(STREAM_TABLES);
const COUNT_DEFINED = "SELECT count(*) FROM main.sqlite_schema WHERE sql IN (SELECT value FROM json_each(?))";
const LIST = JSON.stringify(Object.values(STATEMENTS));
const COUNT_NAMED = "SELECT count(*) FROM main.sqlite_schema WHERE lower(name) IN (SELECT value FROM json_each(?))";

/** Creates the tables, empty, unless both exist as they are created. Inside a transaction. */
export function ensureStreamTables(connection: Connection): void {
  if (!hasStreamTables(connection)) createTables(connection, STREAM_TABLES, "main");
}

/** Empties the tables, or, where they are not as they are created, replaces them. Inside a transaction. */
export function clearStreamTables(connection: Connection): void {
  const [count] = connection.query(COUNT_NAMED).value<[number]>(JSON.stringify(Object.keys(STATEMENTS)))!;
  if (count > 0) createTables(connection, STREAM_TABLES, "main");
}

function hasStreamTables(connection: Connection): boolean {
  return connection.query(COUNT_DEFINED).value<[number]>(LIST)![0] === Object.keys(STATEMENTS).length;
}
