/**
 * Parses what people write, on the command line and in forms: values, times, confidences, derivers.
 *
 * @module
 */

import { CanonicalError, LogError } from "../errors.ts";
import { parseJson } from "../wire/json.ts";
import type { CanonicalValue } from "../wire/value.ts";

/**
 * Parses a value: JSON, or else text, so `tea` is `"tea"`.
 *
 * @throws {LogError} For JSON that the log cannot hold.
 */
export function parseValue(text: string): CanonicalValue {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof CanonicalError)) throw error;
    throw new LogError(error.code, `the value: ${error.message}; for text, put it in double quotes, too`, {
      cause: error,
    });
  }
}

const TIME = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)?(Z|[+-]\d{2}:\d{2})?$/;

/**
 * Parses a day or a time of ISO 8601, such as `2026-11-25` or `2026-11-25T14:30+01:00`, in UTC unless it names an offset.
 *
 * @returns Unix milliseconds, negative before 1970; undefined for any other text.
 */
export function parseTime(text: string): number | undefined {
  const [, day, time = "T00:00", offset = "Z"] = text.match(TIME) ?? [];
  const ts = Date.parse(`${day}${time}${offset}`);
  // Date.parse takes February 30 for a day in March.
  const isValid = !Number.isNaN(ts) && new Date(Date.parse(`${day}T00:00Z`)).toISOString().startsWith(day);
  return isValid ? ts : undefined;
}

/**
 * Parses a decimal from 0 to 1 with at most six decimals, without floating-point arithmetic.
 *
 * @returns Parts per million; undefined for any other text.
 */
export function parseConfidence(text: string): number | undefined {
  const [, whole, decimals = ""] = text.match(/^(?!$)([01]?)(?:\.(\d{1,6}))?$/) ?? [];
  const ppm = whole === undefined ? NaN : Number(whole + decimals.padEnd(6, "0"));
  return ppm <= 1_000_000 ? ppm : undefined;
}

/** The parts of `ID@VERSION`; without a version, the whole text is the id. An id may contain an @. */
export function splitDeriver(text: string): { id: string; version?: string } {
  const at = text.lastIndexOf("@");
  return at > 0 && at < text.length - 1 ? { id: text.slice(0, at), version: text.slice(at + 1) } : { id: text };
}
