/**
 * Names: of a stream, and of the few subjects that its messages have.
 *
 * ```text
 * team.ops.8   operations by authors whose public key begins with the hex digit 8
 * ```
 *
 * @module
 */

import { LogError } from "../errors.ts";
import { AUTHOR_OFFSET } from "../wire/layout.ts";

/** The header with the id of a message, by which the server recognizes duplicates. */
export const ID_HEADER = "Nats-Msg-Id";

/** What the server accepts as a stream's name and as a token of a subject, and no wildcard. */
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
/** The length of `mnk_`. */
const AUTHOR_PREFIX_LENGTH = 4;

/**
 * Checks the name of a stream.
 *
 * @throws {LogError} `invalid-argument`.
 */
export function requireStreamName(name: unknown): asserts name is string {
  if (typeof name === "string" && NAME.test(name)) return;
  throw new LogError("invalid-argument", "the name of a stream has 1 to 64 of the characters A-Z a-z 0-9 _ -");
}

/** All subjects of a stream's operations. */
export function allSubjects(stream: string): string {
  return `${stream}.ops.*`;
}

/** The subject of an operation: its shard is the first hex digit of the author's public key. */
export function subjectOf(stream: string, wire: string): string {
  return `${stream}.ops.${wire[AUTHOR_OFFSET + AUTHOR_PREFIX_LENGTH]}`;
}
