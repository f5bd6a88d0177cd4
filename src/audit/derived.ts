/**
 * The tables that are derived from the log: each is made anew, in memory, up to the last `seq` it has seen, and must
 * come out the same. One that is behind the log, or not there, is fine: it is brought up when it is asked for. The
 * states of projections that a user wrote are not judged: what makes them is not known here.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { lastSeq } from "../log/entries.ts";
import { Projections, type TableProjection } from "../derived/projections.ts";
import { reading } from "./damage.ts";
import type { Findings } from "./findings.ts";
import { DERIVED } from "./expected_schema.ts";
import { MAX_WIRE_BYTES } from "./rows.ts";
import type { SchemaObject } from "../log/objects.ts";
import { isExpected, readObjects } from "./schema.ts";
import { isSafe, largestRow, type Structure } from "./structure.ts";

const SELECT_WATERMARKS = "SELECT version, seq FROM main.mnema_watermarks WHERE name = ?";
const SELECT_COLUMNS = "SELECT name FROM pragma_table_xinfo(?, ?)";
const VIEW = "CREATE TEMP VIEW ops AS SELECT seq, op_id, type, author, ts, wire FROM main.ops WHERE seq <= ";

/** No row of a derived table is larger than the greatest operation that is looked at. */
const MAX_ROW_BYTES = MAX_WIRE_BYTES + 4096;

interface Stored {
  projection: TableProjection;
  watermark: number;
}

/**
 * Compares the derived tables with the log, all at one moment.
 *
 * @param connection The log's file.
 * @param structure What was found without SQLite.
 * @param findings Takes what is found; where it holds faults of rows, what is derived from those is not judged.
 * @returns Those that were compared, and are as they should be.
 */
export function checkDerived(
  connection: Connection,
  structure: Structure,
  findings: Findings,
): ReadonlySet<TableProjection> {
  const same = new Set<TableProjection>();
  if (!findings.areSound(1)) {
    findings.skip("what is derived from the log: the rows that it is derived from are not sound");
    return same;
  }
  connection.temporarily(() => {
    for (
      const [watermark, group] of Map.groupBy(storedOf(connection, structure, findings), ({ watermark }) => watermark)
    ) {
      for (const projection of compare(connection, watermark, group.map(({ projection }) => projection), findings)) {
        same.add(projection);
      }
    }
  });
  return same;
}

/** What is kept that can be judged. */
function storedOf(connection: Connection, structure: Structure, findings: Findings): Stored[] {
  const objects = readObjects(connection, findings);
  const last = reading(() => lastSeq(connection), () => 0);
  const kept: Stored[] = [];
  const unsound: string[] = [];
  for (const projection of DERIVED) {
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
    if (findings.areSound(watermark)) kept.push({ projection, watermark });
    else unsound.push(projection.name);
  }
  if (unsound.length > 0) {
    findings.skip(`the derived state of ${unsound.join(", ")}: rows that it is derived from are not sound`);
  }
  return kept;
}

/** Those of the projections of which the same is kept as comes out when they are made anew. */
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
 * Makes projections anew in memory, from the operations up to a `seq`. Inside {@linkcode Connection.temporarily}.
 *
 * @param use What to do with their tables, which hide those in the file.
 */
export function withRebuilt<T>(
  connection: Connection,
  upTo: number,
  projections: readonly TableProjection[],
  use: () => T,
): T {
  // It hides the table: whatever reads the log sees it as it was.
  connection.execute(VIEW + upTo);
  try {
    return new Projections(connection, []).withCopies(projections, use);
  } finally {
    connection.execute("DROP VIEW temp.ops");
  }
}

/** The last `seq` that a projection has seen; undefined when nothing is kept of it, or what is kept is found faulty. */
function watermarkOf(
  connection: Connection,
  { name, version, tables }: TableProjection,
  objects: readonly SchemaObject[],
  last: number,
  findings: Findings,
): number | undefined {
  const names = ["mnema_watermarks", ...Object.keys(tables)];
  const found = names.map((table) => objects.find((object) => object.name === table));
  if (found.includes(undefined)) return undefined; // it will be made anew
  const tell = (fault: string) => {
    findings.add({ kind: "derived-differs", message: `the derived state of ${name}: ${fault}` });
    return undefined;
  };
  if (!found.every((object) => isExpected(object!))) return undefined; // the schema check has told of it
  const rows = reading<unknown[][] | string>(() => connection.query(SELECT_WATERMARKS).values(name), (said) => said);
  if (typeof rows === "string") return findings.areSound(last) ? tell(rows) : undefined;
  if (rows.length === 0 || rows[0][0] !== version) return undefined; // it will be made anew
  const [[, seq]] = rows;
  if (!Number.isSafeInteger(seq) || (seq as number) < 0) return tell(`it has seen seq ${seq}`);
  const watermark = seq as number;
  if (watermark > last && findings.areSound(watermark)) {
    return tell(`it has seen seq ${watermark}, and the log ends at ${last}`);
  }
  return watermark;
}

/**
 * How what is kept differs from what was made anew; undefined when it does not. Only tables of as many rows as there
 * should be, which are all different, are compared row by row.
 */
function differenceOf(connection: Connection, { tables }: TableProjection): string | undefined {
  const faults: string[] = [];
  for (const table of Object.keys(tables)) {
    const columnsOf = (schema: string) => connection.query(SELECT_COLUMNS).values<[string]>(table, schema).flat();
    const columns = columnsOf("temp");
    if (columns.join() !== columnsOf("main").join()) return `the columns of ${table} are others`;
    const count = (schema: string) =>
      connection.query(`SELECT count(*) FROM ${schema}."${table}"`).value<[number]>()![0];
    const [found, expected] = [count("main"), count("temp")];
    if (found !== expected) {
      faults.push(`${table} has ${found} rows, and should have ${expected}`);
      continue;
    }
    // Not by a search for each row: what should be an index of the table may be none.
    const list = columns.map((column) => `"${column}"`).join(", ");
    const [shared] = connection.query(
      `SELECT count(*) FROM (SELECT ${list} FROM temp."${table}" INTERSECT ` +
        `SELECT ${list} FROM main."${table}" NOT INDEXED)`,
    ).value<[number]>()!;
    if (shared < expected) faults.push(`${table} has ${expected - shared} rows that it should not have`);
  }
  return faults.length > 0 ? faults.join("; ") : undefined;
}
