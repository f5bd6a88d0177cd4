/**
 * The state of claims in a log, compared with the model.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { encodeCanonical, type Operation, type OpLog } from "../../mod.ts";
import { statusesOf } from "./model.ts";

/** The state of all claims of a log, as one text. */
export function stateOf(log: OpLog): string {
  return [...log.claims.query()].map((claim) => encodeCanonical(JSON.parse(encodeClaim(claim)))).join("\n");
}

function encodeClaim(claim: object): string {
  return JSON.stringify(claim, (_, value) => typeof value === "bigint" ? `${value}n` : value);
}

/** Asserts that each claim has the status of the model. */
export function assertStatuses(log: OpLog, ops: readonly Operation[]): void {
  const expected = statusesOf(ops);
  const claims = [...log.claims.query()];
  assertEquals(
    new Map(claims.map(({ opId, status, cause, via }) => [
      opId,
      { status, ...cause === undefined ? {} : { cause }, ...via === undefined ? {} : { via } },
    ])),
    new Map(claims.map(({ opId }) => [opId, expected.get(opId)!])),
  );
  assertEquals(claims.length, expected.size);
}
