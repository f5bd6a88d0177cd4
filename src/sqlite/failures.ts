/**
 * Translates SQLite's errors. `@db/sqlite` throws plain errors, so they are distinguished by their messages.
 *
 * @module
 */

import { FileError, LogError, type LogErrorCode } from "../errors.ts";

const NOTHING_KEPT = "nothing was kept";

/** Parts of SQLite's messages, with the code and the message for the caller; `kept` is what a failed write left. */
const TRANSLATIONS: [RegExp, LogErrorCode, (path: string, kept: string) => string][] = [
  [/is locked/, "locked", (path) => `${path} is in use by another writer; try again, or wait longer (busyTimeoutMs)`],
  [
    /is full/,
    "disk-full",
    (path, kept) => `there is no room left for ${path}; free some, and try again: ${kept}`,
  ],
  [
    /readonly database/,
    "read-only",
    (path) =>
      `${path} cannot be written; open it with readonly, or change the mode of it and of -wal and -shm beside it`,
  ],
  [/not a database/, "not-a-database", (path) => `${path} is not an SQLite database; name another file for the log`],
  [/malformed/, "corrupt", (path) => `${path} is damaged; restore it from a copy, or from another node`],
  [/disk I\/O error/, "io", (path, kept) => `the disk failed while ${path} was read or written: ${kept}`],
];

/**
 * Translates an error of SQLite; a {@linkcode LogError} and a denied permission stay as they are.
 *
 * @param error What was thrown.
 * @param path The file, for the message.
 * @param kept What a failed write left in the file, for the message.
 */
export function translate(error: unknown, path: string, kept = NOTHING_KEPT): unknown {
  if (!(error instanceof Error) || error instanceof LogError || error instanceof Deno.errors.NotCapable) return error;
  for (const [pattern, code, message] of TRANSLATIONS) {
    if (pattern.test(error.message)) return new FileError(code, path, message(path, kept), { cause: error });
  }
  return new FileError("io", path, `SQLite cannot use ${path}: ${error.message}`, { cause: error });
}

/** The error for content that the log cannot have written. */
export function damaged(path: string, what: string, options?: ErrorOptions): FileError {
  return new FileError("corrupt", path, `${path} is damaged: ${what}`, options);
}

/** The error for an existing file that SQLite was "unable to open"; undefined for other errors. */
export function cannotOpen(error: unknown, path: string): FileError | undefined {
  if (!(error instanceof Error) || error instanceof LogError || !error.message.includes("unable to open")) return;
  const message = `the system does not let ${path} be opened; look at the mode of it and of its folder`;
  return new FileError("io", path, message, { cause: error });
}

/** Whether SQLite could not open a file for reading because it would have to write to it, or beside it. */
export function needsWriting(error: unknown): error is FileError {
  return error instanceof FileError &&
    (error.code === "read-only" || /unable to open/.test(String(error.cause)) || isDiskFailure(error));
}

/** The error for a file with commits in a `-wal` or `-journal` that cannot be read without writing. */
export function cannotRead(error: FileError, path: string, suffix: "-wal" | "-journal"): FileError {
  if (suffix === "-journal") {
    const message =
      `a change to ${path} was interrupted and must be rolled back, which reading alone may not do: open ` +
      "the log to append, where it can be written";
    return new FileError("read-only", path, message, { cause: error });
  }
  if (isDiskFailure(error)) {
    const message =
      `there is no room left for what SQLite keeps beside ${path} to read ${path}-wal; free some, or copy ` +
      "both files to a disk with room, and open the copy";
    return new FileError("disk-full", path, message, { cause: error });
  }
  const message =
    `there are commits in ${path}-wal, which cannot be read where nothing may be written; copy both files ` +
    "to a folder that can be written, and open the copy";
  return new FileError("read-only", path, message, { cause: error });
}

/** The error for a writer when SQLite could not create files beside the database; any other error stays as it is. */
export function refusedWrite(error: unknown, path: string): unknown {
  if (!needsWriting(error) || error.code === "read-only") return error;
  if (isDiskFailure(error)) {
    const message =
      `${path} cannot be written: there is no room left on its disk, or the disk failed; free some room, ` +
      "or open it with readonly";
    return new FileError("disk-full", path, message, { cause: error });
  }
  const message = `${path} cannot be written, because the system does not let SQLite make files beside it; open it ` +
    "with readonly, or change the mode of its folder";
  return new FileError("read-only", path, message, { cause: error });
}

/** SQLite reports this also when it cannot extend `-shm`. */
function isDiskFailure({ cause }: FileError): boolean {
  return /disk I\/O error/.test(String(cause));
}
