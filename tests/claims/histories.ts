/**
 * Generated histories of claims.
 *
 * @module
 */

import fc from "fast-check";
import { createHash } from "node:crypto";
import { Operation } from "../../mod.ts";

/** A well-formed operation with an invalid signature: thousands of histories need no keys. */
export function unsigned(
  name: string,
  type: string,
  body: Record<string, unknown>,
  prev: readonly string[],
): Operation {
  return Operation.fromWire({
    v: 1,
    type,
    author: "mnk_" + name.charCodeAt(0).toString(16).padStart(64, "0"),
    ts: 0,
    prev,
    body,
    sig: "b".repeat(128),
    op_id: idOf(name),
  });
}

/** An id as it could be the hash of something. */
export function idOf(name: string): string {
  return "op_" + createHash("sha256").update(name).digest("hex");
}

const KEYS = ["drink", "dr", "food", "\u0000\n\"'\\", "東京"];
const VALUES = [true, "tea", "x".repeat(100), 9007199254740993n, { a: ["é"] }];
const draft = fc.record({
  kind: fc.constantFrom("assert", "assert", "assert", "evidence", "value", "key", "correct", "note"),
  key: fc.nat({ max: 2 }),
  value: fc.nat({ max: 2 }),
  author: fc.constantFrom("a", "b", "c"),
  prev: fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { maxLength: 3 }),
  inputs: fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { maxLength: 3 }),
  isLacking: fc.integer({ min: 0, max: 15 }).map((n) => n === 0),
});

/** Operations by several authors, in an order that respects `prev`: concurrent refutes and corrections, diamonds. */
export const histories: fc.Arbitrary<Operation[]> = fc
  .record({
    drafts: fc.array(draft, { minLength: 1, maxLength: 24 }),
    salt: fc.nat(),
    keys: fc.shuffledSubarray(KEYS, { minLength: 3, maxLength: 3 }),
    values: fc.shuffledSubarray(VALUES, { minLength: 3, maxLength: 3 }),
  })
  .map(({ drafts, salt, keys, values }) => {
    const names = drafts.map(({ author }, n) => `${author}${n} ${salt}`);
    return drafts.map(({ kind, prev, inputs, isLacking, ...draft }, n) => {
      const pick = (places: number[]) => [...new Set(places.flatMap((at) => n === 0 ? [] : [Math.floor(at * n)]))];
      const [key, value] = [keys[draft.key], values[draft.value]];
      const ids = pick(inputs).map((at) => idOf(names[at]));
      if (isLacking) ids.push(idOf("never arrives"));
      const [type, body] = {
        assert: ["claim.assert", {
          key,
          value,
          confidence_ppm: 500_000,
          deriver: { id: "taste", version: "1" },
          inputs: ids,
        }],
        evidence: ["evidence.add", { source: "shop", kind: "receipt", content: {} }],
        value: ["claim.refute", { key, scope: "value", value }],
        key: ["claim.refute", { key, scope: "key" }],
        correct: ["claim.correct", { key, value }],
        note: ["note", {}],
      }[kind] as [string, Record<string, unknown>];
      return unsigned(names[n], type, body, pick(prev).map((at) => idOf(names[at])));
    });
  });
