/**
 * Opens the log and the key of a command. Their modules are loaded here, so that help needs no permission.
 *
 * @module
 */

import { FileError, LogError, type LogErrorCode } from "../errors.ts";
import { useSystemLibrary } from "../sqlite/library.ts";
import { neverPrompt } from "../sqlite/permissions.ts";
import type { OpLog } from "../oplog.ts";
import type { Identity } from "../keys/identity.ts";
import { type Input, UsageError } from "./command.ts";
import { isGranted, requireGranted, requireLibrary } from "./permissions.ts";
import { word } from "./shell.ts";

/** Errors of a log that can be read and not written; `not-a-log` where foreign code would run as it is written. */
const NOT_WRITABLE: ReadonlySet<string> = new Set(["locked", "read-only", "disk-full", "not-a-log"]);

/** Opens the log to read it. */
export function openToRead(input: Input): Promise<OpLog> {
  return open(input, true);
}

/** Opens the log to append to it. */
export function openToAppend(input: Input): Promise<OpLog> {
  return open(input, false);
}

/**
 * Opens the log to read what is derived from it: for writing where that is possible, so that it can be stored, and else
 * as {@linkcode openToRead} does.
 */
export async function openToDerive(input: Input): Promise<OpLog> {
  const files = ["", "-wal", "-shm", "-journal"].map((suffix) => input.logPath + suffix);
  const mayWrite = files.every((path) =>
    isGranted({ name: "read", target: path }) && isGranted({ name: "write", target: path })
  );
  // To open an empty file for writing would make a log of it.
  if (mayWrite && !isMissingOrEmpty(input.logPath)) {
    try {
      return await open(input, false);
    } catch (error) {
      if (!(error instanceof FileError) || !NOT_WRITABLE.has(error.code)) throw error;
    }
  }
  return await open(input, true);
}

function isMissingOrEmpty(path: string): boolean {
  try {
    return Deno.statSync(path).size === 0;
  } catch {
    return true;
  }
}

async function open(input: Input, readonly: boolean): Promise<OpLog> {
  refuseMemory(input.logPath);
  const { OpLog } = await loadLog();
  try {
    return OpLog.open(input.logPath, { readonly, create: false });
  } catch (error) {
    throw withAdvice(error, {
      "missing-file": `create one with: mnema init${given(input, "log")}, or name one with --log`,
    });
  }
}

/** Loads the module of the log, and with it SQLite. */
export function loadLog(): Promise<typeof import("../oplog.ts")> {
  prepareSqlite();
  return import("../oplog.ts");
}

/** Chooses the SQLite library and keeps Deno from prompting, before the modules that load the library are imported. */
export function prepareSqlite(): void {
  requireLibrary();
  useSystemLibrary();
  neverPrompt();
}

/** Refuses a log in memory. */
export function refuseMemory(path: string): void {
  if (path === ":memory:") throw new UsageError("a log in memory would not be saved; name a file with --log");
}

/** Loads the identity that signs. */
export async function loadIdentity(input: Input): Promise<Identity> {
  const { Identity } = await import("../keys/identity.ts");
  requireGranted("read", input.keyPath);
  try {
    return Identity.load(input.keyPath);
  } catch (error) {
    throw withAdvice(error, {
      "missing-file": `create a key with: mnema init${given(input, "key")}, or name one with --key`,
    });
  }
}

/** An option as it was given, for the advice to run `init` with it. */
function given(input: Input, name: "log" | "key"): string {
  const path = input.value(name);
  return path === undefined ? "" : ` --${name} ${word(path)}`;
}

/** An error with advice for its code, if there is some. */
export function withAdvice(error: unknown, advice: Partial<Record<LogErrorCode, string>>): unknown {
  if (!(error instanceof LogError) || advice[error.code] === undefined) return error;
  return new LogError(error.code, `${error.message}; ${advice[error.code]}`, { cause: error });
}
