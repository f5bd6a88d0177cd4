/**
 * Resolves ids and keys in arguments: a whole id, an abbreviated id, or a key for its current claim.
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

/** The whole id of an input of a claim. A whole id need not be in the log yet. */
export function resolveInput(log: OpLog, id: string): string {
  return isOpId(id) ? id : log.resolve(id);
}

/** As {@linkcode resolveInput}; an argument that is not an id is a key, and means its current claim. */
export function resolveSource(log: OpLog, source: string): string {
  return isIdStart(source) ? resolveInput(log, source) : holding(log, source).opId;
}

/** Whether an argument has the form of an operation id, whole or abbreviated; any other is a key. */
export function isIdStart(argument: string): boolean {
  return OP_ID_START.test(argument);
}

/**
 * The current claim of a key.
 *
 * @throws {LogError} `not-found` when no claim is active.
 */
export function holding(log: OpLog, key: string): Claim {
  const last = holdingOrLast(log, key);
  if (last.status === "active") return last;
  const advice = `to see why, run: mnema explain ${last.opId.slice(0, 11)}`;
  throw new LogError(
    "not-found",
    `the key ${JSON.stringify(key)} has no current value: its last claim is ${last.status}; ${advice}`,
  );
}

/**
 * The current claim of a key; when none is active, the last.
 *
 * @throws {LogError} `not-found` when the key has no claims.
 */
export function holdingOrLast(log: OpLog, key: string): Claim {
  const found = log.claims.current(key) ?? log.claims.latest(key);
  if (found !== undefined) return found;
  const advice = "to list all claims, run: mnema claims";
  throw new LogError("not-found", `the key ${JSON.stringify(key)} has no claims; ${advice}`);
}

/** Refuses an argument that has not the form of an author id, whole or abbreviated. */
export function checkAuthor(id: string): string {
  if (AUTHOR_START.test(id)) return id;
  throw new UsageError(`--author takes an author id, mnk_ and hex digits, whole or abbreviated, not ${id}`);
}

/** The whole author id. A whole id need not be in the log. */
export function resolveAuthor(log: OpLog, id: string): string {
  return isAuthor(id) ? id : log.resolveAuthor(id);
}
