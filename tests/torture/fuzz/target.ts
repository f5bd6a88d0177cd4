/**
 * What a fuzzed piece of code looks like to the fuzzer, and the checks that targets share. An input is bytes. A run of a
 * target throws when the code does what it must not do: throw something that is not documented, accept what is not
 * valid, or give two answers to one question.
 *
 * @module
 */

import { LogError, type LogErrorCode } from "../../../mod.ts";

/** A module in `targets/` exports one as `target`. */
export interface Target {
  /** Prepares it. The folder is empty, and removed afterwards. */
  start(folder: string): Harness | Promise<Harness>;
}

/** A target that is ready to run. */
export interface Harness {
  /** Examples from which inputs are made: most of them valid. */
  readonly seeds: readonly Uint8Array[];
  /** Words of the format: mutations put them in. */
  readonly tokens: readonly (string | Uint8Array)[];
  /** Runs one input. */
  run(input: Uint8Array): void | Promise<void>;
  /** Checks what can only be checked at the end, and lets go of everything. */
  close?(): void | Promise<void>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Bytes of a text. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** These characters in an input mean lone surrogates, which no UTF-8 can hold, in its text. */
export const [HIGH_SURROGATE, LOW_SURROGATE] = ["\u{10fffe}", "\u{10fffd}"];

/** The text of an input: any string at all. */
export function textOf(input: Uint8Array): string {
  const text = decoder.decode(input);
  if (!text.includes("\udbff")) return text; // the first half of both
  return text.replaceAll(HIGH_SURROGATE, "\ud800").replaceAll(LOW_SURROGATE, "\udc00");
}

/** A result, or the documented error instead of it. */
export type Attempt<T> =
  | { readonly value: T; readonly error?: undefined }
  | { readonly value?: undefined; readonly error: LogError };

/** Calls a function. Anything that it throws, but for a `LogError` with one of these codes, is thrown. */
export function attempt<T>(work: () => T, ...codes: LogErrorCode[]): Attempt<T> {
  try {
    return { value: work() };
  } catch (error) {
    return { error: documented(error, codes) };
  }
}

/** The same for a function that returns a promise. */
export async function attemptAsync<T>(work: () => Promise<T>, ...codes: LogErrorCode[]): Promise<Attempt<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error: documented(error, codes) };
  }
}

function documented(error: unknown, codes: readonly LogErrorCode[]): LogError {
  if (!(error instanceof LogError)) throw error;
  if (codes.includes(error.code)) return error;
  throw new Error(`the code ${error.code} is not documented here: ${error.message}`, { cause: error });
}

/** Throws unless a statement about the code is true. */
export function require(isTrue: boolean, statement: string): asserts isTrue {
  if (!isTrue) throw new Error(`false: ${statement}`);
}
