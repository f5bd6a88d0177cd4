/**
 * Creates derived tables, in place of whatever has their names, and checks whether they exist as they are created. The
 * names start with `mnema_` and are reserved for the log: a view, an index or a table of other columns is replaced.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";

/** The schema of the file, or of temporary tables in memory, which hide those in the file. */
export type Schema = "main" | "temp";

/** Definitions of derived tables and their indexes. */
export interface Tables {
  /** What follows `CREATE TABLE name`, by name. */
  readonly tables: Readonly<Record<string, string>>;
  /** What follows `CREATE INDEX name ON`, by name. */
  readonly indexes?: Readonly<Record<string, string>>;
}

/** No tables but that of the watermarks, which belongs to all. */
export const NO_TABLES: Tables = { tables: {} };

const WATERMARKS = "(name TEXT PRIMARY KEY, version INTEGER NOT NULL, seq INTEGER NOT NULL)";
/** The statement of the table of the watermarks, as SQLite stores it. */
export const CREATE_WATERMARKS = `CREATE TABLE mnema_watermarks ${WATERMARKS}`;

const COUNT_DEFINED = "SELECT count(DISTINCT sql) FROM (SELECT sql FROM temp.sqlite_schema UNION ALL " +
  "SELECT sql FROM main.sqlite_schema) WHERE sql IN (SELECT value FROM json_each(?))";
/** Only types that may become a part of a statement. An index is dropped with its table. */
const NAMED = "sqlite_schema WHERE lower(name) IN (SELECT value FROM json_each(?)) " +
  "AND type IN ('table', 'view', 'index') ORDER BY type = 'index'";

/** The statements of tables and their indexes by name, as SQLite stores them. */
export function statementsOf({ tables, indexes = {} }: Tables): Record<string, string> {
  return Object.fromEntries([
    ...Object.entries(tables).map(([table, columns]) => [table, `CREATE TABLE "${table}" ${columns}`]),
    ...Object.entries(indexes).map(([index, columns]) => [index, `CREATE INDEX ${index} ON ${columns}`]),
  ]);
}

/** The statements of tables as a JSON array, and their number. */
const definitions = new WeakMap<Tables, { list: string; count: number }>();

/** Whether tables, and that of the watermarks, exist as they are created; not whether their contents are right. */
export function hasTables(connection: Connection, tables: Tables): boolean {
  const { list, count } = definitionsOf(tables);
  return connection.query(COUNT_DEFINED).value<[number]>(list)![0] === count;
}

function definitionsOf(tables: Tables): { list: string; count: number } {
  let defined = definitions.get(tables);
  if (defined === undefined) {
    const statements = [CREATE_WATERMARKS, ...Object.values(statementsOf({ tables: tables.tables }))];
    defined = { list: JSON.stringify(statements), count: statements.length };
    definitions.set(tables, defined);
  }
  return defined;
}

/** Creates tables and their indexes, empty. */
export function createTables(connection: Connection, { tables, indexes = {} }: Tables, schema: Schema): void {
  dropNamed(connection, [...Object.keys(tables), ...Object.keys(indexes)], schema);
  for (const [table, columns] of Object.entries(tables)) {
    connection.execute(`CREATE TABLE ${schema}."${table}" ${columns}`);
  }
  for (const [index, columns] of Object.entries(indexes)) {
    connection.execute(`CREATE INDEX ${schema}.${index} ON ${columns}`);
  }
}

/** Creates the table of the watermarks, empty. */
export function createWatermarks(connection: Connection, schema: Schema): void {
  dropNamed(connection, ["mnema_watermarks"], schema);
  connection.execute(`CREATE TABLE ${schema}.mnema_watermarks ${WATERMARKS}`);
}

/** Drops whatever has one of the names, whatever its type: somebody may have put a view in place of a table. */
export function dropNamed(connection: Connection, names: readonly string[], schema: Schema): void {
  const named = connection.query(`SELECT type, name FROM ${schema}.${NAMED}`);
  for (const [type, name] of named.values<[string, string]>(JSON.stringify(names))) {
    connection.execute(`DROP ${type} IF EXISTS ${schema}."${name}"`);
  }
}
