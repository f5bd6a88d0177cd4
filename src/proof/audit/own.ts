/**
 * What the log makes in its file: `ops` with what belongs to it, the kept checkpoints, and all that is derived.
 *
 * @module
 */

import { OBJECTS } from "../../log/schema.ts";
import { declarationOf } from "../../log/sql.ts";
import { claims } from "../../replay/claims/tables.ts";
import { depths } from "../../replay/depths.ts";
import { heads } from "../../replay/heads.ts";
import { type TableProjection, WATERMARKS } from "../../replay/projections.ts";
import { stateDefinition } from "../../replay/state.ts";
import { CHECKPOINTS_SCHEMA } from "../kept.ts";
import { tree } from "../tree.ts";

/** All that is derived, but for the states of projections that a user wrote. */
export const DERIVED: readonly TableProjection[] = [heads, tree, depths, claims];

/** How the table of kept checkpoints and what belongs to it are made, by name. */
export const CHECKPOINT_OBJECTS: Readonly<Record<string, string>> = Object.fromEntries(
  CHECKPOINTS_SCHEMA.split(/;\s*(?=CREATE\b|$)/).filter((sql) => sql.trim() !== "").map((sql) => {
    const statement = sql.trim().replace(" IF NOT EXISTS ", " "); // SQLite does not keep these words
    return [declarationOf(statement)!.name, statement];
  }),
);

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
export const OWN_NAMES: ReadonlySet<string> = new Set(Object.keys(OWN));

/** How an object of the log's is made; undefined for a name that is not the log's. */
export function definitionOf(name: string): string | undefined {
  return Object.hasOwn(OWN, name) ? OWN[name] : stateDefinition(name);
}
