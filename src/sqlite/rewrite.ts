/**
 * Makes durable what a process has left in a `-wal` that ended without closing the log.
 *
 * When a sync fails, the system may take for written what it could not write: it reads it from memory, a later sync
 * succeeds, and after a power cut it is not on the disk. A connection whose sync has failed writes to the same place of the
 * `-wal` again. If its process ends before that, the next one finds the commit whole, in memory, and puts others behind it:
 * after a power cut none of them could be read. So the `-wal` is written again, as it is, before that.
 *
 * @module
 */

import { FileError, fileError } from "../errors.ts";
import type { Connection } from "./connection.ts";
import { RawFile } from "./raw_file.ts";

const CHUNK_BYTES = 1 << 20;
/** A disk may fail once: what it has dropped is written again. */
const MAX_ATTEMPTS = 3;
/** Where `-shm` counts the commits since it was made from the `-wal` (sqlite.org/walformat.html, section 2.1). */
const COMMITS_AT = 8;

/**
 * Writes a `-wal` again, and syncs it, unless something was committed since it was first opened: who did that has done the
 * same before. Nothing else changes it meanwhile, as that takes the write lock. Who holds that has done the same as well.
 *
 * A worker does not: it may not look at `-shm`, see {@linkcode RawFile}.
 *
 * @param connection A connection that has read.
 * @param name The path of the file.
 * @throws {FileError} `io` when the disk fails.
 */
export function rewriteWal(connection: Connection, name: string): void {
  if ("WorkerGlobalScope" in globalThis || !isUnused(`${name}-shm`)) return;
  try {
    connection.withoutWaiting(() => connection.transaction(() => rewrite(`${name}-wal`)));
  } catch (error) {
    if (error instanceof FileError && error.code === "locked") return;
    throw fileError(error, connection.path);
  }
}

/** Whether nothing was committed since the `-wal` was first opened; there is no `-shm` when nobody uses the `-wal`. */
function isUnused(shm: string): boolean {
  const count = new Uint8Array(4);
  try {
    return RawFile.openCached(shm).read(COMMITS_AT, count) === count.length && count.every((byte) => byte === 0);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function rewrite(path: string): void {
  for (let attempt = 1;; attempt++) {
    try {
      using file = Deno.openSync(path, { read: true, write: true });
      copyOntoItself(file);
      file.syncDataSync();
      return;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return; // it was removed: nothing was in it
      if (attempt === MAX_ATTEMPTS || error instanceof Deno.errors.NotCapable) throw error;
    }
  }
}

function copyOntoItself(file: Deno.FsFile): void {
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let at = 0;;) {
    file.seekSync(at, Deno.SeekMode.Start);
    const length = file.readSync(chunk);
    if (length === null) return;
    file.seekSync(at, Deno.SeekMode.Start);
    for (let written = 0; written < length;) written += file.writeSync(chunk.subarray(written, length));
    at += length;
  }
}
