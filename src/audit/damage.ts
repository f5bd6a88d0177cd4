/**
 * Telling damage in a file from other failures of SQLite.
 *
 * @module
 */

import { FileError } from "../errors.ts";

/**
 * What SQLite says of damage; undefined for an error that is not about what stands in the file, which is to be thrown.
 *
 * @param error What a query has thrown.
 */
export function damageOf(error: unknown): string | undefined {
  if (!(error instanceof FileError) || error.code === "locked" || error.code === "read-only") return undefined;
  const said = error.cause instanceof Error ? error.cause.message : error.message;
  return /disk I\/O error|out of memory|unable to open/.test(said) ? undefined : said;
}

/** Runs `read`; what SQLite says of damage while it runs is told to `onDamage`, whose value takes its place. */
export function reading<T>(read: () => T, onDamage: (said: string) => T): T {
  try {
    return read();
  } catch (error) {
    const said = damageOf(error);
    if (said === undefined) throw error;
    return onDamage(said);
  }
}
