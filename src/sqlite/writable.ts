/**
 * Checks that a file can be written, and switches it to write-ahead logging.
 *
 * @module
 */

import { FileError } from "../errors.ts";
import type { Connection } from "./connection.ts";
import { refusedWrite } from "./failures.ts";

/**
 * Refuses a file that cannot be written: SQLite opens it for reading only, and does not report that before a write.
 *
 * @param connection A connection to the file.
 * @param probe A statement that would write to the file, and changes nothing.
 * @throws {FileError} `read-only`, `disk-full`.
 */
export function refuseReadOnlyFile(connection: Connection, probe: string): void {
  try {
    connection.withoutWaiting(() => connection.execute(probe));
  } catch (error) {
    // A lock means that another connection is writing: then it can be written.
    if (!(error instanceof FileError) || error.code !== "locked") throw refusedWrite(error, connection.path);
  }
}

/**
 * Switches the file to write-ahead logging, which lets readers and a writer work at the same time. Where the file system
 * does not support it, SQLite keeps its rollback journal, which is as durable.
 */
export function useWriteAheadLog(connection: Connection): void {
  const [mode] = connection.query("PRAGMA journal_mode = WAL").value<[string]>()!;
  connection.journal = mode;
}
