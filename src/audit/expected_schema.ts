/**
 * The expected schema of a log: `ops` with its indexes and triggers, the stored checkpoints, and derived tables.
 *
 * @module
 */

import { OBJECTS } from "../log/schema.ts";
import { BUILT_IN } from "../built_in.ts";
import { stateDefinition } from "../derived/state.ts";
import { STREAM_TABLES } from "../derived/stream_tables.ts";
import { CREATE_WATERMARKS, statementsOf } from "../derived/tables.ts";
import { CHECKPOINT_OBJECTS } from "../checkpoints/stored.ts";

const EXPECTED: Readonly<Record<string, string>> = {
  ...OBJECTS,
  ...CHECKPOINT_OBJECTS,
  sqlite_sequence: "CREATE TABLE sqlite_sequence(name,seq)", // SQLite's own, for AUTOINCREMENT
  mnema_watermarks: CREATE_WATERMARKS,
  ...Object.assign({}, ...[...BUILT_IN, STREAM_TABLES].map(statementsOf)),
};

/** The names of all objects that the log creates, except for the states of projections that a user wrote. */
export const EXPECTED_NAMES: ReadonlySet<string> = new Set(Object.keys(EXPECTED));

/** The SQL that creates an object of the log; undefined for any other name. */
export function definitionOf(name: string): string | undefined {
  return Object.hasOwn(EXPECTED, name) ? EXPECTED[name] : stateDefinition(name);
}
