/**
 * The part of `@std/assert` 1 that this project uses, written from its public
 * API, for machines that can't reach jsr.io. It behaves as the original does;
 * only the text of a diff differs.
 *
 * Every assertion takes a last argument `msg`, added to its own message.
 *
 * @module
 */

import { stripVTControlCharacters } from "node:util";
import { difference, format } from "./diff.ts";
import { equal } from "./equal.ts";

/** Thrown by an assertion that fails. */
export class AssertionError extends Error {
  /** Creates the error of a failed assertion. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

/** The values that count as false. */
export type Falsy = false | 0 | 0n | "" | null | undefined;

/** An array, typed array or the like, but no string. */
export type ArrayLikeArg<T> = ArrayLike<T> & object;

/** A class, abstract or not, whose instances are `T`. */
type Class<T> = abstract new (...args: never[]) => T;

/** What a class constructs. */
type Instance<C> = C extends Class<infer T> ? T : never;

/** Asserts that `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Asserts that `expr` is falsy. */
export function assertFalse(expr: unknown, msg = ""): asserts expr is Falsy {
  if (expr) throw new AssertionError(msg);
}

/** Asserts that two values are deeply equal: see `equal.ts`. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  throw new AssertionError(
    `Values are not equal${suffix(msg)}${difference(actual, expected)}`,
  );
}

/** Asserts that two values are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) return;
  throw new AssertionError(
    `Expected actual: ${format(actual)} not to be: ${format(expected)}${suffix(msg)}`,
  );
}

/** Asserts that two values are the same one, by `Object.is`. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  const text = format(actual);
  throw new AssertionError(
    text === format(expected)
      ? `Values have the same structure but are not reference-equal${suffix(msg)}\n\n${text}\n`
      : `Values are not strictly equal${suffix(msg)}${difference(actual, expected)}`,
  );
}

/** Asserts that a value is neither `null` nor `undefined`. */
export function assertExists<T>(
  actual: T,
  msg?: string,
): asserts actual is NonNullable<T> {
  if (actual !== null && actual !== undefined) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to not be null or undefined${suffix(msg)}`,
  );
}

/** Asserts that a value is an instance of a class. */
export function assertInstanceOf<C extends Class<unknown>>(
  actual: unknown,
  expectedType: C,
  msg = "",
): asserts actual is Instance<C> {
  if (actual instanceof expectedType) return;
  throw new AssertionError(
    `Expected object to be an instance of "${expectedType.name}" but was "${typeName(actual)}"${suffix(msg)}`,
  );
}

/** Asserts that a text matches a pattern. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (expected.test(actual)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to match: "${expected}"${suffix(msg)}`,
  );
}

/** Asserts that a text contains another. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  if (actual.includes(expected)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to contain: "${expected}"${suffix(msg)}`,
  );
}

/** Asserts that each expected value deeply equals some actual one. */
export function assertArrayIncludes<T>(
  actual: ArrayLikeArg<T>,
  expected: ArrayLikeArg<T>,
  msg?: string,
): void {
  const found = Array.from(actual);
  const missing = Array.from(expected)
    .filter((item) => !found.some((it) => equal(item, it)));
  if (missing.length === 0) return;
  throw new AssertionError(
    `Expected actual: "${format(actual)}" to include: "${format(expected)}"${suffix(msg)}\nmissing: ${format(missing)}`,
  );
}

/** Asserts that `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (actual > expected) return;
  throw new AssertionError(
    msg ?? `Expect ${format(actual)} > ${format(expected)}`,
  );
}

/** Asserts that `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (actual < expected) return;
  throw new AssertionError(
    msg ?? `Expect ${format(actual)} < ${format(expected)}`,
  );
}

/** Fails. */
export function fail(msg?: string): never {
  throw new AssertionError(`Failed assertion${suffix(msg)}`);
}

/** Asserts that a function throws anything at all, and returns it. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/**
 * Asserts that a function throws an error of a class, whose message contains
 * `msgIncludes`, and returns it.
 */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: Class<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  classOrMsg?: Class<Error> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  const end = suffix(typeof classOrMsg === "string" ? classOrMsg : msg);
  try {
    fn();
  } catch (error) {
    checkError(error, classOrMsg, msgIncludes, "thrown", end);
    return error;
  }
  throw new AssertionError(`Expected function to throw${end}`);
}

/**
 * Asserts that a function returns a promise that rejects with anything at all,
 * and resolves to it. A function that itself throws, or returns no promise,
 * fails.
 */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
/**
 * Asserts that a function returns a promise that rejects with an error of a
 * class, whose message contains `msgIncludes`, and resolves to it.
 */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: Class<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  classOrMsg?: Class<Error> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const end = suffix(typeof classOrMsg === "string" ? classOrMsg : msg);
  let promise: PromiseLike<unknown> | undefined;
  try {
    promise = fn();
  } catch {
    // Reported below, as is a function that returned no promise.
  }
  if (typeof promise !== "object" || typeof promise?.then !== "function") {
    throw new AssertionError(`Function throws when expected to reject${end}`);
  }
  try {
    await promise;
  } catch (error) {
    checkError(error, classOrMsg, msgIncludes, "rejected", end);
    return error;
  }
  throw new AssertionError(`Expected function to reject${end}`);
}

/** Checks a caught value, when a class was asked for. */
function checkError(
  error: unknown,
  ErrorClass: Class<Error> | string | undefined,
  msgIncludes: string | undefined,
  how: "thrown" | "rejected",
  end: string,
): void {
  if (typeof ErrorClass !== "function") return;
  if (!(error instanceof Error)) {
    throw new AssertionError(`A non-Error object was ${how}${end}`);
  }
  if (!(error instanceof ErrorClass)) {
    throw new AssertionError(
      `Expected error to be instance of "${ErrorClass.name}", but was "${typeName(error)}"${end}`,
    );
  }
  // Colours are ignored.
  const text = stripVTControlCharacters(error.message);
  if (!text.includes(stripVTControlCharacters(msgIncludes ?? ""))) {
    throw new AssertionError(
      `Expected error message to include ${JSON.stringify(msgIncludes)}, but got ${
        JSON.stringify(error.message)
      }${end}`,
    );
  }
}

function typeName(value: unknown): string {
  if (value === null || typeof value !== "object") {
    return value === null ? "null" : typeof value;
  }
  return value.constructor?.name ?? "Object";
}

/** The end of a message: the caller's message, if any. */
function suffix(msg: string | undefined): string {
  return msg ? `: ${msg}` : ".";
}
