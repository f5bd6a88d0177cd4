/**
 * Claims and explanations as JSON.
 *
 * @module
 */

import { encodeCanonical } from "../wire/canonical.ts";
import type { CascadePreview, Claim, ClaimStats, Explanation } from "../claims/claim.ts";

/** Fields with data of an operation, which is encoded as it is: its names are not ours, and its depth is limited already. */
const USER_DATA = new Set(["value", "content"]);

/**
 * Formats a claim, an explanation, or another answer about claims, as one line of JSON, with the names of the wire format: `op_id`, `confidence_ppm`,
 * `superseded_by`. Keys are sorted, integers have all their digits, undefined fields are left out.
 *
 * @param value A claim, an explanation, a preview, or counts.
 */
export function formatJson(value: Claim | Explanation | CascadePreview | ClaimStats): string {
  return encode(value);
}

function encode(value: unknown, field = ""): string {
  if (typeof value !== "object" || value === null || USER_DATA.has(field)) return encodeCanonical(value);
  if (Array.isArray(value)) return `[${value.map((item) => encode(item)).join(",")}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
    .map(([key, member]): [string, string] => [wireName(key), encode(member, key)])
    .sort(([a], [b]) => a < b ? -1 : 1);
  return `{${members.map(([key, member]) => `${encodeCanonical(key)}:${member}`).join(",")}}`;
}

/** The name of a TypeScript field in the wire format: `opId` becomes `op_id`. */
export function wireName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => "_" + letter.toLowerCase());
}
