/**
 * The expected schema of a log: `ops` with its indexes and triggers, the stored checkpoints, and derived tables.
 *
 * @module
 */

import { OBJECTS } from "../log/schema.ts";
import { BUILT_IN } from "../built_in.ts";
import { stateDefinition } from "../derived/state.ts";
import { WATERMARKS } from "../derived/tables.ts";
import { CHECKPOINT_OBJECTS } from "../checkpoints/stored.ts";

const EXPECTED: Readonly<Record<string, string>> = {
  ...OBJECTS,
  ...CHECKPOINT_OBJECTS,
  sqlite_sequence: "CREATE TABLE sqlite_sequence(name,seq)", // SQLite's own, for AUTOINCREMENT
  mnema_watermarks: `CREATE TABLE mnema_watermarks ${WATERMARKS}`,
  ...Object.fromEntries(BUILT_IN.flatMap(({ tables, indexes = {} }) => [
    ...Object.entries(tables).map(([name, columns]) => [name, `CREATE TABLE "${name}" ${columns}`]),
    ...Object.entries(indexes).map(([name, columns]) => [name, `CREATE INDEX ${name} ON ${columns}`]),
  ])),
};

/** The names of all objects that the log creates, except for the states of projections that a user wrote. */
export const EXPECTED_NAMES: ReadonlySet<string> = new Set(Object.keys(EXPECTED));

/** The SQL that creates an object of the log; undefined for any other name. */
export function definitionOf(name: string): string | undefined {
  return Object.hasOwn(EXPECTED, name) ? EXPECTED[name] : stateDefinition(name);
}
