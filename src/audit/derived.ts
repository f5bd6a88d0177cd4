/**
 * Checks derived tables: each is rebuilt in memory, up to its watermark, and must be equal to the stored one. One that is
 * behind the log, or missing, is valid: it catches up when it is read. The states of projections that a user wrote are
 * not checked: their code is not known here.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { lastSeq } from "../log/entries.ts";
import { BUILT_IN } from "../built_in.ts";
import { Projections } from "../derived/engine.ts";
import type { TableProjection } from "../derived/table_projection.ts";
import { reading } from "./damage.ts";
import type { Findings } from "./findings.ts";
import { MAX_WIRE_BYTES } from "./rows.ts";
import type { SchemaObject } from "../log/objects.ts";
import { isExpected, readObjects } from "./schema.ts";
import { isSafe, largestRow, type Structure } from "./structure.ts";

const SELECT_WATERMARKS = "SELECT version, seq FROM main.mnema_watermarks WHERE name = ?";
const SELECT_COLUMNS = "SELECT name, pk FROM pragma_table_xinfo(?, ?)";
const SELECT_STATISTICS = "SELECT 1 FROM main.sqlite_schema WHERE lower(name) GLOB 'sqlite_stat*' LIMIT 1";
const SELECT_INDEX = "SELECT 1 FROM main.sqlite_schema WHERE type = 'index' AND lower(tbl_name) = ? LIMIT 1";
// SQLite uses one upper limit of `seq` to end a search: with the plus, it is not this one, but that of a query.
const VIEW = "CREATE TEMP VIEW ops AS SELECT seq, op_id, type, author, ts, wire FROM main.ops WHERE +seq <= ";

/** No row of a derived table is larger than the largest operation that is checked. */
const MAX_ROW_BYTES = MAX_WIRE_BYTES + 4096;

interface Stored {
  projection: TableProjection;
  watermark: number;
}

/**
 * Compares the derived tables with the log, in one snapshot.
 *
 * @param connection The log's file.
 * @param structure The structure of the file.
 * @param findings Takes what is found; what is derived from faulty rows is not checked.
 * @returns The projections whose tables are equal.
 */
export function checkDerived(
  connection: Connection,
  structure: Structure,
  findings: Findings,
): ReadonlySet<TableProjection> {
  const equal = new Set<TableProjection>();
  if (!findings.areSound(1)) {
    findings.skip("what is derived from the log: the rows that it is derived from are faulty");
    return equal;
  }
  connection.temporarily(() => {
    for (
      const [watermark, group] of Map.groupBy(storedOf(connection, structure, findings), ({ watermark }) => watermark)
    ) {
      for (const projection of compare(connection, watermark, group.map(({ projection }) => projection), findings)) {
        equal.add(projection);
      }
    }
  });
  return equal;
}

/** The stored projections that can be checked, with their watermarks. */
function storedOf(connection: Connection, structure: Structure, findings: Findings): Stored[] {
  const objects = readObjects(connection, findings);
  const last = reading(() => lastSeq(connection), () => 0);
  const stored: Stored[] = [];
  const faulty: string[] = [];
  for (const projection of BUILT_IN) {
    const tables = ["mnema_watermarks", ...Object.keys(projection.tables)];
    if (!tables.every((table) => isSafe(structure, table))) {
      findings.skip(`the derived state of ${projection.name}: a table of it reaches a page twice`);
      continue;
    }
    const large = tables.find((table) => largestRow(structure, table) > MAX_ROW_BYTES);
    if (large !== undefined) {
      const message = `the derived state of ${projection.name}: ${large} has a row that is larger than any operation`;
      findings.add({ kind: "derived-differs", message });
      continue;
    }
    const watermark = watermarkOf(connection, projection, objects, last, findings);
    if (watermark === undefined) continue;
    if (findings.areSound(watermark)) stored.push({ projection, watermark });
    else faulty.push(projection.name);
  }
  if (faulty.length > 0) {
    findings.skip(`the derived state of ${faulty.join(", ")}: rows that it is derived from are faulty`);
  }
  return stored;
}

/** The projections whose tables are equal when they are rebuilt. */
function compare(
  connection: Connection,
  watermark: number,
  projections: readonly TableProjection[],
  findings: Findings,
): TableProjection[] {
  return withRebuilt(connection, watermark, projections, () =>
    projections.filter((projection) => {
      const fault = reading(() => differenceOf(connection, projection), (said) => said);
      if (fault === undefined) return true;
      findings.add({ kind: "derived-differs", message: `the derived state of ${projection.name}: ${fault}` });
      return false;
    }));
}

/**
 * Rebuilds projections in memory, from the operations up to a `seq`. Inside {@linkcode Connection.temporarily}.
 *
 * @param use Called while the rebuilt tables hide those in the file.
 */
