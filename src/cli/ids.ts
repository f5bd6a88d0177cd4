/**
 * Ids as they are typed.
 *
 * @module
 */

import type { OpLog } from "../oplog.ts";
import { isAuthor, isOpId } from "../wire/ids.ts";
import { UsageError } from "./command.ts";

/** The whole id of what a claim is, or may be, derived from: one that is whole need not be in the log yet. */
export function resolveInput(log: OpLog, id: string): string {
  return isOpId(id) ? id : log.resolve(id);
}

/** The value of `--author`, which may not be abbreviated. */
export function wholeAuthor(id: string): string {
  if (isAuthor(id)) return id;
  throw new UsageError(`--author takes a whole author id, mnk_ and 64 hex digits, not ${id}`);
}
