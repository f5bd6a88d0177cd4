/**
 * Opening what a command works on: the log and the key.
 *
 * The modules behind them are loaded here and not before, so that help needs no permission.
 *
 * @module
 */

import { FileError } from "../errors.ts";
import { useSystemLibrary } from "../sqlite/library.ts";
import { neverPrompt } from "../sqlite/permissions.ts";
import type { OpLog } from "../oplog.ts";
import type { Identity } from "../keys/identity.ts";
import { type Input, UsageError } from "./command.ts";
import { requireGranted, requireLibrary } from "./permissions.ts";
import { word } from "./shell.ts";

/** Why a log that can be read may not be written; `not-a-log` where something would run as it is. */
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
 * Opens the log to read what is derived from it: so that this can be kept beside it, where the log may be written, and
 * else as {@linkcode openToRead} does.
 */
export async function openToDerive(input: Input): Promise<OpLog> {
  const files = ["", "-wal", "-shm", "-journal"].map((suffix) => input.logPath + suffix);
  if (files.every((path) => Deno.permissions.querySync({ name: "write", path }).state === "granted")) {
    try {
      return await open(input, false);
    } catch (error) {
      if (!(error instanceof FileError) || !NOT_WRITABLE.has(error.code)) throw error;
    }
  }
  return await open(input, true);
}

async function open(input: Input, readonly: boolean): Promise<OpLog> {
  refuseMemory(input.logPath);
  const { OpLog } = await loadLog();
  try {
    return OpLog.open(input.logPath, { readonly, create: false });
  } catch (error) {
    throw withAdvice(error, `make one with: mnema init${given(input, "log")}, or name one with --log`);
  }
}

/** Loads what reads and writes a log, and with it SQLite. */
export function loadLog(): Promise<typeof import("../oplog.ts")> {
  prepareSqlite();
  return import("../oplog.ts");
}

/** Chooses the SQLite library and sees to it that Deno does not prompt: before the modules that load it are imported. */
export function prepareSqlite(): void {
  requireLibrary();
  useSystemLibrary();
  neverPrompt();
}

/** Refuses a log that would be gone when the command ends. */
export function refuseMemory(path: string): void {
  if (path === ":memory:") throw new UsageError("a log in memory would be gone at once; name a file with --log");
}

/** Loads the identity that signs. */
export async function loadIdentity(input: Input): Promise<Identity> {
  const { Identity } = await import("../keys/identity.ts");
  requireGranted("read", input.keyPath);
  try {
    return Identity.load(input.keyPath);
  } catch (error) {
    throw withAdvice(error, `make a key with: mnema init${given(input, "key")}, or name one with --key`);
  }
}

/** An option as it was given, to be given to `init` as well. */
function given(input: Input, name: "log" | "key"): string {
  const path = input.value(name);
  return path === undefined ? "" : ` --${name} ${word(path)}`;
}

/** Adds what to do to the error for a file that is not there. */
export function withAdvice(error: unknown, advice: string): unknown {
  if (!(error instanceof FileError) || error.code !== "missing-file") return error;
  return new FileError(error.code, error.path, `${error.message}; ${advice}`, { cause: error });
}
