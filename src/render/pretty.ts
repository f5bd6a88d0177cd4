/**
 * JSON for people.
 *
 * @module
 */

import { encodeCanonical } from "../wire/canonical.ts";
import type { CanonicalValue } from "../wire/value.ts";

/** JSON with a line for each member. */
export function pretty(value: CanonicalValue, indent = ""): string {
  if (typeof value !== "object" || value === null) return encodeCanonical(value);
  const inner = indent + "  ";
  const [open, close, members] = Array.isArray(value)
    ? ["[", "]", value.map((item) => pretty(item, inner))]
    : ["{", "}", Object.entries(value).map(([key, item]) => `${encodeCanonical(key)}: ${pretty(item, inner)}`)];
  if (members.length === 0) return open + close;
  return `${open}\n${members.map((member) => inner + member).join(",\n")}\n${indent}${close}`;
}
