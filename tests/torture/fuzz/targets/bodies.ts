/**
 * Bodies of known types: the checks on values, on fields and on bytes give one verdict. An input is a type, a newline,
 * and a body.
 *
 * @module
 */

import { encodeCanonical, Operation, OperationError, parseCanonical } from "../../../../mod.ts";
import { checkBody, decodeBody, isKnownType } from "../../../../src/wire/bodies.ts";
import { isObject } from "../../../../src/wire/value.ts";
import { EnvelopeScanner } from "../../../../src/wire/scan.ts";
import { signedParts, wireText } from "../../../../src/wire/layout.ts";
import { alice, vectorOperations } from "../../../operations.ts";
import { attempt, bytesOf, require, type Target, textOf } from "../target.ts";

const ID = `op_${"a".repeat(64)}`;
const OTHER_ID = `op_${"b".repeat(64)}`;
const SIG = "c".repeat(128);

const EXAMPLES: [type: string, body: object][] = [
  ["evidence.add", { source: "shop", kind: "receipt", content: { item: ["tea", 1] }, ref: "r" }],
  ["claim.assert", {
    key: "drink",
    value: { a: 1 },
    confidence_ppm: 1_000_000,
    deriver: { id: "taste", version: "1" },
    inputs: [ID, OTHER_ID],
  }],
  ["claim.refute", { key: "drink", scope: "value", value: null, reason: "no" }],
  ["claim.refute", { key: "drink", scope: "key" }],
  ["claim.correct", { key: "é".repeat(512), value: -1, reason: "so" }],
  ["claim.invalidate", { claim: ID, cause: OTHER_ID, path: [OTHER_ID, ID, ID] }],
  ["explanation.record", { claim: ID, summary: "s".repeat(8192), chain: [ID] }],
  ["note", { text: "any" }],
];

/** The type and the body in an input; undefined when the body is not an object in canonical text. */
function partsOf(text: string): { type: string; bodyText: string } | undefined {
  const at = text.indexOf("\n");
  const [type, bodyText] = [text.slice(0, at), text.slice(at + 1)];
  const { value: body } = attempt(() => parseCanonical(bodyText), "bad-encoding");
  return isObject(body) ? { type, bodyText } : undefined;
}

export const target: Target = {
  start: () => ({
    seeds: [...EXAMPLES, ...vectorOperations().slice(0, 12).map(({ type, body }) => [type, body] as const)]
      .map(([type, body]) => bytesOf(`${type}\n${encodeCanonical(body)}`)),
    tokens: [
      ...EXAMPLES.map(([type]) => `${type}\n`),
      ...["source", "kind", "content", "ref", "key", "value", "confidence_ppm", "deriver", "inputs", "scope", "reason"],
      ...["claim", "cause", "path", "summary", "chain", "id", "version", `"${ID}"`, `"${OTHER_ID}"`, ID],
      ...['"scope":"key"', '"scope":"value"', '"value":1,', "1000000", "1000001", "\\n", "\\u001f", "é"],
    ],
    run(input) {
      const parts = partsOf(textOf(input));
      if (parts === undefined) return;
      const { type, bodyText } = parts;
      const draft = { author: alice.author, body: bodyText, prev: "[]", ts: "0", type };
      const wire = wireText(signedParts(draft), SIG, ID);
      const { value: op } = attempt(() => Operation.parse(wire), "bad-shape");
      const bytes = bytesOf(wire);
      const scanner = new EnvelopeScanner(bytes);
      const scanned = scanner.scan(0, bytes.length);
      require(scanned === undefined || op !== undefined, "the scanner accepts nothing that the parser refuses");
      if (op === undefined) return;
      const { error } = attempt(() => checkBody(type, op.body, op.opId), "bad-body");
      if (error !== undefined) {
        require(error instanceof OperationError && error.opId === ID, "an error of a body names the operation");
        require(error.path?.startsWith("$.body") === true, "an error of a body names a path in it");
      }
      const isValid = error === undefined;
      require(isValid === (!isKnownType(type) || decodeBody(type, op.body) !== undefined), "one verdict");
      if (scanned === undefined || !isKnownType(type)) return;
      require(isValid || !scanner.isBody(type, 0), "the scanner accepts no body that the check refuses");
    },
  }),
};
