/**
 * The JSON of a projection's state.
 *
 * @module
 */

import { LogError } from "../errors.ts";

/** In UTF-16 code units: all of it is read and written for each change, which costs at most some tenths of a second. */
const MAX_STATE_LENGTH = 1 << 24;

/**
 * Encodes a state, so that it is the same when it is decoded.
 *
 * @param state The state.
 * @param name The name of the projection.
 * @throws {LogError} `invalid-argument` for a state that JSON does not hold; `too-large`.
 */
export function encodeState(state: unknown, name: string): string {
  const refuse = (key: string, what: string) =>
    new LogError(
      "invalid-argument",
      `the state of projection ${name} cannot be kept: ${key === "" ? "it" : JSON.stringify(key)} is ${what}, which ` +
        "JSON does not hold; use plain objects, arrays, strings, finite numbers, booleans and null",
    );
  const encode = () =>
    JSON.stringify(state, function (this: Record<string, unknown>, key) {
      const value = this[key]; // before toJSON
      if (value === null || typeof value === "string" || typeof value === "boolean") return value;
      if (typeof value === "number") {
        if (!Number.isFinite(value) || Object.is(value, -0)) {
          throw refuse(key, Object.is(value, -0) ? "-0" : `${value}`);
        }
        return value;
      }
      if (typeof value !== "object") throw refuse(key, value === undefined ? "undefined" : `a ${typeof value}`);
      const prototype = Object.getPrototypeOf(value);
      if (Array.isArray(value) || prototype === Object.prototype || prototype === null) return value;
      throw refuse(key, `a ${value.constructor?.name ?? "object of a class"}`);
    });
  try {
    const text = encode();
    if (text.length > MAX_STATE_LENGTH) throw stateTooLarge(name);
    return text;
  } catch (error) {
    if (error instanceof LogError) throw error;
    if (error instanceof RangeError && error.message.includes("string length")) throw stateTooLarge(name);
    throw refuse("", "an object that contains itself, or is nested too deep"); // a TypeError, a RangeError
  }
}

function stateTooLarge(name: string): LogError {
  return new LogError(
    "too-large",
    `the state of projection ${name} is longer than ${MAX_STATE_LENGTH} characters of JSON and cannot be kept; keep less in ` +
      "it, split it into several projections, or use replay, which keeps nothing",
  );
}
