/**
 * The only module that loads `@db/sqlite`, and with it SQLite's native library. When that fails, the error is thrown when
 * a database is opened, so that this module can be imported where there is no library.
 *
 * @module
 */

import type { Database, DatabaseOpenOptions } from "@db/sqlite";
import { LIBRARY_ENV, noSqlite } from "./library.ts";

type Package = typeof import("@db/sqlite");

const loaded = await load();

/**
 * The package, before any file is checked or created.
 *
 * @throws {LogError} `no-sqlite` when there is no library, or it cannot be loaded.
 * @throws {Deno.errors.NotCapable} When Deno does not allow native libraries, or the environment variables that name one.
 */
export function requireSqlite(): Package {
  if ("failure" in loaded) throw loaded.failure;
  return loaded;
}

/**
 * Opens a database.
 *
 * @throws As {@linkcode requireSqlite}.
 * @throws {Error} SQLite's own, from `@db/sqlite`.
 */
export function openDatabase(path: string, options: DatabaseOpenOptions): Database {
  const { Database } = requireSqlite();
  return new Database(path, options);
}

async function load(): Promise<Package | { failure: Error }> {
  // The package announces a download on standard output, which is for results.
  const { log, info } = console;
  console.log = console.info = console.error;
  try {
    return await import("@db/sqlite");
  } catch (error) {
    return { failure: deniedLibrary(error) ?? noSqlite(error) };
  } finally {
    Object.assign(console, { log, info });
  }
}

/** The error for a denied permission that every library needs, if it is among the causes. */
function deniedLibrary(error: unknown): Error | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) continue;
    if ([" ffi access", ...LIBRARY_ENV].some((word) => cause.message.includes(word))) return cause;
  }
  return undefined;
}
