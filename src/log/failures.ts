/**
 * What SQLite's messages mean to whoever called the log. `@db/sqlite` throws plain errors, so the message is all there
 * is to go by.
 *
 * @module
 */

import { FileError, LogError, type LogErrorCode } from "../errors.ts";

/** What SQLite says, in parts of its messages, and what it means to the caller. */
const MEANINGS: [RegExp, LogErrorCode, (path: string) => string][] = [
  [/is locked/, "locked", (path) => `${path} is in use by another writer; try again, or wait longer (busyTimeoutMs)`],
  [
    /is full/,
    "disk-full",
    (path) => `there is no room left for ${path}; free some, and append again: nothing was kept`,
  ],
  [
    /readonly database/,
    "read-only",
    (path) => `${path} cannot be written; open it with readonly, or mend the mode of it and of -wal and -shm beside it`,
  ],
  [/not a database/, "not-a-database", (path) => `${path} is not an SQLite database; name another file for the log`],
  [/malformed/, "corrupt", (path) => `${path} is damaged; restore it from a copy, or from another node`],
  [/disk I\/O error/, "io", (path) => `the disk failed while ${path} was read or written; nothing was kept`],
];

/** An error for what SQLite said; what is an error of ours, or a denied permission, stays what it is. */
export function translate(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || error instanceof LogError || error instanceof Deno.errors.NotCapable) return error;
  for (const [pattern, code, message] of MEANINGS) {
    if (pattern.test(error.message)) return new FileError(code, path, message(path), { cause: error });
  }
  return new FileError("io", path, `SQLite cannot use ${path}: ${error.message}`, { cause: error });
}

/** The error for a row that no append has written. */
export function damaged(path: string, what: string, options?: ErrorOptions): FileError {
  return new FileError("corrupt", path, `${path} is damaged: ${what}`, options);
}

/** Why SQLite was "unable to open database file" that is there; undefined when it said something else. */
export function cannotOpen(error: unknown, path: string): FileError | undefined {
  if (!(error instanceof Error) || error instanceof LogError || !error.message.includes("unable to open")) return;
  const message = `the system does not let ${path} be opened; look at the mode of it and of its folder`;
  return new FileError("io", path, message, { cause: error });
}

/** Whether SQLite could not open a file for reading because it would have to write beside it, or to it. */
export function isShut(error: unknown): boolean {
  return error instanceof FileError &&
    (error.code === "read-only" || /unable to open|disk I\/O error/.test(String(error.cause)));
}

/** The error for a file that cannot be read without what is beside it, where that can only be read by writing. */
export function cannotRead(error: unknown, path: string, suffix: "-wal" | "-journal"): FileError {
  if (suffix === "-journal") {
    const message =
      `a change to ${path} was interrupted and must be rolled back, which reading alone may not do: open ` +
      "the log to append, where it can be written";
    return new FileError("read-only", path, message, { cause: error });
  }
  if (error instanceof FileError && /disk I\/O error/.test(String(error.cause))) {
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

/** What it means for a writer that SQLite could not make what it keeps beside a file; any other error stays. */
export function refusedWrite(error: unknown, path: string): unknown {
  if (!(error instanceof FileError) || !/unable to open/.test(String(error.cause))) return error;
  const message = `${path} cannot be written, because the system does not let SQLite make files beside it; open it ` +
    "with readonly, or mend the mode of its folder";
  return new FileError("read-only", path, message, { cause: error });
}

/** Whether a translated error says that an operation could not be inserted because the log has it already. */
export function isConflict(error: unknown): boolean {
  return error instanceof FileError && error.cause instanceof Error &&
    /^mnema log is append-only|UNIQUE constraint failed/.test(error.cause.message);
}
