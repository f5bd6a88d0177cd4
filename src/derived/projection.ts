/**
 * A projection of the user's own, as it is given to the log.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { Operation } from "../wire/operation.ts";

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
 * assertEquals(log.project(counts), { note: 1 }); // stored beside the log, and caught up the next time
 * assertEquals(log.replay(counts), { note: 1 }); // the same, from the first operation on
 * ```
 */
export interface Projection<State> {
  /** Its name: up to 64 lower-case letters, digits, `_`, `.` and `-`. */
  readonly name: string;
  /** A positive integer that changes when the step does: the stored state is then rebuilt. */
  readonly version: number;
  /**
   * The state before the first operation. Copied: a step may change what it is given. To be stored it must be JSON of
   * at most 16,777,216 characters: all of it is read and written again when operations of its types were appended.
   */
  readonly initial: State;
  /** Only operations of these types are replayed; all of them without it. */
  readonly types?: readonly string[];
  /** The state after one more operation. It depends on nothing but its arguments. */
  step(state: State, entry: ReplayEntry): State;
}

const NAME = /^[a-z0-9][a-z0-9_.-]{0,63}$/;

/** Whether a text can be the name of a projection. */
export function isProjectionName(name: string): boolean {
  return NAME.test(name);
}

/**
 * Refuses a projection that is not well-formed.
 *
 * @throws {LogError} `invalid-argument`.
 */
export function requireProjection<State>(projection: Projection<State>): void {
  if (typeof projection !== "object" || projection === null) {
    throw new LogError("invalid-argument", "a projection is an object with name, version, initial and step");
  }
  const { name, version, step, types } = projection;
  if (typeof name !== "string" || !isProjectionName(name)) {
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
export function copyInitial<State>({ name, initial }: Projection<State>): State {
  try {
    return structuredClone(initial);
  } catch (cause) {
    throw new LogError("invalid-argument", `the initial state of projection ${name} cannot be copied`, { cause });
  }
}
