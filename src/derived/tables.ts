/**
 * Making derived tables, in place of whatever has their names, and telling whether they are there as they are made. The
 * names start with `mnema_` and are the log's own: a view, an index or other columns under one of them give way.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";

/** The file, or memory, where a copy hides the table in the file. */
export type Schema = "main" | "temp";

/** Tables that are derived, and their indexes. */
export interface Tables {
  /** What stands behind `CREATE TABLE name`, by name. */
  readonly tables: Readonly<Record<string, string>>;
  /** What stands behind `CREATE INDEX name ON`, by name. */
  readonly indexes?: Readonly<Record<string, string>>;
}

/** None but that of the watermarks, which goes with all. */
export const NO_TABLES: Tables = { tables: {} };

/** What stands behind `CREATE TABLE mnema_watermarks`. */
export const WATERMARKS = "(name TEXT PRIMARY KEY, version INTEGER NOT NULL, seq INTEGER NOT NULL)";
const CREATE_WATERMARKS = `CREATE TABLE mnema_watermarks ${WATERMARKS}`;

const COUNT_MADE = "SELECT count(DISTINCT sql) FROM (SELECT sql FROM temp.sqlite_schema UNION ALL " +
  "SELECT sql FROM main.sqlite_schema) WHERE sql IN (SELECT value FROM json_each(?))";
/** The types are those that may become a part of a statement. An index goes with its table. */
const NAMED = "sqlite_schema WHERE lower(name) IN (SELECT value FROM json_each(?)) " +
  "AND type IN ('table', 'view', 'index') ORDER BY type = 'index'";

/** The statements of tables as SQLite writes them down, as a JSON array, and how many there are. */
const definitions = new WeakMap<Tables, { list: string; count: number }>();

/** Whether tables, and that of the watermarks, are there as they are made; not whether what they hold is right. */
export function hasTables(connection: Connection, tables: Tables): boolean {
  const { list, count } = definitionsOf(tables);
  return connection.query(COUNT_MADE).value<[number]>(list)![0] === count;
}

function definitionsOf(tables: Tables): { list: string; count: number } {
  let defined = definitions.get(tables);
  if (defined === undefined) {
    const own = Object.entries(tables.tables).map(([table, columns]) => `CREATE TABLE "${table}" ${columns}`);
    defined = { list: JSON.stringify([CREATE_WATERMARKS, ...own]), count: 1 + own.length };
    definitions.set(tables, defined);
  }
  return defined;
}

/** Makes tables and their indexes, empty. */
export function makeTables(connection: Connection, { tables, indexes = {} }: Tables, schema: Schema): void {
  dropNamed(connection, [...Object.keys(tables), ...Object.keys(indexes)], schema);
  for (const [table, columns] of Object.entries(tables)) {
    connection.execute(`CREATE TABLE ${schema}."${table}" ${columns}`);
  }
  for (const [index, columns] of Object.entries(indexes)) {
    connection.execute(`CREATE INDEX ${schema}.${index} ON ${columns}`);
  }
}

/** Makes the table of the watermarks, empty. */
export function makeWatermarks(connection: Connection, schema: Schema): void {
  dropNamed(connection, ["mnema_watermarks"], schema);
  connection.execute(`CREATE TABLE ${schema}.mnema_watermarks ${WATERMARKS}`);
}

/** Drops whatever has one of the names, as what it is: somebody may have put a view in place of a table. */
export function dropNamed(connection: Connection, names: readonly string[], schema: Schema): void {
  const named = connection.query(`SELECT type, name FROM ${schema}.${NAMED}`);
  for (const [type, name] of named.values<[string, string]>(JSON.stringify(names))) {
    connection.execute(`DROP ${type} IF EXISTS ${schema}."${name}"`);
  }
}
