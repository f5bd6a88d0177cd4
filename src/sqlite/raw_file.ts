/**
 * Reads the bytes of a file that SQLite has open.
 *
 * POSIX locks belong to a process and an inode: when a process closes any descriptor of a file, the system drops every
 * lock that the process holds on it, those of SQLite's connections too. Another process that closes the log would then
 * take itself for the last, and delete the `-wal` that a connection here goes on writing to: its commits would be lost.
 * So a descriptor of a database file is cached for the next audit, and not closed while the file exists.
 *
 * @module
 */

import { fileError } from "../errors.ts";

const openFiles = new Map<string, Deno.FsFile>();

/** Reads bytes of a file at any place. */
export class RawFile {
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /**
   * Opens a database file. Its descriptor stays open, one for each file, until the file is deleted.
   *
   * @param path The file. SQLite has opened it, so it is a regular file that may be read.
   * @throws {FileError} `missing-file`, `io`, as when the process has too many open files.
   */
  static openCached(path: string): RawFile {
    if (Deno.build.os === "windows") return RawFile.open(path);
    closeDeleted();
    const { dev, ino } = Deno.statSync(path);
    const known = openFiles.get(`${dev}:${ino}`);
    if (known !== undefined) return new RawFile(known);
    const file = openFile(path);
    const opened = file.statSync();
    openFiles.set(`${opened.dev}:${opened.ino}`, file);
    return new RawFile(file);
  }

  /**
   * Opens a file without locks, a `-wal`. The caller closes it.
   *
   * @throws {FileError} As {@linkcode RawFile.openCached}.
   */
  static open(path: string): RawFile {
    return new RawFile(openFile(path));
  }

  /** Its size, in bytes. */
  get size(): number {
    return this.#file.statSync().size;
  }

  /** Reads bytes from an offset, and returns how many: fewer than requested at the end of the file. */
  read(at: number, into: Uint8Array): number {
    this.#file.seekSync(at, Deno.SeekMode.Start);
    let length = 0;
    while (length < into.length) {
      const read = this.#file.readSync(into.subarray(length));
      if (read === null) break;
      length += read;
    }
    return length;
  }

  /** Closes a file that was opened with {@linkcode RawFile.open}. */
  close(): void {
    this.#file.close();
  }
}

function openFile(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path);
  } catch (error) {
    throw fileError(error, path);
  }
}

/** No other process can open a deleted file, so dropping the locks on it is safe. */
function closeDeleted(): void {
  for (const [key, file] of openFiles) {
    if (file.statSync().nlink !== 0) continue;
    file.close();
    openFiles.delete(key);
  }
}
