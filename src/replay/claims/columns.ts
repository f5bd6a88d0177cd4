/**
 * How keys, values and the standing of claims are written in the tables.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { encodeCanonical } from "../../wire/canonical.ts";
import type { CanonicalValue } from "../../wire/value.ts";

/** How a group of claims stands by the refutes and corrections of its key. */
export const Standing = { upheld: 0, corrected: 1, refuted: 2 } as const;
/** How a claim stands by what it was derived from. */
export const Support = { sound: 0, pending: 1, invalidated: 2 } as const;

const LONGEST_VALUE = 64;

/** A key in the database: its canonical text without the quotes, in which no control character is. */
export function keyText(key: string): string {
  return encodeCanonical(key).slice(1, -1);
}

/** A value in the database: its canonical text, or where that is long its SHA-256. Equal when the values are. */
export function valueText(value: CanonicalValue): string {
  const text = encodeCanonical(value);
  return text.length <= LONGEST_VALUE ? text : "#" + createHash("sha256").update(text).digest("hex");
}
