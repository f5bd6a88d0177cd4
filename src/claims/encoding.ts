/**
 * The encoding of keys, values, verdicts and support in the derived tables.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { encodeCanonical } from "../wire/canonical.ts";
import type { CanonicalValue } from "../wire/value.ts";

/** The verdict on a group of claims by the refutes and corrections of its key. */
export const Standing = { upheld: 0, corrected: 1, refuted: 2 } as const;
/** The support of a claim by its inputs. */
export const Support = { sound: 0, pending: 1, invalidated: 2 } as const;

/** Longer values are hashed. */
const MAX_TEXT_LENGTH = 64;

/** Whether `keyText` returns a key unchanged. */
const isPlain = (key: string) => !key.includes("\0") && !key.includes("\x01") && key.isWellFormed();

/**
 * Encodes a key. Texts in SQLite end at U+0000, which becomes U+0001 U+0001; U+0001 becomes U+0001 U+0002. The encoding
 * preserves code-point order and prefixes.
 *
 * @throws {CanonicalError} For a key with a lone surrogate.
 */
export function keyText(key: string): string {
  if (isPlain(key)) return key;
  encodeCanonical(key); // throws the error
  return key.replaceAll("\x01", "\x01\x02").replaceAll("\0", "\x01\x01");
}

/** Encodes a value: its canonical text, or the SHA-256 of a long one. Encodings are equal if and only if the values are. */
export function valueText(value: CanonicalValue): string {
  const text = encodeCanonical(value);
  return text.length <= MAX_TEXT_LENGTH ? text : "#" + createHash("sha256").update(text).digest("hex");
}
