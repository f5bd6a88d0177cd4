/**
 * The checkpoints that a log has signed. They are no derived state: what was signed cannot be made again, and a log that
 * forgot it could sign something else. So their table, like `ops`, takes rows and gives none back.
 *
 * A checkpoint must not leave the log before it is kept: what is in the file under the name of the table is compared
 * with the definitions below, and each row is read back.
 *
 * @module
 */

import { FileError, ProofError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { damaged } from "../sqlite/failures.ts";
import { type Checkpoint, parseCheckpoint } from "../tlog/checkpoint.ts";

/** How the table of kept checkpoints, its index and its triggers are made, by name. */
export const CHECKPOINT_OBJECTS: Readonly<Record<string, string>> = {
  checkpoints: "CREATE TABLE checkpoints (size INTEGER NOT NULL, note TEXT NOT NULL PRIMARY KEY)",
  checkpoints_size: "CREATE INDEX checkpoints_size ON checkpoints (size)",
  checkpoints_no_update: "CREATE TRIGGER checkpoints_no_update BEFORE UPDATE ON checkpoints " +
    "BEGIN SELECT RAISE(ABORT, 'signed checkpoints are kept: UPDATE forbidden'); END",
  checkpoints_no_delete: "CREATE TRIGGER checkpoints_no_delete BEFORE DELETE ON checkpoints " +
    "BEGIN SELECT RAISE(ABORT, 'signed checkpoints are kept: DELETE forbidden'); END",
};
const SELECT_OBJECTS = "SELECT lower(name), sql FROM main.sqlite_schema " +
  "WHERE lower(name) IN (SELECT value FROM json_each(?))";
const NAMES = JSON.stringify(Object.keys(CHECKPOINT_OBJECTS));

const SELECT = "SELECT size, note FROM main.checkpoints ORDER BY size, note";
const SELECT_NEWEST = "SELECT size, note FROM main.checkpoints WHERE size > ? ORDER BY size DESC, note LIMIT 1";
/** The unary + keeps SQLite from reading all notes that match: the largest is met first by size. */
const SELECT_LIKE = "SELECT size, note FROM main.checkpoints WHERE +note GLOB ? OR +note GLOB ? " +
  "ORDER BY size DESC, rowid DESC LIMIT 1";
const SELECT_SIZES = "SELECT size FROM main.checkpoints WHERE note = ?";
const INSERT = "INSERT INTO main.checkpoints (size, note) VALUES (?, ?)";

type Row = [size: unknown, note: unknown];

/** The checkpoints that were kept, smallest first. */
export function keptCheckpoints(connection: Connection): Checkpoint[] {
  if (!hasTable(connection)) return [];
  return connection.query(SELECT).values<Row>().map((row) => read(connection, row));
}

/** The largest checkpoint that was kept, if it is larger than so many operations. */
export function newestCheckpoint(connection: Connection, largerThan = -1): Checkpoint | undefined {
  const row = hasTable(connection) ? connection.query(SELECT_NEWEST).value<Row>(largerThan) : undefined;
  return row && read(connection, row);
}

/** The largest checkpoint that was kept whose note matches one of two GLOB patterns, and of those the last. */
export function newestLike(connection: Connection, patterns: readonly [string, string]): Checkpoint | undefined {
  const row = hasTable(connection) ? connection.query(SELECT_LIKE).value<Row>(...patterns) : undefined;
  return row && read(connection, row);
}

/**
 * Keeps a checkpoint; one that is kept already stays as it is. Inside a transaction.
 *
 * @throws {FileError} `not-a-log` when the file does not keep it.
 */
export function keepCheckpoint(connection: Connection, { size, text }: Checkpoint): void {
  const found = objects(connection);
  for (const [name, sql] of Object.entries(CHECKPOINT_OBJECTS)) {
    if (!found.has(name)) connection.execute(sql);
  }
  const sizes = () => connection.query(SELECT_SIZES).values(text).flat();
  if (sizes().length === 0) connection.query(INSERT).run(size, text);
  // A trigger that is not the log's can ignore a row, or put another in its place.
  const kept = sizes();
  if (kept.length === 1 && kept[0] === size) return;
  throw foreign(connection, "does not keep what is put into its table checkpoints");
}

function hasTable(connection: Connection): boolean {
  return objects(connection).has("checkpoints");
}

/** The names of those of the log's objects that are in the file. */
function objects(connection: Connection): Set<string> {
  const found = connection.query(SELECT_OBJECTS).values<[string, string | null]>(NAMES);
  for (const [name, sql] of found) {
    if (withSingleSpaces(sql ?? "") !== CHECKPOINT_OBJECTS[name]) {
      throw foreign(connection, `has something else under the name ${name}, which is the log's`);
    }
  }
  return new Set(found.map(([name]) => name));
}

/** Earlier versions made the same objects with line breaks between the words. */
function withSingleSpaces(sql: string): string {
  return sql.replaceAll(/\s+/g, " ");
}

function read(connection: Connection, [size, note]: Row): Checkpoint {
  try {
    const checkpoint = typeof note === "string" ? parseCheckpoint(note) : undefined;
    if (checkpoint !== undefined && checkpoint.size === size) return checkpoint;
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
  }
  throw damaged(connection.path, "a kept checkpoint is not what was signed; look at it with: mnema audit");
}

function foreign({ path }: Connection, what: string): FileError {
  return new FileError("not-a-log", path, `${path} ${what}: nothing was signed; look at it with: mnema audit`);
}
