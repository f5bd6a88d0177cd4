/**
 * The objects in the file: whether `ops`, its indexes and its triggers are the log's, and nothing else is attached to
 * it. Tables of others beside it are left alone.
 *
 * @module
 */

import type { Connection } from "../../log/connection.ts";
import { normalized, OBJECTS } from "../../log/schema.ts";
import { reading } from "./file.ts";
import type { Findings } from "./findings.ts";
import { OWN } from "./own.ts";

/** Something in the file's schema. */
export interface SchemaObject {
  /** `table`, `index`, `view` or `trigger`. */
  type: string;
  /** Its name in lower case: names have no case. */
  name: string;
  /** The table it belongs to, in lower case. */
  table: string;
  /** How it was made; none for an index that a table brings with it. */
  sql: string | null;
}

const SELECT_OBJECTS = "SELECT type, lower(name), lower(tbl_name), sql FROM main.sqlite_schema LIMIT ?";
const SELECT_COLUMNS = `SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo('ops', 'main')`;
const SELECT_INDEXES = "SELECT lower(name), origin FROM pragma_index_list('ops', 'main')";

/** A schema has no more. */
const MOST_OBJECTS = 10_000;
const COLUMNS = [
  ["seq", "INTEGER", 0, 1, 0],
  ["op_id", "TEXT", 1, 0, 0],
  ["type", "TEXT", 1, 0, 0],
  ["author", "TEXT", 1, 0, 0],
  ["ts", "INTEGER", 1, 0, 0],
  ["wire", "TEXT", 1, 0, 0],
];
const ON_OPS = /\bon\s+(?:["'`[]?\w+["'`\]]?\s*\.\s*)?["'`[]?ops\b/i;

/** Reads what the schema of the file holds. */
export function readObjects(connection: Connection, findings: Findings): SchemaObject[] {
  const rows = reading(
    () => connection.query(SELECT_OBJECTS).values<unknown[]>(MOST_OBJECTS),
    (said) => {
      findings.addFault({ kind: "integrity", message: `the schema cannot be read: ${said}` });
      return [];
    },
  );
  return rows.map(([type, name, table, sql]) => (
    { type: String(type), name: String(name), table: String(table), sql: typeof sql === "string" ? sql : null }
  ));
}

/**
 * Compares the schema with the log's.
 *
 * @returns Whether `ops` is the log's table, so that its rows can be read.
 */
export function checkSchema(connection: Connection, objects: readonly SchemaObject[], findings: Findings): boolean {
  for (const [name, sql] of Object.entries(OBJECTS)) {
    const kind = name === "ops" ? "schema" : sql.startsWith("CREATE TRIGGER") ? "trigger" : "index";
    const found = objects.filter((object) => object.name === name);
    if (found.length === 0) findings.add({ kind, message: missing(name) });
    for (const object of found.slice(1)) findings.add({ kind, message: `${name} is there twice: ${quoted(object)}` });
    if (found.length > 0 && !isSame(found[0], sql)) {
      findings.add({ kind, message: `${name} is not as it should be: ${quoted(found[0])}` });
    }
  }
  const isOps = objects.some((object) => object.name === "ops" && isSame(object, OBJECTS.ops));
  if (!isOps) return false;
  checkAttached(connection, objects, findings);
  return hasColumns(connection, findings) && isUtf8(connection, findings);
}

/** Whether checking an object makes SQLite compute expressions that its author wrote, or run a module. */
export function isComputed({ type, name, sql }: SchemaObject): boolean {
  if (sql === null || isSame({ type, sql }, OWN[name])) return false;
  // An expression in an index stands in more parentheses, or is no name; a partial index has something behind them.
  if (type === "index") return !/^CREATE\s+(?:UNIQUE\s+)?INDEX[^()]*\([\w\s,"`[\].]*\)\s*$/i.test(sql);
  return type === "table" && /\b(?:as|virtual)\b/i.test(sql);
}

function checkAttached(connection: Connection, objects: readonly SchemaObject[], findings: Findings): void {
  const isForeign = ({ name }: { name: string }) => !Object.hasOwn(OBJECTS, name);
  for (const object of objects) {
    if (object.type !== "trigger" || !isForeign(object)) continue;
    if (object.table !== "ops" && !ON_OPS.test(object.sql ?? "")) continue;
    findings.add({ kind: "trigger", message: `${object.name} is not the log's: ${quoted(object)}` });
  }
  const indexes = reading(
    () => connection.query(SELECT_INDEXES).values<[string, string]>(),
    (said): [string, string][] => {
      findings.addFault({ kind: "integrity", message: `the indexes of ops cannot be read: ${said}` });
      return [];
    },
  );
  for (const [name, origin] of indexes) {
    if (origin !== "c" || !isForeign({ name })) continue;
    const object = objects.find((object) => object.name === name && object.type === "index");
    findings.add({ kind: "index", message: `${name} is not the log's: ${quoted(object)}` });
  }
}

/** Whether SQLite takes the columns for what their text says: words that have grown together are another type. */
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

function isSame({ type, sql }: Pick<SchemaObject, "type" | "sql">, expected: string | undefined): boolean {
  return sql !== null && expected !== undefined && normalized(sql) === normalized(expected) &&
    expected.startsWith(`CREATE ${type.toUpperCase()} `);
}

function missing(name: string): string {
  if (name !== "ops_no_replace") return `${name} is missing`;
  return `${name} is missing, as in a log that another implementation made: to open the log to append puts it in`;
}

function quoted(object: SchemaObject | undefined): string {
  return object?.sql == null ? "it has no text" : JSON.stringify(object.sql);
}
