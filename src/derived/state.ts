/**
 * Projections of the user's own: a state that is folded from the operations, in memory or kept beside the log.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import type { Operation } from "../wire/operation.ts";
import { derivedDamaged, derivedRows } from "./damage.ts";
import { depths } from "./depths.ts";
import type { Projections, TableProjection } from "./projections.ts";
import { readOperations } from "./read.ts";

/** What a step is given. `seq` is not among it: it is not the same on every node. */
export interface ReplayEntry {
  /** The operation. It comes after everything it follows. */
  op: Operation;
  /**
   * 0 without `prev`, else 1 more than the greatest depth among them: the same on every node. Where two operations do
   * not follow each other, which one counts as later is for `depth`, then `op.opId`, to decide.
   */
  depth: number;
}

/**
 * A state that is derived from the log.
 *
 * @example
 * ```ts
 * import { Identity, OpLog, type Projection } from "@mnema/oplog";
 * import { assertEquals } from "@std/assert";
 *
 * const counts: Projection<Record<string, number>> = {
 *   name: "counts",
 *   version: 1,
 *   initial: {},
 *   step: (state, { op }) => ({ ...state, [op.type]: (state[op.type] ?? 0) + 1 }),
 * };
 *
 * using log = OpLog.open();
 * log.record(Identity.generate(), "note", { text: "tea at four" });
 * assertEquals(log.project(counts), { note: 1 }); // kept beside the log, and brought up the next time
 * assertEquals(log.replay(counts), { note: 1 }); // the same, from the first operation on
 * ```
 */
export interface Projection<State> {
  /** Its name: up to 64 lower-case letters, digits, `_`, `.` and `-`. */
  readonly name: string;
  /** A positive integer that changes when the step does: what is kept is then made anew. */
  readonly version: number;
  /**
   * The state before the first operation. Copied: a step may change what it is given. To be kept it must be JSON of at
   * most 16,777,216 characters: all of it is read and written again when operations of its types have entered.
   */
  readonly initial: State;
  /** Only operations of these types are replayed; all of them without it. */
  readonly types?: readonly string[];
  /** The state after one more operation. It depends on nothing but its arguments. */
  step(state: State, entry: ReplayEntry): State;
}

/**
 * The longest JSON of a state that is kept, in UTF-16 code units: all of it is read and written for each change, so that
 * a change costs at most some tenths of a second.
 */
const MAX_STATE = 1 << 24;
const NAME = /^[a-z0-9][a-z0-9_.-]{0,63}$/;
const TABLE_PREFIX = "mnema_state_";
const COLUMNS = "(state TEXT NOT NULL)";

