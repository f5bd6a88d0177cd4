/**
 * Reports of the library as JSON with the names of the wire format.
 *
 * @module
 */

import { wireName } from "../render/json.ts";

/** One line of JSON in which each field has the name of the wire format: `op_id`, not `opId`. Texts stay as they are. */
export function reportJson(report: object): string {
  return JSON.stringify(report, (_name, value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [wireName(name), member]));
  });
}
