/**
 * How keys, values and the standing of claims are written in the tables.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { encodeCanonical } from "../wire/canonical.ts";
import type { CanonicalValue } from "../wire/value.ts";

/** How a group of claims stands by the refutes and corrections of its key. */
export const Standing = { upheld: 0, corrected: 1, refuted: 2 } as const;
/** How a claim stands by what it was derived from. */
export const Support = { sound: 0, pending: 1, invalidated: 2 } as const;

const LONGEST_VALUE = 64;

/** Whether a key has a character that `keyText` writes in another way, or none that UTF-8 can hold. */
const isPlain = (key: string) => !key.includes("\0") && !key.includes("\x01") && key.isWellFormed();

/**
 * A key in the database, where texts end at U+0000: that becomes U+0001 U+0001, and U+0001 becomes U+0001 U+0002. Texts
 * compare as the keys do, by code point, and one starts with another where its key does.
 *
 * @throws {CanonicalError} For a key with a lone surrogate.
 */
export function keyText(key: string): string {
  if (isPlain(key)) return key;
  encodeCanonical(key); // refuses a lone surrogate
  return key.replaceAll("\x01", "\x01\x02").replaceAll("\0", "\x01\x01");
}

/** A value in the database: its canonical text, or where that is long its SHA-256. Equal when the values are. */
export function valueText(value: CanonicalValue): string {
  const text = encodeCanonical(value);
  return text.length <= LONGEST_VALUE ? text : "#" + createHash("sha256").update(text).digest("hex");
}
