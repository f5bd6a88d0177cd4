/**
 * Checks the schema: whether the objects of the log are as the log creates them, and whether there are others. Every
 * object that the log did not create is a finding, whatever table it is on.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { type Fault, faultOf, isDerived, runsOnRead, type SchemaObject } from "../log/objects.ts";
import { OBJECTS, quoteSql } from "../log/schema.ts";
import { declarationOf, lowerCase } from "../sqlite/sql.ts";
import { reading } from "./damage.ts";
import type { FindingKind, Findings } from "./findings.ts";
import { CHECKPOINT_OBJECTS } from "../checkpoints/stored.ts";
import { definitionOf, EXPECTED_NAMES } from "./expected_schema.ts";

/** Limit of the SQL of an object that is read, in characters: more than any object of the log has. */
const MAX_SQL = 1 << 16;
// A blob is parsed as a text is.
const SELECT_OBJECTS = "SELECT type, name, tbl_name, " +
  `CAST(substr(sql, 1, ${MAX_SQL}) AS TEXT) AS sql FROM main.sqlite_schema`;
const SELECT_COLUMNS = `SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo('ops', 'main')`;

/** Limit of foreign objects that are returned: callers need to know only whether there are any. */
const MAX_COMPUTED = 100;
const COLUMNS = [
  ["seq", "INTEGER", 0, 1, 0],
  ["op_id", "TEXT", 1, 0, 0],
  ["type", "TEXT", 1, 0, 0],
  ["author", "TEXT", 1, 0, 0],
  ["ts", "INTEGER", 1, 0, 0],
  ["wire", "TEXT", 1, 0, 0],
];

/** The log's tables that are not derived, and what belongs to them. */
const TABLES = { ...OBJECTS, ...CHECKPOINT_OBJECTS };

/** Calls `use` with every object in the schema of the file, however many there are. */
function forEachObject(
  connection: Connection,
  use: (object: SchemaObject) => void,
  onDamage: (said: string) => void = () => {},
): void {
  const text = (value: unknown) => value === null ? "" : lowerCase(String(value).slice(0, MAX_SQL));
  reading(
    () =>
      connection.query(SELECT_OBJECTS).forEach(({ type, name, tbl_name: table, sql }) =>
        use({ type: text(type), name: text(name), table: text(table), sql: typeof sql === "string" ? sql : null })
      ),
    onDamage,
  );
}

/**
 * Reads the part of the schema that other checks need: the objects with a name of the log, each at most twice, and some
 * of those that SQLite would have to compute, on `ops` first.
 */
export function readObjects(connection: Connection, findings: Findings): SchemaObject[] {
  const expected: SchemaObject[] = [];
  const counts = new Map<string, number>();
  const computed: SchemaObject[] = [];
  const computedOnOps: SchemaObject[] = [];
  forEachObject(connection, (object) => {
    const { name, table } = object;
    if (EXPECTED_NAMES.has(name)) {
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      if (count <= 2) expected.push(object);
    } else if (isComputed(object)) {
      const group = table === "ops" || declarationOf(object.sql ?? "")?.table === "ops" ? computedOnOps : computed;
      if (group.length < MAX_COMPUTED) group.push(object);
    }
  }, (said) => findings.addFault({ kind: "integrity", message: `the schema cannot be read: ${said}` }));
  return [...expected, ...computedOnOps, ...computed];
}

/**
 * Compares the objects of the log with their expected SQL, and looks for others on the tables of the log. A file without
 * `ops` is not a log, which is one finding.
 *
 * @param connection The log's file.
 * @param objects The result of {@linkcode readObjects}.
 * @param findings Takes what is found.
 * @returns Whether `ops` is the table of the log, so that its rows can be checked.
 */
export function checkSchema(connection: Connection, objects: readonly SchemaObject[], findings: Findings): boolean {
  const names = new Set(objects.map(({ name }) => name));
  if (!names.has("ops")) {
    // When the schema cannot be read, that was reported.
    if (findings.areSound(1)) findings.add({ kind: "schema", message: noLog(connection, names) });
    return false;
  }
  const expected = new Set(objects.filter(isExpected).map(({ name }) => name));
  for (const [name, sql] of Object.entries(TABLES)) {
    if (!names.has(name) && expected.has(declarationOf(sql)!.table)) {
      findings.add({ kind: kindOf(sql), message: missing(name) });
    }
  }
  const seen = new Set<string>();
  forEachObject(connection, (object) => {
    const { name, sql } = object;
    if (seen.has(name)) {
      findings.add({ kind: kindOf(sql), message: `${name} is there twice: ${quoteSql(object)}` });
      return;
    }
    if (Object.hasOwn(TABLES, name)) seen.add(name);
    const fault = faultOf(object, definitionOf);
    if (fault !== "foreign") report(object, fault, findings);
  });
  return expected.has("ops") && hasColumns(connection, findings) && isUtf8(connection, findings);
}

