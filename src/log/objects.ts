/**
 * What a file's schema holds, judged: what the log made is known by its definition, name, table and SQL, and all else is
 * someone else's. The schema may be hostile: `sqlite_schema` can be written like any table.
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
  /** How it was made; null for an index that a table brings with it. */
  sql: string | null;
}

/** The SQL that makes an object of the log's own; undefined for a name that is not the log's. */
export type Definitions = (name: string) => string | undefined;

/**
 * What is wrong with an object.
 *
 * - `disguised`: its row says something else than its SQL, which is what SQLite goes by.
 * - `altered`: it has the name of an object of the log's, and is another.
 * - `attached`: it hangs on a table of the log's, and the log did not make it.
 * - `foreign`: the log did not make it.
 */
export type Fault = "disguised" | "altered" | "attached" | "foreign";

const AUTOMATIC_INDEX = "sqlite_autoindex_";
/** Of a table: what makes SQLite compute something when the table is read or checked. */
const COMPUTED: ReadonlySet<string> = new Set(["AS", "GENERATED", "VIRTUAL"]);
/** Of a table: what makes SQLite compute something when a row is written. */
const COMPUTED_ON_WRITE: ReadonlySet<string> = new Set([...COMPUTED, "CHECK", "COLLATE", "DEFAULT", "REFERENCES"]);

const VIRTUAL: ReadonlySet<string> = new Set(["VIRTUAL"]);

/** What is wrong with an object; undefined when the log made it, or when a table brings it with it. */
export function faultOf(object: SchemaObject, definitions: Definitions): Fault | undefined {
  const { type, name, table, sql } = object;
  if (sql === null) return type === "index" && name.startsWith(AUTOMATIC_INDEX) ? undefined : "disguised";
  const own = definitions(name);
  const declared = sql === own ? ownDeclaration(own) : declarationOf(sql);
  if (declared?.type !== type || declared.name !== name || declared.table !== table) return "disguised";
  if (own !== undefined) return isSameSql(sql, own) ? undefined : "altered";
  const isAttached = (type === "trigger" || type === "index") && isOfLog(table, definitions);
  return isAttached ? "attached" : "foreign";
}

/** What statements of the log's own make: they are met each time a log is opened. */
const ownDeclarations = new Map<string, Declaration | undefined>();

function ownDeclaration(own: string): Declaration | undefined {
  if (!ownDeclarations.has(own)) ownDeclarations.set(own, declarationOf(own));
  return ownDeclarations.get(own);
}

/** Whether a table is the log's, or is named as what the log derives. */
function isOfLog(table: string, definitions: Definitions): boolean {
  return isDerived(table) || definitions(table) !== undefined;
}

/** Whether a name is one of those that the log keeps for what it derives. */
export function isDerived(name: string): boolean {
  return name.startsWith("mnema_");
}

/** Whether an object that the log did not make computes something, or refuses rows, when the table it is on is written. */
export function runsOnWrite({ type, sql }: SchemaObject): boolean {
  if (sql === null) return false;
  if (type === "index") return !isPlainIndex(sql);
  return type !== "table" || hasKeyword(sql, COMPUTED_ON_WRITE);
}

/** Whether an object has the keyword VIRTUAL, as a table has that a module of SQLite implements. */
export function isVirtual({ sql }: SchemaObject): boolean {
  return sql !== null && hasKeyword(sql, VIRTUAL);
}

/** Whether to read or check an object that the log did not make makes SQLite compute what its author wrote. */
export function runsOnRead({ type, sql }: SchemaObject): boolean {
  if (sql === null) return false;
  if (type === "index") return !isPlainIndex(sql);
  return type === "table" && hasKeyword(sql, COMPUTED);
}
