/**
 * Claims about anything: hostile bodies, signed and appended, in two logs in different orders. Both answer the same, a
 * rebuild changes nothing, and nothing that is shown can control a terminal.
 *
 * Each line of an input makes an operation: how many operations before it are followed (or, of claims, its inputs), a
 * type, and a body.
 *
 * @module
 */

import {
  type CanonicalObject,
  encodeCanonical,
  formatDot,
  formatJson,
  formatMermaid,
  formatTree,
  Operation,
  OpLog,
  parseCanonical,
} from "../../../../mod.ts";
import { isObject } from "../../../../src/wire/value.ts";
import { alice, bob, causalShuffle } from "../../../operations.ts";
import type { Explanation } from "../../../../mod.ts";
import { attempt, bytesOf, require, type Target, textOf } from "../target.ts";

const MAX_OPERATIONS = 12;
const CONTROL = /[[\p{Cc}\u202a-\u202e\u2066-\u2069]--\n]/v;

const deriver = { id: "taste", version: "1" };
const claim = (key: string, value: unknown) => encodeCanonical({ key, value, confidence_ppm: 1, deriver, inputs: [] });

const EXAMPLES = [
  ["0 evidence.add {}", `1 claim.assert ${claim("drink", "tea")}`, `2 claim.assert ${claim("drink", "coffee")}`],
  [
    `0 claim.assert ${claim("a", 1)}`,
    `1 claim.assert ${claim("b", { "\u202e": "\u0000\n" })}`,
    `1 claim.refute ${encodeCanonical({ key: "a", scope: "key" })}`,
    `0 claim.correct ${encodeCanonical({ key: "b", value: [] })}`,
    `3 claim.assert ${claim("a", 1)}`,
  ],
  [
    `0 note {"text":"x"}`,
    `9 claim.assert ${claim("é😀", null)}`,
    `0 claim.refute ${encodeCanonical({ key: "é😀", scope: "value", value: null })}`,
  ],
];

/** The operations that an input makes; undefined lines are left out. */
function operationsOf(text: string): Operation[] {
  const ops: Operation[] = [];
  for (const line of text.split("\n").slice(0, MAX_OPERATIONS)) {
    const [, digits, type, json] = /^(\d{0,2}) (\S*) (.*)$/.exec(line) ?? [];
    const given = json === undefined ? undefined : attempt(() => parseCanonical(json), "bad-encoding").value;
    if (!isObject(given)) continue;
    const before = ops.slice(Math.max(0, ops.length - Number(digits))).map(({ opId }) => opId);
    const body = bodyOf(type, given, before);
    const signer = line.length % 2 === 0 ? alice : bob;
    const prev = Number(digits) > MAX_OPERATIONS ? [] : before;
    const { value } = attempt(() => Operation.create({ type, body, prev, ts: line.length }, signer), "bad-shape");
    if (value !== undefined && !ops.some(({ opId }) => opId === value.opId)) ops.push(value);
  }
  return ops;
}

/** A claim is derived from what it follows, evidence is complete. */
function bodyOf(type: string, body: CanonicalObject, before: readonly string[]): CanonicalObject {
  if (type === "claim.assert" && Array.isArray(body.inputs)) return { ...body, inputs: [...body.inputs, ...before] };
  return type === "evidence.add" ? { source: "shop", kind: "receipt", content: body } : body;
}

function textsOf(explanation: Explanation): string[] {
  return [formatTree(explanation).join("\n"), formatMermaid(explanation), formatDot(explanation)];
}

/** All that a log says of its claims, and of each what is shown. */
function answersOf(log: OpLog): string[] {
  const claims = [...log.claims.query()];
  return claims.flatMap((claim) => {
    const explanation = log.claims.explain(claim.opId);
    for (const text of textsOf(explanation)) {
      require(!CONTROL.test(text), `no control characters are shown: ${JSON.stringify(text)}`);
    }
    const current = log.claims.current(claim.key)?.opId ?? "none";
    return [formatJson(claim), formatJson(explanation), current];
  });
}

export const target: Target = {
  start: () => ({
    seeds: EXAMPLES.map((lines) => bytesOf(lines.join("\n"))),
    tokens: [
      ...["\n0 claim.assert ", "\n1 claim.refute ", "\n2 claim.correct ", "\n3 evidence.add {}", "\n1 note {}"],
      ...["\u001b[2J", "\\u001b[31m", "\u202e", "\u2066", '"key":"a"', '"scope":"key"', '"value":1', '"drink"'],
      ...["]]", "-->", "<script>", "%%{init:{}}%%", "\\n", "&quot;", "#quot;", "🧑‍🚀", "\ufe0f", "\u0300"],
    ],
    run(input) {
      const ops = operationsOf(textOf(input));
      using log = OpLog.open();
      const accepted = ops.filter((op) =>
        attempt(() => log.append(op), "bad-body", "dangling-reference").error === undefined
      );
      const answers = answersOf(log).join("\n");
      log.rebuild();
      require(answersOf(log).join("\n") === answers, "a rebuild changes no answer");
      let next = input.length;
      using other = OpLog.open();
      for (const op of causalShuffle(accepted, (limit) => (next = next * 31 % 1009) % limit)) {
        other.append(op);
        other.claims.current("drink"); // caught up after each
      }
      require(answersOf(other).join("\n") === answers, "another order of arrival changes no answer");
    },
  }),
};
