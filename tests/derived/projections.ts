/**
 * Projections for tests.
 *
 * @module
 */

import type { Projection } from "../../mod.ts";

/** Every operation with its depth, sorted: the same in whatever order they arrived. */
export const depthsById: Projection<Record<string, number>> = {
  name: "depths-by-id",
  version: 1,
  initial: {},
  step: (state, { op, depth }) => ({ ...state, [op.opId]: depth }),
};

/** How many operations of each type. */
export const counts: Projection<Record<string, number>> = {
  name: "counts",
  version: 1,
  initial: {},
  step: (state, { op }) => ({ ...state, [op.type]: (state[op.type] ?? 0) + 1 }),
};

/** The texts of all notes in their order, and how often its step has run. */
export function texts(name = "texts"): Projection<string[]> & { calls: number } {
  return {
    name,
    version: 1,
    initial: [],
    types: ["note"],
    calls: 0,
    step(state, { op }) {
      this.calls++;
      state.push(op.body.text as string);
      return state;
    },
  };
}
