/**
 * Logs for tests of what is derived from them.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { OpLog, type Projection } from "../../mod.ts";
import { withFolder } from "../folder.ts";
import { alice, note } from "../operations.ts";
import { counts } from "./projections.ts";

/** Appends without verifying. */
export const UNCHECKED = { verify: false };

/** Asserts that the kept state is the replayed one, and returns it. */
export function assertProjected<State>(log: OpLog, projection: Projection<State>): State {
  const state = log.project(projection);
  assertEquals(state, log.replay(projection));
  return state;
}

/** Gives the path of a log in a folder of its own. */
export function withLog<T>(use: (path: string) => T): T {
  return withFolder((folder) => use(`${folder}/log.db`));
}

/** A log of some notes and claims, closed again; its derived tables are behind by the last note. */
export function makeLog(path: string): void {
  using log = OpLog.open(path);
  log.append(note("a"));
  const claim = log.claims.assert(alice, { key: "drink", value: "tea", inputs: [note("a").opId] });
  log.claims.assert(alice, { key: "meal", value: "breakfast", inputs: [claim.opId] });
  log.claims.query();
  log.project(counts);
  log.record(alice, "claim.refute", { key: "drink", scope: "key" });
}

/** What {@linkcode derivedOf} gives of such a log. */
export const MADE: [Record<string, number>, number, string[]] = [
  { note: 1, "claim.assert": 2, "claim.refute": 1 },
  1,
  ["refuted", "invalidated"],
];

/** Some of what is derived from a log. */
export function derivedOf(log: OpLog): unknown[] {
  return [log.project(counts), log.heads().length, [...log.claims.query()].map(({ status }) => status)];
}
