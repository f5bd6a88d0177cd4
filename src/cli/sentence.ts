/**
 * The sentence for an error. What the library says of its own options, the command line says in its own words.
 *
 * @module
 */

import { LogError, type LogErrorCode } from "../errors.ts";
import { REBUILD_ADVICE } from "../derived/damage.ts";
import { explainDenial } from "./permissions.ts";

/** What a person at the command line can do, by what is wrong. */
const ADVICE: Partial<Record<LogErrorCode, string>> = {
  "locked": "try again when that has ended",
  "read-only": "look at the mode of it, of its folder, and of -wal and -shm beside it",
  "too-large": "split it",
  "waiting-full": "put the lines in order",
};
/** Names of the library that mean nothing on a command line. */
const LIBRARY_NAME = /\b(?:readonly|busyTimeoutMs|maxOperationBytes|maxWaiting)\b/;

/**
 * The sentence for an error that a user can mend; `undefined` of any other.
 *
 * @param error What was thrown.
 * @param given The log and the key, where options name them.
 */
export function sentenceOf(error: unknown, given: { log?: string; key?: string } = {}): string | undefined {
  const denied = explainDenial(error, given);
  if (denied !== undefined || !(error instanceof LogError)) return denied;
  return inOwnWords(error.code, error.message.replace(REBUILD_ADVICE, "; run: mnema rebuild"));
}

/**
 * A sentence of the library in which the advice, which stands behind the last semicolon, is about an option of the
 * library, with the advice for the command line instead.
 */
export function inOwnWords(code: LogErrorCode, sentence: string): string {
  const advice = ADVICE[code];
  const end = sentence.lastIndexOf("; ");
  if (advice === undefined || end < 0 || !LIBRARY_NAME.test(sentence.slice(end))) return sentence;
  return `${sentence.slice(0, end)}; ${advice}`;
}
