/**
 * The sentence for an error. Advice of the library about its own methods and options is replaced by what a person at the
 * command line can do, by the code of the error.
 *
 * @module
 */

import { LogError, type LogErrorCode } from "../errors.ts";
import { explainDenial } from "./permissions.ts";

/** Advice in place of that of the library. */
const ADVICE: Partial<Record<LogErrorCode, string>> = {
  "derived-damaged": "run: mnema rebuild",
  "key-unreadable": "create one with: mnema init, or: openssl genpkey -algorithm ed25519",
  "locked": "try again when that has ended",
  "read-only": "check the mode of it, of its folder, and of -wal and -shm beside it",
  "too-large": "split it",
  "waiting-full": "put the lines in order",
};
/** Advice that is added to that of the library. */
const MORE_ADVICE: Partial<Record<LogErrorCode, string>> = {
  "corrupt": "to see what is wrong, run: mnema audit",
  "inconsistent": "to see what is wrong, run: mnema audit",
};
/** Names of the library, which mean nothing on a command line. */
const LIBRARY_NAME = /\b(?:readonly|busyTimeoutMs|maxOperationBytes|maxWaiting|log\.rebuild|Identity\.generate)\b/;

/**
 * The sentence for an error that a user can act on; `undefined` for any other.
 *
 * @param error What was thrown.
 * @param given The log and the key, where options name them.
 */
export function sentenceOf(error: unknown, given: { log?: string; key?: string } = {}): string | undefined {
  const denied = explainDenial(error, given);
  if (denied !== undefined || !(error instanceof LogError)) return denied;
  const sentence = forCommandLine(error.code, error.message);
  const more = MORE_ADVICE[error.code];
  return more === undefined ? sentence : `${sentence}; ${more}`;
}

/** A sentence of the library; where its advice names something of the library, with advice for the command line. */
export function forCommandLine(code: LogErrorCode, sentence: string): string {
  const advice = ADVICE[code];
  const end = sentence.lastIndexOf("; ");
  if (advice === undefined || end < 0 || !LIBRARY_NAME.test(sentence.slice(end))) return sentence;
  return replaceAdvice(sentence, advice);
}

/** A sentence of the library with other advice, which is what follows the last semicolon. */
export function replaceAdvice(sentence: string, advice: string): string {
  const end = sentence.lastIndexOf("; ");
  return `${end < 0 ? sentence : sentence.slice(0, end)}; ${advice}`;
}
