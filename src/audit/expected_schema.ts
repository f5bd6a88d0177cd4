/**
 * What the log makes in its file: `ops` with what belongs to it, the stored checkpoints, and all that is derived.
 *
 * @module
 */

import { OBJECTS } from "../log/schema.ts";
import { claims } from "../claims/tables.ts";
import { children } from "../derived/children.ts";
import { depths } from "../derived/depths.ts";
import { heads } from "../derived/heads.ts";
import type { TableProjection } from "../derived/projections.ts";
import { stateDefinition } from "../derived/state.ts";
import { WATERMARKS } from "../derived/tables.ts";
import { CHECKPOINT_OBJECTS } from "../checkpoints/stored.ts";
import { times } from "../derived/times.ts";
import { tree } from "../derived/tree.ts";

/** All that is derived, but for the states of projections that a user wrote. */
export const DERIVED: readonly TableProjection[] = [heads, tree, depths, children, times, claims];

const OWN: Readonly<Record<string, string>> = {
  ...OBJECTS,
  ...CHECKPOINT_OBJECTS,
  sqlite_sequence: "CREATE TABLE sqlite_sequence(name,seq)", // SQLite's own, for AUTOINCREMENT
  mnema_watermarks: `CREATE TABLE mnema_watermarks ${WATERMARKS}`,
  ...Object.fromEntries(DERIVED.flatMap(({ tables, indexes = {} }) => [
    ...Object.entries(tables).map(([name, columns]) => [name, `CREATE TABLE "${name}" ${columns}`]),
    ...Object.entries(indexes).map(([name, columns]) => [name, `CREATE INDEX ${name} ON ${columns}`]),
  ])),
};

/** The names of all that the log makes, but for the states of projections that a user wrote. */
export const EXPECTED_NAMES: ReadonlySet<string> = new Set(Object.keys(OWN));

/** How an object of the log's is made; undefined for a name that is not the log's. */
export function definitionOf(name: string): string | undefined {
  return Object.hasOwn(OWN, name) ? OWN[name] : stateDefinition(name);
}
