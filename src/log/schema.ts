/**
 * The table, indexes and triggers of the log, as they are in the file. Other implementations open the same file, so
 * names and columns are theirs too.
 *
 * The triggers make the table append-only against everyone who does not drop them first. `ops_no_replace` closes what
 * the first two leave open: INSERT OR REPLACE removes a row without firing a delete trigger, and an explicit `seq` can
 * be put in a gap or before the end. In a BEFORE INSERT trigger, `NEW.seq` is -1 when SQLite is to choose it; an
 * explicit -1 cannot be distinguished from that.
 *
 * @module
 */

import { FileError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { type Definitions, faultOf, isDerived, isVirtual, runsOnWrite, type SchemaObject } from "./objects.ts";
import { lowerCase } from "../sqlite/sql.ts";
import { refuseReadOnlyFile, useWriteAheadLog } from "../sqlite/writable.ts";

/** The start of the message of every trigger of the log. */
const APPEND_ONLY = "mnema log is append-only";

/** The statements of the log's objects, by name. */
export const OBJECTS: Readonly<Record<string, string>> = {
  ops: "CREATE TABLE ops (seq INTEGER PRIMARY KEY AUTOINCREMENT, op_id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, " +
    "author TEXT NOT NULL, ts INTEGER NOT NULL, wire TEXT NOT NULL)",
  idx_ops_type: "CREATE INDEX idx_ops_type ON ops(type)",
  idx_ops_author: "CREATE INDEX idx_ops_author ON ops(author)",
  ops_no_update: "CREATE TRIGGER ops_no_update BEFORE UPDATE ON ops " +
    `BEGIN SELECT RAISE(ABORT, '${APPEND_ONLY}: UPDATE forbidden'); END`,
  ops_no_delete: "CREATE TRIGGER ops_no_delete BEFORE DELETE ON ops " +
    `BEGIN SELECT RAISE(ABORT, '${APPEND_ONLY}: DELETE forbidden'); END`,
  ops_no_replace: "CREATE TRIGGER ops_no_replace BEFORE INSERT ON ops " +
    "WHEN NEW.seq <> -1 OR EXISTS (SELECT 1 FROM ops WHERE op_id = NEW.op_id) " +
    `BEGIN SELECT RAISE(ABORT, '${APPEND_ONLY}: INSERT may neither replace a row nor choose its seq'); END`,
};

const SELECT_OTHER_TRIGGER = "SELECT 1 FROM main.sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = 'ops' " +
  "AND lower(name) NOT IN (SELECT value FROM json_each(?)) LIMIT 1";
const NAMES = JSON.stringify(Object.keys(OBJECTS));

/** Changes nothing, and fails where the file cannot be written. */
const WRITE_PROBE = "DELETE FROM ops WHERE false";

/** A blob is parsed as a text is. */
const SELECT_OBJECTS = "SELECT type, name, tbl_name, CAST(sql AS TEXT) FROM main.sqlite_schema";
/** The quoted length of an object's SQL, in UTF-16 code units. */
const MAX_QUOTED = 200;

/** Which of the log's objects a file holds: it holds nothing at all, some, or all. */
type SchemaState = "empty" | "partial" | "complete";

/**
 * Makes sure that the file holds a log: an existing one is checked, and completed when it lacks indexes or triggers; an
 * empty file becomes a log. Everything is checked before anything is changed. For writing, no object may exist that would
 * run as rows are written, on any table that the log writes.
 *
 * @param connection The log's file.
 * @param definitions The definitions of all that the log creates, derived tables included.
 * @throws {FileError} `not-a-log`, `not-a-database`.
 */
export function ensureSchema(connection: Connection, definitions: Definitions): void {
  const state = readSchema(connection, definitions);
  if (connection.readonly) {
    if (state === "empty") throw new FileError("not-a-log", connection.path, `${connection.path} holds no log`);
    return;
  }
  if (state !== "empty") refuseReadOnlyFile(connection, WRITE_PROBE);
  useWriteAheadLog(connection);
  if (state === "complete") return;
  connection.transaction(() => {
    const names = namesOf(schemaObjects(connection));
    for (const [name, sql] of Object.entries(OBJECTS)) {
      if (!names.has(name)) connection.execute(sql);
    }
  });
}

/** Whether somebody has made a trigger on the table since the log was opened. */
export function hasOtherTriggers(connection: Connection): boolean {
  return connection.query(SELECT_OTHER_TRIGGER).value(NAMES) !== undefined;
}

function readSchema(connection: Connection, definitions: Definitions): SchemaState {
  const { path } = connection;
  const objects = schemaObjects(connection);
  if (objects.length === 0) return "empty";
  const names = namesOf(objects);
  if (!names.has("ops")) {
    throw new FileError("not-a-log", path, `${path} is a database of something else; name another file for the log`);
  }
  for (const object of objects) {
    const message = refusalOf(object, definitions, connection.readonly);
    if (message !== undefined) throw new FileError("not-a-log", path, `${path} ${message}`);
  }
  return Object.keys(OBJECTS).every((name) => names.has(name)) ? "complete" : "partial";
}

/** Why a file with such an object is not opened; undefined when it is. */
function refusalOf(object: SchemaObject, definitions: Definitions, readonly: boolean): string | undefined {
  const { name } = object;
  const fault = faultOf(object, definitions);
  if (fault === undefined || fault === "foreign") return undefined;
  if (fault === "disguised") return `hides an object in its schema: ${name} is ${quoteSql(object)}`;
  if (fault === "altered" && !isDerived(name)) return `has an unexpected schema: its ${name} is ${quoteSql(object)}`;
  if (readonly || !runsOnWrite(object)) return undefined;
  // A derived table with another definition is dropped before it is read, so that only a module's code could run.
  if (fault === "altered" && object.type !== "index" && !isVirtual(object)) return undefined;
  const loss = fault === "altered" ? " (what is derived is made again)" : "";
  return `has something in its schema that would run as the log is written: ${name} is ${quoteSql(object)}; ` +
    `drop it with an SQLite tool${loss}, or open the log with readonly`;
}

/** Whether an error says that an operation was not inserted because the log holds it already. */
export function isConflict(error: unknown): boolean {
  return error instanceof FileError && error.cause instanceof Error &&
    (error.cause.message.startsWith(APPEND_ONLY) || error.cause.message.includes("UNIQUE constraint failed"));
}

/** The SQL of an object for a message, abbreviated. */
export function quoteSql({ sql }: SchemaObject): string {
  if (sql === null) return "without SQL";
  return sql.length > MAX_QUOTED ? `${JSON.stringify(sql.slice(0, MAX_QUOTED))} and so on` : JSON.stringify(sql);
}

function schemaObjects(connection: Connection): SchemaObject[] {
  return connection.query(SELECT_OBJECTS).values<[unknown, unknown, unknown, string | null]>()
    .map(([type, name, table, sql]) => (
      { type: String(type), name: lowerCase(String(name)), table: lowerCase(String(table)), sql }
    ));
}

function namesOf(objects: readonly SchemaObject[]): Set<string> {
  return new Set(objects.map(({ name }) => name));
}
