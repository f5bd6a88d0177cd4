/**
 * The checkpoints that a log has signed. They are no derived state: what was signed cannot be made again, and a log that
 * forgot it could sign something else. So their table, like `ops`, takes rows and gives none back.
 *
 * @module
 */

import type { Connection } from "../log/connection.ts";
import { type Checkpoint, parseCheckpoint } from "./checkpoint.ts";

/** What makes the table and what belongs to it. */
export const CHECKPOINTS_SCHEMA = `
  CREATE TABLE IF NOT EXISTS checkpoints (size INTEGER NOT NULL, note TEXT NOT NULL PRIMARY KEY);
  CREATE INDEX IF NOT EXISTS checkpoints_size ON checkpoints (size);
  CREATE TRIGGER IF NOT EXISTS checkpoints_no_update BEFORE UPDATE ON checkpoints
    BEGIN SELECT RAISE(ABORT, 'signed checkpoints are kept: UPDATE forbidden'); END;
  CREATE TRIGGER IF NOT EXISTS checkpoints_no_delete BEFORE DELETE ON checkpoints
    BEGIN SELECT RAISE(ABORT, 'signed checkpoints are kept: DELETE forbidden'); END`;
const HAS_TABLE = "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = 'checkpoints'";
const SELECT = "SELECT note FROM checkpoints ORDER BY size, note";
const SELECT_NEWEST = "SELECT note FROM checkpoints WHERE size > ? ORDER BY size DESC, note LIMIT 1";
const INSERT = "INSERT INTO checkpoints (size, note) SELECT ?1, ?2 " +
  "WHERE NOT EXISTS (SELECT 1 FROM checkpoints WHERE note = ?2)";

/** The checkpoints that were kept, smallest first. */
export function keptCheckpoints(connection: Connection): Checkpoint[] {
  if (!hasTable(connection)) return [];
  return connection.query(SELECT).values<[string]>().map(([note]) => parseCheckpoint(note));
}

/** The largest checkpoint that was kept, if it is larger than so many operations. */
export function newestCheckpoint(connection: Connection, largerThan = -1): Checkpoint | undefined {
  const row = hasTable(connection) ? connection.query(SELECT_NEWEST).value<[string]>(largerThan) : undefined;
  return row && parseCheckpoint(row[0]);
}

/** Keeps a checkpoint; one that is kept already stays as it is. */
export function keepCheckpoint(connection: Connection, { size, text }: Checkpoint): void {
  if (!hasTable(connection)) connection.execute(CHECKPOINTS_SCHEMA);
  connection.query(INSERT).run(size, text);
}

function hasTable(connection: Connection): boolean {
  return connection.query(HAS_TABLE).value() !== undefined;
}