/** What a step threw, on its way through our own work to whoever gave the step. */
class Thrown {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** Folds a projection over the whole log, in memory. */
export function replay<State>(connection: Connection, projections: Projections, projection: Projection<State>): State {
  checkProjection(projection);
  const last = projections.prepare(depths);
  let state = copyInitial(projection);
  if (last === 0) return state;
  for (const entry of readOperations(connection, { after: 0, last }, projection.types)) {
    state = step(connection, projection, state, entry);
  }
  return state;
}

/** Brings the state that is kept up to the end of the log, and returns it. */
export function project<State>(
  connection: Connection,
  projections: Projections,
  projection: Projection<State>,
  rebuild = false,
): State {
  checkProjection(projection);
  const kept = keptState(projection);
  try {
    if (rebuild) projections.rebuild([kept]);
    if (projections.prepare(kept) === 0) return copyInitial(projection);
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
  { op, depth }: ReplayEntry,
): State {
  return connection.callOut("a step", () => projection.step(state, { op, depth }));
}

/** The projection in a table of its own, which holds the state as JSON. */
function keptState<State>(projection: Projection<State>): TableProjection {
  const { name, version, types } = projection;
  const table = tableOf(name);
  return {
    name: `state ${name}`,
    version,
    tables: { [TABLE_PREFIX + name]: COLUMNS },
    needs: [depths],
    start: (connection, seen) => {
      // Read when the first operation is to be stepped through: most of what enters may be of other types.
      let loaded: { state: State } | undefined;
      const load = () => ({ state: seen === 0 ? copyInitial(projection) : readState<State>(connection, name) });
      return {
        apply(batch) {
          for (const entry of readOperations(connection, batch, types)) {
            loaded ??= load();
            try {
              loaded.state = step(connection, projection, loaded.state, entry);
            } catch (error) {
              throw new Thrown(error); // it may look like one of the errors that we handle
            }
          }
        },
        finish() {
          if (loaded === undefined && connection.query(`SELECT 1 FROM ${table}`).value() !== undefined) return;
          const text = toJson((loaded ?? load()).state, name);
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

/** How the table of a projection's state is made; undefined for a table that is not one. */
export function stateDefinition(table: string): string | undefined {
  const name = table.slice(TABLE_PREFIX.length);
  return table.startsWith(TABLE_PREFIX) && NAME.test(name) ? `CREATE TABLE ${tableOf(name)} ${COLUMNS}` : undefined;
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

function checkProjection<State>(projection: Projection<State>): void {
  if (typeof projection !== "object" || projection === null) {
    throw new LogError("invalid-argument", "a projection is an object with name, version, initial and step");
  }
  const { name, version, step, types } = projection;
  if (typeof name !== "string" || !NAME.test(name)) {
    throw new LogError(
      "invalid-argument",
      `a projection's name is up to 64 lower-case letters, digits, "_", "." and "-", not ${JSON.stringify(name)}`,
    );
  }
  const refuse = (what: string) => new LogError("invalid-argument", what);
  if (!Number.isSafeInteger(version) || version < 1) {
    throw refuse(`the version of projection ${name} must be a positive integer`);
  }
  if (typeof step !== "function") throw refuse(`projection ${name} has no step`);
  if (types !== undefined && !(Array.isArray(types) && types.every((type) => typeof type === "string"))) {
    throw refuse(`the types of projection ${name} are a list of texts`);
  }
}

/** A copy of the initial state, which steps may change. */
function copyInitial<State>({ name, initial }: Projection<State>): State {
  try {
    return structuredClone(initial);
  } catch (cause) {
    throw new LogError("invalid-argument", `the initial state of projection ${name} cannot be copied`, { cause });
  }
}

/** The JSON of a state that is the same when it is read again. */
function toJson(state: unknown, name: string): string {
  const refuse = (key: string, what: string) =>
    new LogError(
      "invalid-argument",
      `the state of projection ${name} cannot be kept: ${key === "" ? "it" : JSON.stringify(key)} is ${what}, which ` +
        "JSON does not hold; use plain objects, arrays, strings, finite numbers, booleans and null",
    );
  const encode = () =>
    JSON.stringify(state, function (this: Record<string, unknown>, key) {
      const value = this[key]; // before toJSON
      if (value === null || typeof value === "string" || typeof value === "boolean") return value;
      if (typeof value === "number") {
        if (!Number.isFinite(value) || Object.is(value, -0)) {
          throw refuse(key, Object.is(value, -0) ? "-0" : `${value}`);
        }
        return value;
      }
      if (typeof value !== "object") throw refuse(key, value === undefined ? "undefined" : `a ${typeof value}`);
      const prototype = Object.getPrototypeOf(value);
      if (Array.isArray(value) || prototype === Object.prototype || prototype === null) return value;
      throw refuse(key, `a ${value.constructor?.name ?? "object of a class"}`);
    });
  try {
    const text = encode();
    if (text.length > MAX_STATE) throw stateTooLarge(name);
    return text;
  } catch (error) {
    if (error instanceof LogError) throw error;
    if (error instanceof RangeError && error.message.includes("string length")) throw stateTooLarge(name);
    throw refuse("", "an object that holds itself, or is nested too deep"); // a TypeError, a RangeError
  }
}

function stateTooLarge(name: string): LogError {
  return new LogError(
    "too-large",
    `the state of projection ${name} is longer than ${MAX_STATE} characters of JSON and cannot be kept; keep less in ` +
      "it, split it into several projections, or use replay, which keeps nothing",
  );
}
