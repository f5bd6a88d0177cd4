/**
 * MNC-1, the canonical encoding: a strict subset of JSON in which every value has exactly one text.
 *
 * No floats, integers of 64 bits, keys in code-point order, no white space, minimal escapes, at most 64 levels.
 *
 * @module
 */

import { CanonicalError } from "../errors.ts";
import { parseJson } from "./json.ts";
import { type CanonicalValue, isObject, MAX_DEPTH, MAX_INTEGER, MIN_INTEGER } from "./value.ts";

/**
 * Encodes a value as MNC-1 text.
 *
 * @param value Any {@linkcode CanonicalValue}; taken as `unknown` because bodies often come from untyped code.
 * @returns The one canonical text of the value.
 * @throws {CanonicalError} With the `path` of the first value that has no canonical encoding.
 *
 * @example
 * ```ts
 * import { encodeCanonical } from "@mnema/oplog";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeCanonical({ b: [1, 2n ** 60n], a: "é" }), '{"a":"é","b":[1,1152921504606846976]}');
 * ```
 */
export function encodeCanonical(value: unknown): string {
  return encode(value, []);
}

/**
 * Decodes MNC-1 text, strictly: valid JSON that is not its own canonical encoding is rejected.
 *
 * @param text The whole text, without white space around it.
 * @returns The value. Integers beyond ±(2^53-1) are `bigint`.
 * @throws {CanonicalError} With the `offset` of the first fault.
 *
 * @example
 * ```ts
 * import { parseCanonical } from "@mnema/oplog";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(parseCanonical('{"a":9223372036854775807}'), { a: 9223372036854775807n });
 * assertThrows(() => parseCanonical('{"a": 1}'), Error, "offset 5");
 * ```
 */
export function parseCanonical(text: string): CanonicalValue {
  // JSON.parse is several times faster than parseJson, but it rounds large integers and keeps the last of duplicate keys.
  // A value that it decodes wrongly does not encode to the same text, so equality decides.
  try {
    const value: CanonicalValue = JSON.parse(text);
    if (encodeCanonical(value) === text) return value;
  } catch {
    // Not MNC-1, or with an integer that needs a bigint: parseJson decides.
  }
  const value = parseJson(text);
  const canonical = encodeCanonical(value);
  if (canonical !== text) throw notCanonical(text, canonical);
  return value;
}

type Path = (string | number)[];

function encode(value: unknown, path: Path): string {
  if (path.length > MAX_DEPTH) {
    throw refuse("depth", `is nested deeper than ${MAX_DEPTH} levels; flatten it, and look for a cycle`, path);
  }
  switch (typeof value) {
    case "string":
      return encodeString(value, path);
    case "number":
      return encodeNumber(value, path);
    case "boolean":
      return value ? "true" : "false";
    case "bigint":
      if (value < MIN_INTEGER || value > MAX_INTEGER) throw refuse("range", "does not fit in 64 bits", path);
      return value.toString();
    case "object":
      if (Array.isArray(value)) return encodeArray(value, path);
      return isObject(value) ? encodeObject(value, path) : "null";
    default:
      throw refuse("type", `is ${typeof value}, which has no encoding; leave the field out or use null`, path);
  }
}

function encodeNumber(value: number, path: Path): string {
  if (Number.isSafeInteger(value)) return String(value); // String(-0) is "0"
  if (Number.isInteger(value)) {
    throw refuse("range", `is ${value}, too large for a number to hold exactly; use a bigint`, path);
  }
  throw refuse("float", `is ${value}; there are no floats, use a scaled integer such as parts per million`, path);
}

function encodeString(value: string, path: Path): string {
  if (!value.isWellFormed()) throw refuse("surrogate", "has a lone surrogate, which UTF-8 cannot hold", path);
  return JSON.stringify(value);
}

function encodeArray(value: readonly unknown[], path: Path): string {
  let text = "[";
  for (let i = 0; i < value.length; i++) {
    path.push(i);
    text += i === 0 ? encode(value[i], path) : "," + encode(value[i], path);
    path.pop();
  }
  return text + "]";
}

function encodeObject(value: Record<string, unknown>, path: Path): string {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    const name = prototype.constructor?.name ?? "an object with a prototype";
    throw refuse("type", `is ${name}, which has no encoding; convert it to plain values`, path);
  }
  let text = "{";
  for (const key of sortedKeys(value)) {
    path.push(key);
    text += (text === "{" ? "" : ",") + encodeString(key, path) + ":" + encode(value[key], path);
    path.pop();
  }
  return text + "}";
}

function sortedKeys(value: object): string[] {
  const keys = Object.keys(value);
  for (let i = 1; i < keys.length; i++) {
    if (compareCodePoints(keys[i - 1], keys[i]) > 0) return keys.sort(compareCodePoints);
  }
  return keys;
}

/** Code-point order is UTF-16 order, except that surrogates (U+10000 and up) sort after U+E000 to U+FFFF. */
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return surrogatesLast(x) - surrogatesLast(y);
  }
  return a.length - b.length;
}

function surrogatesLast(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

function refuse(rule: CanonicalError["rule"], what: string, path: Path): CanonicalError {
  const at = pathText(path);
  return new CanonicalError(rule, `${at} ${what}`, { path: at });
}

/** The path of a value in another: `$.body.tags[3]`. */
export function pathText(path: readonly (string | number)[]): string {
  let text = "$";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else text += /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  }
  return text;
}

function notCanonical(text: string, canonical: string): CanonicalError {
  let offset = 0;
  while (text[offset] === canonical[offset]) offset++;
  const [found, expected] = [text, canonical].map((t) => offset < t.length ? JSON.stringify(t[offset]) : "the end");
  return new CanonicalError(
    "not canonical",
    `the text is not its own canonical encoding: at offset ${offset} it has ${found}, canonical is ${expected}`,
    { offset },
  );
}
