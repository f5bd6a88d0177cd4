/**
 * What SQLite's messages mean to whoever called the log. `@db/sqlite` throws plain errors, so the message is all there
 * is to go by.
 *
 * @module
 */

import { dirname } from "node:path";
import { FileError, LogError, type LogErrorCode, missingFolder } from "../errors.ts";

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

/**
 * Why SQLite was "unable to open database file"; undefined when it said something else.
 *
 * @param error What was thrown.
 * @param path The path as the caller gave it.
 * @param file The path that was opened.
 * @param create Whether a file was to be made where there was none.
 */
export function cannotOpen(error: unknown, path: string, file: string, create: boolean): FileError | undefined {
  if (!(error instanceof Error) || !error.message.includes("unable to open")) return undefined;
  const refuse = (code: LogErrorCode, message: string) => new FileError(code, path, message, { cause: error });
  const found = isFolder(file);
  if (found === true) return refuse("is-a-folder", `${path} is a folder; name a file in it`);
  if (found === false) {
    return refuse("io", `the system does not let ${path} be opened; look at the mode of it and of its folder`);
  }
  if (!create) return refuse("missing-file", `there is no log ${path}`);
  if (isFolder(dirname(file)) === true) {
    return refuse("io", `the system does not let ${path} be made; look at the mode of its folder`);
  }
  return missingFolder(path, error);
}

/** Whether a path is that of a folder; undefined when there is nothing, or nothing that may be looked at. */
export function isFolder(path: string): boolean | undefined {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return undefined;
  }
}

/** Whether a translated error says that an operation could not be inserted because the log has it already. */
export function isConflict(error: unknown): boolean {
  return error instanceof FileError && error.cause instanceof Error &&
    /^mnema log is append-only|UNIQUE constraint failed/.test(error.cause.message);
}
