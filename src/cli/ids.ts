/**
 * Ids and keys as they are typed: whole, abbreviated, or a key for the claim that holds for it.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { OpLog } from "../oplog.ts";
import type { Claim } from "../claims/claim.ts";
import { isAuthor } from "../keys/author.ts";
import { isOpId } from "../wire/ids.ts";
import { UsageError } from "./command.ts";

const OP_ID_START = /^op_[0-9a-f]+(?:…|\.\.\.)?$/;
const AUTHOR_START = /^mnk_[0-9a-f]+(?:…|\.\.\.)?$/;

/** The whole id of what a claim is, or may be, derived from: one that is whole need not be in the log yet. */
export function resolveInput(log: OpLog, id: string): string {
  return isOpId(id) ? id : log.resolve(id);
}

/** The same, but what has not the form of an id is a key, and stands for the claim that holds for it. */
export function resolveSource(log: OpLog, source: string): string {
  return isIdStart(source) ? resolveInput(log, source) : holding(log, source).opId;
}

/** Whether an argument has the form of an operation's id, whole or abbreviated; what has not is a key. */
export function isIdStart(argument: string): boolean {
  return OP_ID_START.test(argument);
}

/**
 * The claim that holds for a key.
 *
 * @throws {LogError} `not-found` when none does.
 */
export function holding(log: OpLog, key: string): Claim {
  const last = holdingOrLast(log, key);
  if (last.status === "active") return last;
  const advice = `say why with: mnema explain ${last.opId.slice(0, 11)}`;
  throw new LogError(
    "not-found",
    `nothing holds for the key ${JSON.stringify(key)}: the last claim is ${last.status}; ${advice}`,
  );
}

/**
 * The claim that holds for a key; when none does, the last.
 *
 * @throws {LogError} `not-found` when nothing is claimed of it.
 */
export function holdingOrLast(log: OpLog, key: string): Claim {
  const found = log.claims.current(key) ?? log.claims.latest(key);
  if (found !== undefined) return found;
  const advice = "list what there is with: mnema claims";
  throw new LogError("not-found", `nothing is claimed of the key ${JSON.stringify(key)}; ${advice}`);
}

/** Refuses what has not the form of an author id, whole or abbreviated. */
export function checkAuthor(id: string): string {
  if (AUTHOR_START.test(id)) return id;
  throw new UsageError(`--author takes an author id, mnk_ and hex digits, whole or abbreviated, not ${id}`);
}

/** The whole author id: one that is whole need not be in the log. */
export function resolveAuthor(log: OpLog, id: string): string {
  return isAuthor(id) ? id : log.resolveAuthor(id);
}
