/**
 * Histories of claims in a short notation, for tests of single rules.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { type Claim, type ClaimStatus, formatJson, Operation, OpLog } from "../../mod.ts";
import { alice, bob, causalShuffle } from "../operations.ts";
import { idOf, unsigned } from "./histories.ts";

export const UNCHECKED = { verify: false };
export const STATUSES: ClaimStatus[] = ["active", "superseded", "pending", "invalidated", "corrected", "refuted"];

/** An operation by its name, whose first letter is its author, without `prev` yet. */
export interface Draft {
  name: string;
  type: string;
  body: Record<string, unknown>;
}

export interface Named {
  names: Map<string, string>;
  ops: Operation[];
}

export function asserts(name: string, key: string, value: unknown, ...inputs: string[]): Draft {
  const deriver = { id: "taste", version: "1" };
  const body = { key, value, confidence_ppm: 500_000, deriver, inputs: inputs.map(idOf) };
  return { name, type: "claim.assert", body };
}

/** Refutes a value of a key, or without one the key. */
export function refutes(name: string, key: string, ...value: unknown[]): Draft {
  const body = value.length === 0 ? { key, scope: "key" } : { key, scope: "value", value: value[0] };
  return { name, type: "claim.refute", body };
}

export function corrects(name: string, key: string, value: unknown): Draft {
  return { name, type: "claim.correct", body: { key, value } };
}

export function observes(name: string): Draft {
  return { name, type: "evidence.add", body: { source: "shop", kind: "receipt", content: { name } } };
}

/** Each follows the one before it. A list among them are operations at once: all follow what is before the list. */
export function history(...steps: (Draft | Draft[])[]): Named {
  const names = new Map<string, string>();
  const ops: Operation[] = [];
  let heads: string[] = [];
  for (const step of steps) {
    const drafts = Array.isArray(step) ? step : [step];
    for (const { name, type, body } of drafts) {
      names.set(idOf(name), name);
      ops.push(unsigned(name, type, body, heads));
    }
    heads = drafts.map(({ name }) => idOf(name));
  }
  return { names, ops };
}

/** The status of each claim in short notation, by name. */
export function statusesOf(log: OpLog, names: Map<string, string>): Record<string, string> {
  return Object.fromEntries(
    [...log.claims.query()].map(({ opId, status, cause, via }) => [
      names.get(opId)!,
      status + (cause === undefined ? "" : ` by ${names.get(cause)}`) +
      (via === undefined ? "" : ` with ${names.get(via)}`),
    ]),
  );
}

/** Asserts the status of claims after all have arrived: at once, one by one with reads between, and in other orders. */
export function assertStands({ names, ops }: Named, expected: Record<string, string>): void {
  using whole = OpLog.open();
  whole.appendAll(ops, UNCHECKED);
  assertEquals(statusesOf(whole, names), expected, "at once");
  const claims = [...whole.claims.query()];
  for (const status of STATUSES) {
    const found = [...whole.claims.query({ status })];
    assertEquals(found, claims.filter((claim) => claim.status === status), status);
  }
  whole.rebuild();
  assertEquals(statusesOf(whole, names), expected, "rebuilt");
  let seed = 1;
  const random = (limit: number) => (seed = (seed * 16807) % 2147483647) % limit;
  for (const order of [ops, ...Array.from({ length: 6 }, () => causalShuffle(ops, random))]) {
    using log = OpLog.open();
    for (const op of order) {
      log.append(op, UNCHECKED);
      log.claims.query();
    }
    assertEquals(statusesOf(log, names), expected, order.map(({ opId }) => names.get(opId)).join(", "));
  }
}

/** These names, sorted by the ids of the operations that have them. */
export function byId(...names: string[]): string[] {
  return names.sort((a, b) => idOf(a) < idOf(b) ? -1 : 1);
}

export const tea = asserts("tea", "drink", "tea");
export const coffee = asserts("coffee", "drink", "coffee");

/** A log with these operations, each signed by its author. */
export function signedLog(): { log: OpLog; ids: Record<string, string> } {
  const log = OpLog.open();
  const ids: Record<string, string> = {};
  const add = (name: string, { opId }: Operation) => void (ids[name] = opId);
  const by = (id: string, version = "1") => ({ deriver: { id, version } });
  add("receipt", log.record(alice, "evidence.add", { source: "shop", kind: "receipt", content: {} }));
  add("tea", log.claims.assert(alice, { key: "drink", value: "tea", inputs: [ids.receipt], ...by("taste") }));
  add("coffee", log.claims.assert(bob, { key: "drink", value: "coffee", ...by("taste", "2") }));
  add("meal", log.claims.assert(alice, { key: "meal", value: "breakfast", inputs: [ids.tea], ...by("habits") }));
  add("day", log.claims.assert(bob, { key: "day", value: 1, inputs: [ids.meal, ids.tea, idOf("absent")] }));
  add("home", log.claims.correct(alice, "home", "Oslo").op);
  return { log, ids };
}

export function idsOf(claims: Iterable<Claim>): string[] {
  return [...claims].map(({ opId }) => opId);
}

/** The claims of the invalidations of a cascade, with their paths. */
export function fallen({ op, invalidations }: { op: Operation; invalidations: Operation[] }): Record<string, string[]> {
  return Object.fromEntries(invalidations.map((invalidation) => {
    Operation.parse(invalidation.wire).verify();
    assertEquals([invalidation.type, invalidation.body.cause], ["claim.invalidate", op.opId]);
    return [invalidation.body.claim, invalidation.body.path];
  })) as Record<string, string[]>;
}

/** A claim of key and value `name`, derived from others. */
export function derive(log: OpLog, name: string, ...inputs: Operation[]): Operation {
  return log.claims.assert(alice, { key: name, value: name, inputs: inputs.map(({ opId }) => opId) });
}

/** Every answer of a log about its claims, as texts to compare. */
export function claimAnswers(log: OpLog): string[] {
  return [...log.claims.query()].flatMap((claim) => [
    formatJson(claim),
    formatJson(log.claims.explain(claim.opId)),
    log.claims.current(claim.key)?.opId ?? "none",
    log.claims.latest(claim.key)!.opId,
  ]);
}
