/**
 * What the log makes in its file: `ops` with what belongs to it, the kept checkpoints, and all that is derived.
 *
 * @module
 */

import { OBJECTS } from "../log/schema.ts";
import { BUILT_IN } from "../built_in.ts";
import { stateDefinition } from "../derived/state.ts";
import { WATERMARKS } from "../derived/tables.ts";
import { CHECKPOINT_OBJECTS } from "../checkpoints/stored.ts";

const OWN: Readonly<Record<string, string>> = {
  ...OBJECTS,
  ...CHECKPOINT_OBJECTS,
  sqlite_sequence: "CREATE TABLE sqlite_sequence(name,seq)", // SQLite's own, for AUTOINCREMENT
  mnema_watermarks: `CREATE TABLE mnema_watermarks ${WATERMARKS}`,
  ...Object.fromEntries(BUILT_IN.flatMap(({ tables, indexes = {} }) => [
    ...Object.entries(tables).map(([name, columns]) => [name, `CREATE TABLE "${name}" ${columns}`]),
    ...Object.entries(indexes).map(([name, columns]) => [name, `CREATE INDEX ${name} ON ${columns}`]),
  ])),
};

/** The names of all that the log makes, but for the states of projections that a user wrote. */
export const OWN_NAMES: ReadonlySet<string> = new Set(Object.keys(OWN));

/** How an object of the log's is made; undefined for a name that is not the log's. */
export function definitionOf(name: string): string | undefined {
  return Object.hasOwn(OWN, name) ? OWN[name] : stateDefinition(name);
}
