/**
 * The table of signed checkpoints. They are not derived state: a signature cannot be made again, and a log that lost a
 * checkpoint could sign one that contradicts it. So the table, like `ops`, is append-only.
 *
 * A checkpoint must be stored before it leaves the log: the schema objects of the table are compared with the definitions
 * below, and each inserted row is read back.
 *
 * @module
 */

import { FileError, ProofError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { damaged } from "../sqlite/failures.ts";
import { type Checkpoint, parseCheckpoint } from "../tlog/checkpoint.ts";

/** The SQL that creates the table of checkpoints, its index and its triggers, by name. */
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
const SELECT_LARGEST = "SELECT size, note FROM main.checkpoints WHERE size > ? ORDER BY size DESC, note LIMIT 1";
/** The unary + makes SQLite go by size, largest first, and stop at the first match. */
const SELECT_MATCHING = "SELECT size, note FROM main.checkpoints WHERE +note GLOB ? OR +note GLOB ? " +
  "ORDER BY size DESC, rowid DESC LIMIT 1";
const SELECT_SIZES = "SELECT size FROM main.checkpoints WHERE note = ?";
const INSERT = "INSERT INTO main.checkpoints (size, note) VALUES (?, ?)";

type Row = [size: unknown, note: unknown];

/** The stored checkpoints, smallest first. */
export function storedCheckpoints(connection: Connection): Checkpoint[] {
  if (!hasTable(connection)) return [];
  return connection.query(SELECT).values<Row>().map((row) => read(connection, row));
}

/** The largest stored checkpoint, if it covers more than `largerThan` operations. */
export function largestCheckpoint(connection: Connection, largerThan = -1): Checkpoint | undefined {
  const row = hasTable(connection) ? connection.query(SELECT_LARGEST).value<Row>(largerThan) : undefined;
  return row && read(connection, row);
}

/** The largest stored checkpoint whose note matches one of two GLOB patterns; of equal size, the last that was stored. */
export function largestMatching(connection: Connection, patterns: readonly [string, string]): Checkpoint | undefined {
  const row = hasTable(connection) ? connection.query(SELECT_MATCHING).value<Row>(...patterns) : undefined;
  return row && read(connection, row);
}

/**
 * Stores a checkpoint, unless it is stored already. Inside a transaction.
 *
 * @throws {FileError} `not-a-log` when the file does not store it.
 */
export function storeCheckpoint(connection: Connection, { size, text }: Checkpoint): void {
  const found = objects(connection);
  for (const [name, sql] of Object.entries(CHECKPOINT_OBJECTS)) {
    if (!found.has(name)) connection.execute(sql);
  }
  const sizes = () => connection.query(SELECT_SIZES).values(text).flat();
  if (sizes().length === 0) connection.query(INSERT).run(size, text);
  // A trigger that is not the log's can ignore a row, or insert another instead.
  const stored = sizes();
  if (stored.length === 1 && stored[0] === size) return;
  throw foreign(connection, "does not store what is inserted into its table checkpoints");
}

function hasTable(connection: Connection): boolean {
  return objects(connection).has("checkpoints");
}

/** The names of the objects of the table that are in the file. */
function objects(connection: Connection): Set<string> {
  const found = connection.query(SELECT_OBJECTS).values<[string, string | null]>(NAMES);
  for (const [name, sql] of found) {
    if (withSingleSpaces(sql ?? "") !== CHECKPOINT_OBJECTS[name]) {
      throw foreign(connection, `has a schema object ${name} that the log did not make`);
    }
  }
  return new Set(found.map(([name]) => name));
}

/** Earlier versions created the same objects with line breaks in their SQL. */
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
  throw damaged(connection.path, "a stored checkpoint is not what was signed");
}

function foreign({ path }: Connection, what: string): FileError {
  return new FileError("not-a-log", path, `${path} ${what}; nothing was signed`);
}
