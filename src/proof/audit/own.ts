/**
 * What the log keeps in its file: `ops` with what belongs to it, and all that is derived.
 *
 * @module
 */

import { OBJECTS } from "../../log/schema.ts";
import { claims } from "../../replay/claims/tables.ts";
import { children } from "../../replay/children.ts";
import { depths } from "../../replay/depths.ts";
import { heads } from "../../replay/heads.ts";
import { type TableProjection, WATERMARKS } from "../../replay/projections.ts";
import { times } from "../../replay/times.ts";
import { tree } from "../tree.ts";

/** All that is derived, but for the states of projections that a user wrote. */
export const DERIVED: readonly TableProjection[] = [heads, tree, depths, children, times, claims];

/** How everything of the log's is made, by name. */
export const OWN: Readonly<Record<string, string>> = {
  ...OBJECTS,
  mnema_watermarks: `CREATE TABLE mnema_watermarks ${WATERMARKS}`,
  ...Object.fromEntries(DERIVED.flatMap(({ tables, indexes = {} }) => [
    ...Object.entries(tables).map(([name, columns]) => [name, `CREATE TABLE ${name} ${columns}`]),
    ...Object.entries(indexes).map(([name, columns]) => [name, `CREATE INDEX ${name} ON ${columns}`]),
  ])),
};
