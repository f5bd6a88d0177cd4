/**
 * Classifies the objects of a file's schema: the log's own objects are recognized by definition, name, table and SQL, all
 * others are foreign. The schema may be hostile: `sqlite_schema` can be written like any table.
 *
 * @module
 */

import { type Declaration, declarationOf, hasKeyword, isPlainIndex, isSameSql } from "../sqlite/sql.ts";

/** An object of a file's schema, as its row has it. */
export interface SchemaObject {
  /** `table`, `index`, `view` or `trigger`. */
  type: string;
  /** Its name in lower case: names have no case. */
  name: string;
  /** The table it belongs to, in lower case. */
  table: string;
  /** The statement that created it; null for an index that SQLite creates with a table. */
  sql: string | null;
}

/** The SQL that creates an object of the log; undefined for a name that is not the log's. */
export type Definitions = (name: string) => string | undefined;

/**
 * What is wrong with an object.
 *
 * - `disguised`: its row differs from its SQL, which SQLite uses.
 * - `altered`: it has the name of an object of the log, and another definition.
 * - `attached`: it belongs to a table of the log, and the log did not create it.
 * - `foreign`: the log did not create it.
 */
export type Fault = "disguised" | "altered" | "attached" | "foreign";

const AUTOMATIC_INDEX = "sqlite_autoindex_";
/** Keywords of a table that make SQLite compute something when the table is read or checked. */
const COMPUTED: ReadonlySet<string> = new Set(["AS", "GENERATED", "VIRTUAL"]);
/** Keywords of a table that make SQLite compute something when a row is written. */
const COMPUTED_ON_WRITE: ReadonlySet<string> = new Set([...COMPUTED, "CHECK", "COLLATE", "DEFAULT", "REFERENCES"]);

const VIRTUAL: ReadonlySet<string> = new Set(["VIRTUAL"]);

/** What is wrong with an object; undefined when the log created it, or SQLite with a table. */
export function faultOf(object: SchemaObject, definitions: Definitions): Fault | undefined {
  const { type, name, table, sql } = object;
  if (sql === null) return type === "index" && name.startsWith(AUTOMATIC_INDEX) ? undefined : "disguised";
  const expected = definitions(name);
  const declared = sql === expected ? expectedDeclaration(expected) : declarationOf(sql);
  if (declared?.type !== type || declared.name !== name || declared.table !== table) return "disguised";
  if (expected !== undefined) return isSameSql(sql, expected) ? undefined : "altered";
  const isAttached = (type === "trigger" || type === "index") && isOfLog(table, definitions);
  return isAttached ? "attached" : "foreign";
}

/** Declarations of the log's own statements, which are looked up each time a log is opened. */
const expectedDeclarations = new Map<string, Declaration | undefined>();

function expectedDeclaration(sql: string): Declaration | undefined {
  if (!expectedDeclarations.has(sql)) expectedDeclarations.set(sql, declarationOf(sql));
  return expectedDeclarations.get(sql);
}

/** Whether a table is the log's, or has the name of a derived one. */
function isOfLog(table: string, definitions: Definitions): boolean {
  return isDerived(table) || definitions(table) !== undefined;
}

/** Whether a name is reserved for derived objects. */
export function isDerived(name: string): boolean {
  return name.startsWith("mnema_");
}

/** Whether a foreign object computes something, or refuses rows, when its table is written. */
export function runsOnWrite({ type, sql }: SchemaObject): boolean {
  if (sql === null) return false;
  if (type === "index") return !isPlainIndex(sql);
  return type !== "table" || hasKeyword(sql, COMPUTED_ON_WRITE);
}

/** Whether an object has the keyword VIRTUAL, as a table that a module of SQLite implements. */
export function isVirtual({ sql }: SchemaObject): boolean {
  return sql !== null && hasKeyword(sql, VIRTUAL);
}

/** Whether SQLite computes what the author of a foreign object wrote when the object is read or checked. */
export function runsOnRead({ type, sql }: SchemaObject): boolean {
  if (sql === null) return false;
  if (type === "index") return !isPlainIndex(sql);
  return type === "table" && hasKeyword(sql, COMPUTED);
}
