/**
 * Claims and explanations as JSON.
 *
 * @module
 */

import { encodeCanonical } from "../wire/canonical.ts";
import type { Claim, Explanation } from "../claims/claim.ts";

/** What others have put into the log may be as deep as the encoding allows, and is counted from there. */
const FOREIGN = new Set(["value", "content"]);

/**
 * One line of JSON, with the names of the wire format: `op_id`, `confidence_ppm`, `superseded_by`. Sorted keys,
 * integers with all their digits, what is undefined left out. Values and contents are as they were claimed.
 *
 * @param it An explanation, or a claim.
 */
export function formatJson(it: Explanation | Claim): string {
  return encode(it);
}

function encode(value: unknown, field = ""): string {
  if (typeof value !== "object" || value === null || FOREIGN.has(field)) return encodeCanonical(value);
  if (Array.isArray(value)) return `[${value.map((item) => encode(item)).join(",")}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
    .map(([key, member]): [string, string] => [wireName(key), encode(member, key)])
    .sort(([a], [b]) => a < b ? -1 : 1);
  return `{${members.map(([key, member]) => `${encodeCanonical(key)}:${member}`).join(",")}}`;
}

/** A name of TypeScript as the wire format has it. */
export function wireName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => "_" + letter.toLowerCase());
}
