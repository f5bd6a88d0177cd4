/**
 * Projections of the user's own: a state that is folded from the operations, in memory or kept beside the log.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { Connection } from "../log/connection.ts";
import type { Operation } from "../wire/operation.ts";
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

/** Folds a projection over the whole log, in memory. */
export function replay<State>(connection: Connection, projections: Projections, projection: Projection<State>): State {
  checkProjection(projection);
  const last = projections.prepare(depths);
  let state = structuredClone(projection.initial);
  if (last === 0) return state;
  for (const { op, depth } of readOperations(connection, { after: 0, last }, projection.types)) {
    state = projection.step(state, { op, depth });
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
  if (rebuild) projections.rebuild([kept]);
  if (projections.prepare(kept) === 0) return structuredClone(projection.initial);
  return readState<State>(connection, tableOf(projection.name))!;
}

/** The projection in a table of its own, which holds the state as JSON. */
function keptState<State>(projection: Projection<State>): TableProjection {
  const { name, version, initial, types, step } = projection;
  const table = tableOf(name);
  return {
    name: `state ${name}`,
    version,
    tables: { [`mnema_state_${name}`]: "(state TEXT NOT NULL)" },
    needs: [depths],
    start: (connection) => {
      // Read when the first operation is to be stepped through: most of what enters may be of other types.
      let loaded: { state: State } | undefined;
      const load = () => {
        const kept = readState<State>(connection, table);
        return { state: kept === undefined ? structuredClone(initial) : kept };
      };
      return {
        apply(batch) {
          for (const { op, depth } of readOperations(connection, batch, types)) {
            loaded ??= load();
            loaded.state = step.call(projection, loaded.state, { op, depth });
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
  return `"mnema_state_${name}"`;
}

/** The state that is kept, which may be null; undefined when none is. */
function readState<State>(connection: Connection, table: string): State | undefined {
  const row = connection.query(`SELECT state FROM ${table}`).value<[string]>();
  return row === undefined ? undefined : JSON.parse(row[0]);
}

function checkProjection<State>({ name, version, step }: Projection<State>): void {
  if (typeof name !== "string" || !NAME.test(name)) {
    throw new LogError(
      "invalid-argument",
      `a projection's name is up to 64 lower-case letters, digits, "_", "." and "-", not ${JSON.stringify(name)}`,
    );
  }
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new LogError("invalid-argument", `the version of projection ${name} must be a positive integer`);
  }
  if (typeof step !== "function") throw new LogError("invalid-argument", `projection ${name} has no step`);
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
