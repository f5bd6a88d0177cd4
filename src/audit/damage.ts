/**
 * Telling damage in a file from other failures of SQLite.
 *
 * @module
 */

import { FileError } from "../errors.ts";

/**
 * The message of SQLite about damage; undefined for an error that is not about the content of the file.
 *
 * @param error What a query threw.
 */
export function damageOf(error: unknown): string | undefined {
  if (!(error instanceof FileError) || error.code === "locked" || error.code === "read-only") return undefined;
  const said = error.cause instanceof Error ? error.cause.message : error.message;
  return /disk I\/O error|out of memory|unable to open/.test(said) ? undefined : said;
}

/** Runs `read`; when SQLite reports damage, returns what `onDamage` makes of the message. */
export function reading<T>(read: () => T, onDamage: (said: string) => T): T {
  try {
    return read();
  } catch (error) {
    const said = damageOf(error);
    if (said === undefined) throw error;
    return onDamage(said);
  }
}