export function withRebuilt<T>(
  connection: Connection,
  upTo: number,
  projections: readonly TableProjection[],
  use: () => T,
): T {
  // The view hides the table: whatever reads the log reads it up to that `seq`.
  connection.execute(VIEW + upTo);
  try {
    return new Projections(connection, []).withCopies(projections, use);
  } finally {
    connection.execute("DROP VIEW temp.ops");
  }
}

/** The watermark of a projection; undefined when it is not stored, or reported as faulty. */
function watermarkOf(
  connection: Connection,
  { name, version, tables }: TableProjection,
  objects: readonly SchemaObject[],
  last: number,
  findings: Findings,
): number | undefined {
  const names = ["mnema_watermarks", ...Object.keys(tables)];
  const found = names.map((table) => objects.find((object) => object.name === table));
  if (found.includes(undefined)) return undefined; // it will be rebuilt
  const report = (fault: string) => {
    findings.add({ kind: "derived-differs", message: `the derived state of ${name}: ${fault}` });
    return undefined;
  };
  if (!found.every((object) => isExpected(object!))) return undefined; // reported by the schema check
  const rows = reading<unknown[][] | string>(() => connection.query(SELECT_WATERMARKS).values(name), (said) => said);
  if (typeof rows === "string") return findings.areSound(last) ? report(rows) : undefined;
  if (rows.length === 0 || rows[0][0] !== version) return undefined; // it will be rebuilt
  const [[, seq]] = rows;
  if (!Number.isSafeInteger(seq) || (seq as number) < 0) return report(`its watermark is ${seq}`);
  const watermark = seq as number;
  if (watermark > last && findings.areSound(watermark)) {
    return report(`its watermark is ${watermark}, and the log ends at ${last}`);
  }
  return watermark;
}

/**
 * How the stored tables differ from the rebuilt ones; undefined when they are equal. Only tables with the expected number
 * of rows are compared row by row.
 */
function differenceOf(connection: Connection, { tables }: TableProjection): string | undefined {
  const faults: string[] = [];
  for (const [table, definition] of Object.entries(tables)) {
    const columnsOf = (schema: string) =>
      connection.query(SELECT_COLUMNS).values<[name: string, key: number]>(table, schema);
    const columns = columnsOf("temp");
    if (JSON.stringify(columns) !== JSON.stringify(columnsOf("main"))) return `${table} has unexpected columns`;
    const count = (sql: string) => connection.query(`SELECT count(*) FROM ${sql}`).value<[number]>()![0];
    const [found, expected] = [count(`main."${table}" NOT INDEXED`), count(`temp."${table}"`)];
    if (found !== expected) {
      faults.push(`${table} has ${found} rows, and should have ${expected}`);
      continue;
    }
    const isSearched = canBeSearched(connection, table, definition);
    const shared = count(isSearched ? sameRowsByKey(table, columns) : sameRows(table, columns));
    if (shared !== expected) faults.push(`${table} has ${expected - shared} rows that it should not have`);
  }
  return faults.length > 0 ? faults.join("; ") : undefined;
}

/**
 * Whether SQLite searches a stored table by its key. It uses an index of a table WITHOUT ROWID although that is excluded,
 * and looks at all rows each time where statistics say that they are few: both may come from somebody else.
 */
function canBeSearched(connection: Connection, table: string, definition: string): boolean {
  const exists = (sql: string, ...args: string[]) => connection.query(sql).value(...args) !== undefined;
  if (exists(SELECT_STATISTICS)) return false;
  return definition.includes("INTEGER PRIMARY KEY") ||
    definition.endsWith("WITHOUT ROWID") && !exists(SELECT_INDEX, table);
}

// Neither of the following uses an index beside the stored table: it may be missing.

/**
 * The rows that both tables hold. Each rebuilt one is searched for in the stored table itself, as both are in the order
 * of the key: this takes a time in proportion to the rows, and no memory. With the plus, what is stored is compared as it is:
 * the text '3' in a column of integers is not 3.
 */
function sameRowsByKey(table: string, columns: readonly [name: string, key: number][]): string {
  const same = columns.map(([name, key]) =>
    key > 0 ? `stored."${name}" = rebuilt."${name}"` : `+stored."${name}" IS +rebuilt."${name}"`
  );
  return `temp."${table}" AS rebuilt CROSS JOIN main."${table}" AS stored NOT INDEXED ON ${same.join(" AND ")}`;
}

/** The same of tables in no order, by sorting them. */
function sameRows(table: string, columns: readonly [name: string, key: number][]): string {
  const list = columns.map(([name]) => `"${name}"`).join(", ");
  return `(SELECT ${list} FROM temp."${table}" INTERSECT SELECT ${list} FROM main."${table}" NOT INDEXED)`;
}
