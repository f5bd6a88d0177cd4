/**
 * Results of the library as one line of JSON with the names of the wire format.
 *
 * @module
 */

import type { Cascade } from "../claims/claim.ts";
import type { LogStats } from "../log/stats.ts";
import { wireName } from "./json.ts";

/** JSON in which each field has the name of the wire format: `op_id`, not `opId`. Texts stay as they are. */
export function reportJson(report: object): string {
  return JSON.stringify(report, (_name, value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [wireName(name), member]));
  });
}

/** An operation that was appended: its `seq` and its `op_id`. */
export function appendedJson(seq: number | undefined, opId: string): string {
  return JSON.stringify({ seq, op_id: opId });
}

/** The effects of a refute or a correction: its `op_id`, the ids of the claims that fell, and whether it took effect. */
export function cascadeJson({ op, invalidations, effective }: Cascade): string {
  return JSON.stringify({ op_id: op.opId, invalidated: invalidations.map(({ body }) => body.claim), effective });
}

/** The counts of a log. The names of types and authors stay as they are. */
export function statsJson({ operations, types, authors, span, bytes }: LogStats, heads: number): string {
  return JSON.stringify({ operations, heads, bytes, span: span ?? null, types, authors });
}
