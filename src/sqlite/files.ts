/**
 * Checks before SQLite opens a file, which may be hostile: the file, and those that SQLite puts beside it, must be regular
 * files, and the rollback journal must not name a super-journal. Creates a new file.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { FileError, LogError, missingFolder } from "../errors.ts";
import { translate } from "./failures.ts";
import { isMissing, locate, type Location, requestPermissions, SUFFIXES } from "./permissions.ts";

/** The size of the header of an SQLite file, in bytes. */
const MIN_DATABASE_BYTES = 100;
/** The first bytes of a journal, and its last ones where it names a super-journal. */
const JOURNAL_MAGIC = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/** The sizes of the files that SQLite puts beside a database, in bytes; undefined for a missing one. */
export interface SizesBeside {
  /** The size of `-wal`: commits that are not in the file yet. */
  wal?: number;
  /** The size of `-journal`: undoes an interrupted change. */
  journal?: number;
}

/** The path that a location means. */
export function pathOf(location: string | URL): string {
  if (location instanceof URL && location.protocol !== "file:") {
    throw new LogError("invalid-argument", `${location} is no file; a log is opened from a path or a file: URL`);
  }
  const path = location instanceof URL ? fileURLToPath(location) : location;
  if (path === "" || path.includes("\0")) {
    throw new LogError("invalid-argument", `${JSON.stringify(path)} is no path; name a file, or ":memory:"`);
  }
  return path;
}

/** A file that SQLite may open. */
export interface PreparedFile extends Location {
  /** Whether SQLite must open it for reading only, because Deno's permissions allow nothing else. */
  nativeReadonly: boolean;
  /** The size of the `-wal` beside it; undefined where there is none. */
  walBytes?: number;
}

/**
 * Resolves a path, requests Deno's permissions for the file, checks it, and creates it where there is none.
 *
 * @param path The path as the caller gave it.
 * @param options Whether the file is only read, and whether a missing file is created.
 * @throws {Deno.errors.NotCapable} When Deno's permissions do not allow the path or what SQLite puts beside it.
 * @throws {FileError} `missing-file`, `missing-folder`, `is-a-folder`, `not-a-file`, `not-a-database`, `super-journal`,
 * `disk-full`, `io`.
 */
export function prepareFile(path: string, options: { readonly: boolean; create: boolean }): PreparedFile {
  const { readonly, create } = options;
  const at = locate(path, readonly);
  const size = sizeOf(path, at.name, true);
  // SQLite treats a file that is shorter than the header as empty, and would overwrite it.
  if (size !== undefined && size > 0 && size < MIN_DATABASE_BYTES) {
    throw translate(new Error("file is not a database"), path);
  }
  const nativeReadonly = requestPermissions(at.name, readonly);
  const { wal } = inspectBeside(path, at.name);
  if (size !== undefined) return { ...at, nativeReadonly, walBytes: wal };
  if (!create || readonly) throw new FileError("missing-file", path, `there is no log ${path}`);
  makeFile(path, at.name);
  return prepareFile(path, { readonly, create: false });
}

/**
 * Checks the files that SQLite puts beside a database. Opens regular files alone: to open a pipe would block.
 *
 * @param path The path as the caller gave it, for messages.
 * @param name The path for which Deno's permissions were requested.
 * @throws {FileError} `not-a-file`, `super-journal`, `io`.
 */
export function inspectBeside(path: string, name: string): SizesBeside {
  const [wal, , journal] = SUFFIXES.slice(1).map((suffix) => sizeOf(path + suffix, name + suffix, false));
  if (journal !== undefined) refuseSuperJournal(path, `${name}-journal`, journal);
  return { wal, journal };
}

/** The size of a regular file; undefined when there is none. */
function sizeOf(path: string, name: string, isLog: boolean): number | undefined {
  let info: Deno.FileInfo;
  try {
    info = Deno.lstatSync(name);
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new FileError("io", path, `the system does not let ${path} be looked at; look at the modes of its folders`, {
      cause: error,
    });
  }
  if (info.isFile) return info.size;
  if (isLog && info.isDirectory) throw new FileError("is-a-folder", path, `${path} is a folder; name a file in it`);
  const advice = isLog ? "name another file for the log" : "remove it, and open the log again";
  throw new FileError("not-a-file", path, `${path} is ${kindOf(info)}, not a plain file; ${advice}`);
}

function kindOf(info: Deno.FileInfo): string {
  if (info.isSymlink) return "a link";
  if (info.isDirectory) return "a folder";
  if (info.isFifo) return "a pipe";
  if (info.isSocket) return "a socket";
  return "a device";
}

/**
 * A journal ends with the name of a super-journal when a transaction changed several databases. SQLite, when it rolls such
 * a journal back, deletes the file of that name, whichever it is. A log is never written in such a transaction. SQLite
 * makes more checks before it accepts the name; a journal without one does not end like this.
 */
function refuseSuperJournal(path: string, name: string, size: number): void {
  const end = new Uint8Array(JOURNAL_MAGIC.length);
  if (size < end.length) return;
  try {
    using journal = Deno.openSync(name);
    journal.seekSync(size - end.length, Deno.SeekMode.Start);
    journal.readSync(end);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    if (error instanceof Deno.errors.NotFound) return; // the writer has finished
    throw new FileError("io", path, `the system does not let ${path}-journal be read; look at its mode`, {
      cause: error,
    });
  }
  if (!JOURNAL_MAGIC.every((byte, i) => end[i] === byte)) return;
  throw new FileError(
    "super-journal",
    path,
    `${path}-journal names another file, which SQLite would delete to undo an interrupted change; no log leaves such a ` +
      "journal: take the log from a copy or from another node",
  );
}

/** Creates an empty file that only its owner may read, unless another process has created it meanwhile. */
function makeFile(path: string, name: string): void {
  try {
    Deno.openSync(name, { createNew: true, write: true, mode: 0o600 }).close();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof Deno.errors.NotCapable) throw error;
    if (error instanceof Deno.errors.AlreadyExists) return;
    if (isMissing(error)) throw missingFolder(path, error);
    if (/os error 28\b/.test(error.message)) throw translate(new Error("disk is full", { cause: error }), path);
    throw new FileError("io", path, `the system does not let ${path} be made; look at the mode of its folder`, {
      cause: error,
    });
  }
}

/** The time of the last change of a file, and its size; undefined where there is none any more. */
export function stampOf(name: string): string | undefined {
  try {
    const { mtime, size } = Deno.statSync(name);
    return `${mtime?.getTime()} ${size}`;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
