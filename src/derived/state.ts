/**
 * The states of users' projections: folded from the operations, in memory or in a table beside the log.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { derivedDamaged, derivedRows } from "./damage.ts";
import { depths } from "./depths.ts";
import type { Projections } from "./engine.ts";
import { copyInitial, isProjectionName, type Projection, type ReplayEntry, requireProjection } from "./projection.ts";
import { readOperations } from "./read.ts";
import { encodeState } from "./state_json.ts";
import type { TableProjection } from "./table_projection.ts";
import { statementsOf } from "./tables.ts";

const TABLE_PREFIX = "mnema_state_";
const COLUMNS = "(state TEXT NOT NULL)";

/** Wraps what a step threw, on its way through our own code to the caller. */
class Thrown {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** Folds a projection over the whole log, in memory. */
export function replay<State>(connection: Connection, projections: Projections, projection: Projection<State>): State {
  requireProjection(projection);
  const last = projections.prepare(depths);
  let state = copyInitial(projection);
  if (last === 0) return state;
  for (const entry of readOperations(connection, { after: 0, last }, projection.types)) {
    state = step(connection, projection, state, entry);
  }
  return state;
}

/** Catches the stored state up with the log, and returns it. */
export function project<State>(
  connection: Connection,
  projections: Projections,
  projection: Projection<State>,
  rebuild = false,
): State {
  requireProjection(projection);
  const stored = storedState(projection);
  try {
    if (rebuild) projections.rebuild([stored]);
    if (projections.prepare(stored) === 0) return copyInitial(projection);
  } catch (error) {
    throw error instanceof Thrown ? error.error : error;
  }
  return readState<State>(connection, projection.name);
}

/** The state after one more operation. The step cannot use the log: it depends on nothing but its arguments. */
function step<State>(
  connection: Connection,
  projection: Projection<State>,
  state: State,
  entry: ReplayEntry,
): State {
  return connection.callOut("a step", () => projection.step(state, entry));
}

/** The projection with a table of its own, which holds the state as JSON. */
function storedState<State>(projection: Projection<State>): TableProjection {
  const { name, version, types } = projection;
  const table = tableOf(name);
  return {
    name: `state ${name}`,
    version,
    tables: tablesOf(name),
    needs: [depths],
    start: (connection, seen) => {
      // Read at the first step: most of what was appended may be of other types.
      let loaded: { state: State } | undefined;
      const load = () => ({ state: seen === 0 ? copyInitial(projection) : readState<State>(connection, name) });
      return {
        apply(batch) {
          for (const entry of readOperations(connection, batch, types)) {
            loaded ??= load();
            try {
              loaded.state = step(connection, projection, loaded.state, entry);
            } catch (error) {
              throw new Thrown(error); // it may look like an error that we handle
            }
          }
        },
        finish() {
          if (loaded === undefined && connection.query(`SELECT 1 FROM ${table}`).value() !== undefined) return;
          const text = encodeState((loaded ?? load()).state, name);
          connection.query(`DELETE FROM ${table}`).run();
          connection.query(`INSERT INTO ${table} VALUES (?)`).run(text);
        },
      };
    },
  };
}

function tableOf(name: string): string {
  return `"${TABLE_PREFIX}${name}"`;
}

function tablesOf(name: string): Record<string, string> {
  return { [TABLE_PREFIX + name]: COLUMNS };
}

/** The statement that creates the table of a projection's state; undefined for any other table. */
export function stateDefinition(table: string): string | undefined {
  const name = table.slice(TABLE_PREFIX.length);
  if (!table.startsWith(TABLE_PREFIX) || !isProjectionName(name)) return undefined;
  return statementsOf({ tables: tablesOf(name) })[table];
}

function readState<State>(connection: Connection, name: string): State {
  const rows = derivedRows(connection, `SELECT state FROM ${tableOf(name)} LIMIT 2`, ["text"]);
  try {
    if (rows.length === 1) return JSON.parse(rows[0][0]);
  } catch {
    // No JSON.
  }
  throw derivedDamaged(connection, `the state of projection ${name} is not one text of JSON`);
}
