/**
 * The default origin of a log, its name in checkpoints: `mnema/`, the author id, and a random part that is chosen with
 * the author's first checkpoint of the log and reused after. So two logs of one key have two names, and so does a log
 * that was restored by an import, which has no checkpoints.
 *
 * A copy of the file has the same checkpoints and therefore the same name: to append to both, give one of them
 * a new name. Files of earlier versions have names without a random part, and continue these.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { damaged } from "../sqlite/failures.ts";
import { verifierKey, verifyCheckpoint } from "../tlog/checkpoint.ts";
import { largestMatching } from "./stored.ts";

const RANDOM_BYTES = 16;
/** The random part and the end of its line, as a GLOB pattern. */
const RANDOM_LINE = `/${"[0-9a-f]".repeat(2 * RANDOM_BYTES)}\n*`;

/** A new name for an author's log. */
export function newOrigin(author: string): string {
  return `${prefix(author)}/${crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)).toHex()}`;
}

/**
 * The default origin of an author's checkpoints of this log: that of the largest stored one, of equal size the last;
 * undefined when none was signed under such a name.
 *
 * @param connection The log's file.
 * @param author The author.
 * @param signed A checkpoint that the author is known to have signed: its signature is not checked again.
 * @throws {FileError} `corrupt` when the author has not signed it: somebody else may have chosen the name.
 */
export function storedOrigin(connection: Connection, author: string, signed?: string): string | undefined {
  const start = prefix(author);
  // The origin is the first line of a note.
  const named = largestMatching(connection, [`${start}\n*`, start + RANDOM_LINE]);
  if (named === undefined || named.text === signed) return named?.origin;
  try {
    return verifyCheckpoint(named.text, verifierKey(author, named.origin)).origin;
  } catch (cause) {
    const what = `a stored checkpoint of ${named.origin} is not signed by its author`;
    throw damaged(connection.path, what, { cause });
  }
}

/**
 * As {@linkcode storedOrigin}.
 *
 * @throws {LogError} `not-found` when none was signed under such a name.
 */
export function requireOrigin(connection: Connection, author: string): string {
  const origin = storedOrigin(connection, author);
  if (origin !== undefined) return origin;
  throw new LogError("not-found", `no checkpoint of ${connection.path} was signed by ${author}; sign one first`);
}

function prefix(author: string): string {
  return `mnema/${author}`;
}
