/**
 * The name of a log in its checkpoints, where nobody chose one: `mnema/`, the author id, and a random part that is made
 * with the author's first checkpoint of the log and continued after. So two logs of one key are two names, and so is a
 * log that was restored by an import, which has no checkpoints.
 *
 * A copy of the file has the checkpoints, and with them the name: whoever appends to both must give one of them another.
 * Files of earlier versions have names without a random part, and continue these.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { damaged } from "../sqlite/failures.ts";
import { verifierKey, verifyCheckpoint } from "../tlog/checkpoint.ts";
import { newestLike } from "./stored.ts";

const RANDOM_BYTES = 16;
/** The random part and the end of its line, as a GLOB pattern. */
const RANDOM_LINE = `/${"[0-9a-f]".repeat(2 * RANDOM_BYTES)}\n*`;

/** A new name for an author's log. */
export function newOrigin(author: string): string {
  return `${prefix(author)}/${crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)).toHex()}`;
}

/**
 * The name that an author's checkpoints of this log have: that of the largest that is kept, and of those the last;
 * undefined when none was signed under such a name.
 *
 * @param connection The log's file.
 * @param author The author.
 * @param signed A checkpoint that the author is known to have signed: its signature is not checked again.
 * @throws {FileError} `corrupt` when the author has not signed it: it may be the name of somebody else's choice.
 */
export function keptOrigin(connection: Connection, author: string, signed?: string): string | undefined {
  const start = prefix(author);
  // The origin is the first line of a note.
  const named = newestLike(connection, [`${start}\n*`, start + RANDOM_LINE]);
  if (named === undefined || named.text === signed) return named?.origin;
  try {
    return verifyCheckpoint(named.text, verifierKey(author, named.origin)).origin;
  } catch (cause) {
    const what = `a kept checkpoint of ${named.origin} is not signed by its author; look at it with: mnema audit`;
    throw damaged(connection.path, what, { cause });
  }
}

/**
 * The name that an author's checkpoints of this log have.
 *
 * @throws {LogError} `not-found` when none was signed under such a name.
 */
export function requireOrigin(connection: Connection, author: string): string {
  const origin = keptOrigin(connection, author);
  if (origin !== undefined) return origin;
  throw new LogError("not-found", `no checkpoint of ${connection.path} was signed by ${author}; sign one first`);
}

function prefix(author: string): string {
  return `mnema/${author}`;
}
