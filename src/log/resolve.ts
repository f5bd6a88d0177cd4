/**
 * Abbreviated ids of operations and authors.
 *
 * @module
 */

import { AmbiguousIdError, LogError, NotFoundError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { requireText } from "./entries.ts";

/** How many candidates an error names. */
const MAX_CANDIDATES = 3;
const SELECT_IDS = "SELECT op_id FROM ops WHERE op_id >= ? AND op_id < ? ORDER BY op_id LIMIT ?";
const SELECT_NEXT_AUTHOR = "SELECT min(author) FROM ops WHERE author >= ? AND author < ?";
/** Greater than every hex digit. */
const AFTER_HEX = "g";

/**
 * The whole id of the operation that an abbreviated one means.
 *
 * @param connection The log's file.
 * @param abbreviated The start of an id; an ellipsis after it is ignored.
 * @throws {NotFoundError} When no operation has such an id.
 * @throws {AmbiguousIdError} When several have.
 * @throws {LogError} `invalid-argument` when it is not the start of an id.
 */
export function resolveOperation(connection: Connection, abbreviated: string): string {
  const prefix = prefixOf(abbreviated, "operation", "op_");
  const candidates = connection.query(SELECT_IDS).values<[string]>(prefix, prefix + AFTER_HEX, MAX_CANDIDATES + 1);
  if (candidates.length === 0) throw new NotFoundError(abbreviated);
  return onlyCandidate(prefix, candidates.flat());
}

/**
 * The whole id of the author that an abbreviated one means, of those who signed something in the log.
 *
 * @throws As {@linkcode resolveOperation}; `not-found` when the log holds nothing by such an author.
 */
export function resolveAuthor(connection: Connection, abbreviated: string): string {
  const prefix = prefixOf(abbreviated, "author", "mnk_");
  const candidates: string[] = [];
  // From one author to the next in the index: DISTINCT would read the whole of it.
  const next = connection.query(SELECT_NEXT_AUTHOR);
  for (let from = prefix; candidates.length <= MAX_CANDIDATES;) {
    const [author] = next.value<[string | null]>(from, prefix + AFTER_HEX)!;
    if (author === null) break;
    candidates.push(author);
    from = author + "0";
  }
  if (candidates.length === 0) throw new LogError("not-found", `the log holds nothing by an author ${abbreviated}`);
  return onlyCandidate(prefix, candidates);
}

function prefixOf(abbreviated: string, of: "operation" | "author", start: string): string {
  requireText(of === "author" ? "an author id" : "an id", abbreviated);
  const prefix = abbreviated.replace(/(?:…|\.\.\.)$/, "");
  if (prefix.startsWith(start) && /^[0-9a-f]{1,64}$/.test(prefix.slice(start.length))) return prefix;
  throw new LogError(
    "invalid-argument",
    `${JSON.stringify(abbreviated)} is no ${of} id; one is ${start} and up to 64 lower-case hex digits`,
  );
}

/** The only candidate; with several, one more is given than the error names. */
function onlyCandidate(prefix: string, candidates: string[]): string {
  if (candidates.length === 1) return candidates[0];
  throw new AmbiguousIdError(prefix, candidates.slice(0, MAX_CANDIDATES), candidates.length > MAX_CANDIDATES);
}