/**
 * Looks for objects that the log did not create, on tables that are not the log's. There may be any number of them: they
 * are reported last, so that they push nothing out of the report.
 */
export function checkForeign(connection: Connection, objects: readonly SchemaObject[], findings: Findings): void {
  if (!objects.some(({ name }) => name === "ops")) return; // not a log, which was reported
  forEachObject(connection, (object) => {
    const fault = faultOf(object, definitionOf);
    if (fault === "foreign") report(object, fault, findings);
  });
}

function report(object: SchemaObject, fault: Fault | undefined, findings: Findings): void {
  if (fault === undefined) return;
  findings.add({ kind: kindOfFault(object, fault), message: `${MEANINGS[fault](object)}: ${quoteSql(object)}` });
}

/** Whether SQLite, to check an object, evaluates foreign expressions or runs a module. */
export function isComputed(object: SchemaObject): boolean {
  const fault = faultOf(object, definitionOf);
  return fault === "disguised" || (fault !== undefined && runsOnRead(object));
}

/** Whether an object is as the log creates it. */
export function isExpected(object: SchemaObject): boolean {
  return definitionOf(object.name) !== undefined && faultOf(object, definitionOf) === undefined;
}

const MEANINGS: Record<Fault, (object: SchemaObject) => string> = {
  disguised: ({ type, name }) =>
    `${name === "" ? "a schema row without a name" : `the schema row of the ${type} ${name}`} contradicts its SQL`,
  altered: ({ name }) => `${name} is not as the log creates it`,
  attached: ({ type, name, table }) => `the ${type} ${name} on ${table} is not the log's`,
  foreign: ({ type, name }) => `the ${type} ${name} is not the log's`,
};

function kindOfFault({ name, sql }: SchemaObject, fault: Fault): FindingKind {
  if (fault === "altered" && isDerived(name)) return "derived-differs";
  if (fault === "altered" && name === "checkpoints") return "checkpoint";
  if (fault === "altered") return kindOf(definitionOf(name)!);
  return kindOf(sql);
}

/** The kind of finding for what a statement makes. */
function kindOf(sql: string | null): FindingKind {
  const type = declarationOf(sql ?? "")?.type;
  return type === "trigger" || type === "index" ? type : "schema";
}

/** Whether the columns, as SQLite parsed them, are the expected ones. */
function hasColumns(connection: Connection, findings: Findings): boolean {
  const columns = reading(() => connection.query(SELECT_COLUMNS).values(), () => []);
  if (JSON.stringify(columns) === JSON.stringify(COLUMNS)) return true;
  findings.add({ kind: "schema", message: `ops has unexpected columns: ${JSON.stringify(columns)}` });
  return false;
}

function isUtf8(connection: Connection, findings: Findings): boolean {
  const [encoding] = connection.query("PRAGMA encoding").value<[string]>() ?? ["unknown"];
  if (encoding === "UTF-8") return true;
  findings.add({ kind: "schema", message: `texts are stored as ${encoding}; those of a log are UTF-8` });
  return false;
}

/** The message for a file without `ops`. */
function noLog(connection: Connection, names: ReadonlySet<string>): string {
  const { path } = connection;
  if ([...names].some((name) => isDerived(name) || Object.hasOwn(CHECKPOINT_OBJECTS, name))) {
    return `the table ops of ${path} is missing, and other tables of a log are there: restore it from a copy`;
  }
  const isEmpty = connection.query("SELECT 1 FROM main.sqlite_schema").value() === undefined;
  return isEmpty ? `${path} is not a log: it is empty` : `${path} is not a log: it is a database of something else`;
}

function missing(name: string): string {
  if (name !== "ops_no_replace") return `${name} is missing`;
  return `${name} is missing, as in a log that another implementation made: opening the log to append adds it`;
}
