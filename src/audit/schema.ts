/**
 * The objects in the file: whether those of the log are as the log makes them, and whether there are others. Everything
 * that the log did not make is a finding, wherever it hangs.
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

/** So much of an object's SQL is read, in characters: more than that of any that the log makes. */
const MAX_SQL = 1 << 16;
// A blob is parsed as a text is.
const SELECT_OBJECTS = "SELECT type, name, tbl_name, " +
  `CAST(substr(sql, 1, ${MAX_SQL}) AS TEXT) AS sql FROM main.sqlite_schema`;
const SELECT_COLUMNS = `SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo('ops', 'main')`;

/** So many objects are kept that the log did not make; to know of some is enough for all that asks for them. */
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

/** Gives every object in the schema of the file to `use`, however many there are. */
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
 * Reads what other checks ask for of the schema: the objects that have names of the log's, each at most twice, and some
 * of those that SQLite would have to compute, on `ops` first.
 */
export function readObjects(connection: Connection, findings: Findings): SchemaObject[] {
  const own: SchemaObject[] = [];
  const counts = new Map<string, number>();
  const computed: SchemaObject[] = [];
  const computedOnOps: SchemaObject[] = [];
  forEachObject(connection, (object) => {
    const { name, table } = object;
    if (EXPECTED_NAMES.has(name)) {
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      if (count <= 2) own.push(object);
    } else if (isComputed(object)) {
      const group = table === "ops" || declarationOf(object.sql ?? "")?.table === "ops" ? computedOnOps : computed;
      if (group.length < MAX_COMPUTED) group.push(object);
    }
  }, (said) => findings.addFault({ kind: "integrity", message: `the schema cannot be read: ${said}` }));
  return [...own, ...computedOnOps, ...computed];
}

/**
 * Compares the log's objects in the schema with how the log makes them, and looks for what hangs on the log's tables.
 * A file without `ops` is no log: that is one finding.
 *
 * @param connection The log's file.
 * @param objects What {@linkcode readObjects} has read.
 * @param findings Takes what is found.
 * @returns Whether `ops` is the log's table, so that its rows can be read.
 */
export function checkSchema(connection: Connection, objects: readonly SchemaObject[], findings: Findings): boolean {
  const names = new Set(objects.map(({ name }) => name));
  if (!names.has("ops")) {
    // Of what cannot be read, nothing more is to be said.
    if (findings.areSound(1)) findings.add({ kind: "schema", message: noLog(connection, names) });
    return false;
  }
  const own = new Set(objects.filter(isExpected).map(({ name }) => name));
  for (const [name, sql] of Object.entries(TABLES)) {
    if (!names.has(name) && own.has(declarationOf(sql)!.table)) {
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
  return own.has("ops") && hasColumns(connection, findings) && isUtf8(connection, findings);
}

/**
 * Looks for objects that the log did not make, and that do not hang on its tables. There may be any number of them: they
 * are told after all else, so that they push nothing out of the report.
 */
export function checkForeign(connection: Connection, objects: readonly SchemaObject[], findings: Findings): void {
  if (!objects.some(({ name }) => name === "ops")) return; // of a file that is no log, that is said
  forEachObject(connection, (object) => {
    const fault = faultOf(object, definitionOf);
    if (fault === "foreign") report(object, fault, findings);
  });
}

function report(object: SchemaObject, fault: Fault | undefined, findings: Findings): void {
  if (fault === undefined) return;
  findings.add({ kind: kindOfFault(object, fault), message: `${MEANINGS[fault](object)}: ${quoteSql(object)}` });
}

/** Whether to check an object makes SQLite compute expressions that its author wrote, or run a module. */
export function isComputed(object: SchemaObject): boolean {
  const fault = faultOf(object, definitionOf);
  return fault === "disguised" || (fault !== undefined && runsOnRead(object));
}

/** Whether an object is the one that the log makes by that name. */
export function isExpected(object: SchemaObject): boolean {
  return definitionOf(object.name) !== undefined && faultOf(object, definitionOf) === undefined;
}

const MEANINGS: Record<Fault, (object: SchemaObject) => string> = {
  disguised: ({ type, name }) => `the schema has a ${type} ${name} that is something else`,
  altered: ({ name }) => `${name} is not as the log makes it`,
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

/** Whether SQLite takes the columns for what their text says. */
function hasColumns(connection: Connection, findings: Findings): boolean {
  const columns = reading(() => connection.query(SELECT_COLUMNS).values(), () => []);
  if (JSON.stringify(columns) === JSON.stringify(COLUMNS)) return true;
  findings.add({ kind: "schema", message: `the columns of ops are not as they should be: ${JSON.stringify(columns)}` });
  return false;
}

function isUtf8(connection: Connection, findings: Findings): boolean {
  const [encoding] = connection.query("PRAGMA encoding").value<[string]>() ?? ["unknown"];
  if (encoding === "UTF-8") return true;
  findings.add({ kind: "schema", message: `texts are stored as ${encoding}; those of a log are UTF-8` });
  return false;
}

/** What is said of a file without `ops`. */
function noLog(connection: Connection, names: ReadonlySet<string>): string {
  const { path } = connection;
  if ([...names].some((name) => isDerived(name) || Object.hasOwn(CHECKPOINT_OBJECTS, name))) {
    return `the table ops of ${path} is missing, and what belongs to a log is there: restore it from a copy`;
  }
  const isEmpty = connection.query("SELECT 1 FROM main.sqlite_schema").value() === undefined;
  return isEmpty ? `${path} is no log: it is empty` : `${path} is no log: it is a database of something else`;
}

function missing(name: string): string {
  if (name !== "ops_no_replace") return `${name} is missing`;
  return `${name} is missing, as in a log that another implementation made: to open the log to append puts it in`;
}
