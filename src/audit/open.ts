/**
 * Opens a file for an audit, so that nothing SQLite does can change it.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { pathOf, prepareFile } from "../sqlite/files.ts";
import { requireSqlite } from "../sqlite/native.ts";
import { type ConnectionOptions, openConnection, openPrepared } from "../sqlite/open.ts";

/** None of these reads the schema, which may be damaged. */
const SETTINGS = { cell_size_check: "ON", ignore_check_constraints: "ON", mmap_size: 0 };

/** A connection that an audit reads through. */
export interface AuditedFile {
  /** The connection. */
  connection: Connection;
  /**
   * Closes the connection, and removes the `-wal` and `-shm` that opening made, where Deno's permissions allow that:
   * SQLite removes them when the last connection that may write is closed.
   */
  closeAndTidy(): void;
}

/**
 * Opens a file for reading only, whatever is in it: the file and its `-wal` stay byte for byte as they are. As every
 * reader of a write-ahead log does, this one marks its place in `-shm`; where there is no `-wal` and no `-shm` it makes
 * them, the former empty.
 *
 * @param location The file.
 * @param busyTimeoutMs How long to wait for a lock that another connection holds, in milliseconds.
 * @param before Called with its path before SQLite opens it.
 * @throws {Deno.errors.NotCapable} When Deno's permissions do not allow the path or what SQLite puts beside it.
 * @throws {FileError} When the file cannot be read, `read-only` when it cannot without writing. Damage to its content is
 * left to the first query.
 */
export function openToAudit(
  location: string | URL,
  busyTimeoutMs: number,
  before: (name: string) => void = () => {},
): AuditedFile {
  const path = pathOf(location);
  requireSqlite();
  if (path === ":memory:") throw new LogError("invalid-argument", "a log in memory cannot be audited; name a file");
  const options: ConnectionOptions = { readonly: true, create: false, busyTimeoutMs };
  const prepared = { ...prepareFile(path, options), nativeReadonly: true };
  before(prepared.name);
  const connection = openPrepared(path, prepared, { ...options, settings: SETTINGS, allowDamage: true });
  const closeAndTidy = () => {
    connection.close();
    if (prepared.walBytes === undefined) removeEmptyWal(path);
  };
  return { connection, closeAndTidy };
}

function removeEmptyWal(path: string): void {
  try {
    openConnection(path, { readonly: true, create: false, busyTimeoutMs: 0 }).close();
  } catch {
    // Another connection is open, and removes them when it is closed.
  }
}
