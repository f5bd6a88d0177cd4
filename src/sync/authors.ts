/**
 * Lists of author ids: the peers that are admitted, the authors whose operations are accepted.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import { isAuthor } from "../keys/author.ts";
import { isIterable } from "../log/entries.ts";

/**
 * Whether an author is in a list; undefined without a list. Only whole ids: anybody can make a key whose id begins like
 * another.
 *
 * @param name The option, for the error.
 * @param given The author ids.
 * @throws {LogError} `invalid-argument`.
 */
export function authorFilter(
  name: string,
  given: Iterable<string> | undefined,
): ((author: string) => boolean) | undefined {
  if (given === undefined) return undefined;
  if (!isIterable(given)) throw new LogError("invalid-argument", `${name} must be a list of author ids`);
  const authors = new Set(given);
  for (const author of authors) {
    if (typeof author === "string" && isAuthor(author)) continue;
    throw new LogError(
      "invalid-argument",
      `${name} takes whole author ids, mnk_ and 64 hex digits, not ${JSON.stringify(author)}`,
    );
  }
  return (author) => authors.has(author);
}
