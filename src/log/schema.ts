/**
 * The table, indexes and triggers of the log, as they stand in the file. Other implementations open the same file, so
 * names and columns are theirs too.
 *
 * The triggers make the table append-only against everyone who does not drop them first. `ops_no_replace` closes what
 * the first two leave open: INSERT OR REPLACE removes a row without firing a delete trigger, and an explicit `seq` can
 * be put in a gap or before the end. In a BEFORE INSERT trigger, `NEW.seq` is -1 when SQLite is to choose it; an
 * explicit -1 cannot be told from that.
 *
 * @module
 */

import { FileError } from "../errors.ts";
import type { Connection } from "./connection.ts";

/** What the log has in the file, by name. */
export const OBJECTS: Readonly<Record<string, string>> = {
  ops: "CREATE TABLE ops (seq INTEGER PRIMARY KEY AUTOINCREMENT, op_id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, " +
    "author TEXT NOT NULL, ts INTEGER NOT NULL, wire TEXT NOT NULL)",
  idx_ops_type: "CREATE INDEX idx_ops_type ON ops(type)",
  idx_ops_author: "CREATE INDEX idx_ops_author ON ops(author)",
  ops_no_update: "CREATE TRIGGER ops_no_update BEFORE UPDATE ON ops " +
    "BEGIN SELECT RAISE(ABORT, 'mnema log is append-only: UPDATE forbidden'); END",
  ops_no_delete: "CREATE TRIGGER ops_no_delete BEFORE DELETE ON ops " +
    "BEGIN SELECT RAISE(ABORT, 'mnema log is append-only: DELETE forbidden'); END",
  ops_no_replace: "CREATE TRIGGER ops_no_replace BEFORE INSERT ON ops " +
    "WHEN NEW.seq <> -1 OR EXISTS (SELECT 1 FROM ops WHERE op_id = NEW.op_id) " +
    "BEGIN SELECT RAISE(ABORT, 'mnema log is append-only: INSERT may neither replace a row nor choose its seq'); END",
};

/** What a file holds of the log: nothing at all, some of its objects, or all. */
type SchemaState = "empty" | "partial" | "complete";

/**
 * Makes sure that the file holds a log: one that is there is checked, and completed when it lacks indexes or triggers;
 * an empty file becomes a log. Everything is checked before anything is changed.
 *
 * @throws {FileError} `not-a-log`, `not-a-database`.
 */
export function ensureSchema(connection: Connection): void {
  const state = readSchema(connection);
  if (connection.readonly) {
    if (state === "empty") throw new FileError("not-a-log", connection.path, `${connection.path} holds no log`);
    return;
  }
  if (state !== "empty") connection.refuseReadOnlyFile();
  connection.useWriteAheadLog();
  if (state === "complete") return;
  connection.transaction(() => {
    const names = schemaObjects(connection);
    for (const [name, sql] of Object.entries(OBJECTS)) {
      if (!names.has(name)) connection.execute(sql);
    }
  });
}

function readSchema(connection: Connection): SchemaState {
  const { path } = connection;
  const found = schemaObjects(connection);
  if (found.size === 0) return "empty";
  if (!found.has("ops")) {
    throw new FileError("not-a-log", path, `${path} is a database of something else; name another file for the log`);
  }
  for (const [name, sql] of found) {
    if (Object.hasOwn(OBJECTS, name) && normalized(sql) !== normalized(OBJECTS[name])) {
      throw new FileError("not-a-log", path, `${path} is no log as it should be: its ${name} is "${sql}"`);
    }
  }
  return Object.keys(OBJECTS).every((name) => found.has(name)) ? "complete" : "partial";
}

/** The objects of the file that someone made, by name; names have no case. */
function schemaObjects(connection: Connection): Map<string, string> {
  return new Map(
    connection.query("SELECT lower(name), sql FROM sqlite_schema WHERE sql IS NOT NULL").values<[string, string]>(),
  );
}

/** An SQL text without what it may be written with in several ways. */
export function normalized(sql: string): string {
  return sql.replaceAll(/[\s"`]/g, "").toLowerCase();
}
