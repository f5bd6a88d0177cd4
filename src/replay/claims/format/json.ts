/**
 * Claims and explanations as JSON.
 *
 * @module
 */

import { encodeCanonical } from "../../../wire/canonical.ts";
import type { Claim, Explanation } from "../claim.ts";

/** What others have put into the log may be as deep as the encoding allows, and is counted from there. */
const FOREIGN = new Set(["value", "content"]);

/**
 * One line of JSON: sorted keys, integers with all their digits, what is undefined left out.
 *
 * @param it An explanation, or a claim.
 */
export function formatJson(it: Explanation | Claim): string {
  return encode(it);
}

function encode(value: unknown, field = ""): string {
  if (typeof value !== "object" || value === null || FOREIGN.has(field)) return encodeCanonical(value);
  if (Array.isArray(value)) return `[${value.map((item) => encode(item)).join(",")}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined).sort(([a], [b]) => a < b ? -1 : 1);
  return `{${members.map(([key, member]) => `${encodeCanonical(key)}:${encode(member, key)}`).join(",")}}`;
}
