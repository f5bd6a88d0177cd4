import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Operation, OperationError } from "../../mod.ts";
import { decodeBody } from "../../src/wire/bodies.ts";
import { type Envelope, EnvelopeScanner } from "../../src/wire/scan.ts";
import { canonicalObject } from "../arbitraries.ts";
import { alice, note, vectorLines } from "../operations.ts";
import { readVectors } from "../vectors.ts";
import { runs } from "../runs.ts";

const { invalid } = readVectors<{ invalid: { name: string; fails: string; wire: string }[] }>("operations.json");
const encoder = new TextEncoder();

/** Scans a text within a block of texts. */
function scan(text: string): Envelope | undefined {
  const [before, bytes] = [encoder.encode("[1,2]\n"), encoder.encode(text)];
  const block = new Uint8Array([...before, ...bytes, ...encoder.encode("\n{}\n")]);
  return new EnvelopeScanner(block).scan(before.length, before.length + bytes.length);
}

/** Whether `Operation.parse` accepts the text. */
function parses(text: string): boolean {
  try {
    Operation.parse(text);
    return true;
  } catch (error) {
    assert(error instanceof OperationError);
    return false;
  }
}

Deno.test("the scanner finds the fields of every operation of log.jsonl", () => {
  for (const line of vectorLines()) {
    const { opId, type, author, ts, sig, prev } = Operation.parse(line);
    assertEquals(scan(line), { opId, type, author, ts, sig, prev: [...prev] });
  }
});

Deno.test("the scanner does not recognize operations of operations.json with a bad shape", () => {
  for (const { name, fails, wire } of invalid) {
    if (fails === "shape") assertEquals(scan(wire), undefined, name);
  }
});

Deno.test("a changed text that the scanner recognizes also parses", () => {
  fc.assert(
    fc.property(
      canonicalObject(),
      fc.nat(),
      fc.constantFrom(
        "",
        "0",
        "1",
        "-",
        "a",
        "Z",
        '"',
        "\\",
        "\\u0041",
        "\\u000a",
        "\\u001f",
        ",",
        " ",
        "{",
        "}",
        "é",
        "\x7f",
      ),
      fc.nat(2),
      (body, where, inserted, removed) => {
        const { wire } = Operation.create({ type: "note", body, ts: 7, prev: [note("p").opId] }, alice);
        const at = where % wire.length;
        const changed = wire.slice(0, at) + inserted + wire.slice(at + removed);
        if (changed.isWellFormed() && scan(changed) !== undefined) assert(parses(changed), changed);
      },
    ),
    { numRuns: runs(400) },
  );
});

const BODIES: [string, boolean][] = [
  ["{}", true],
  ['{"a":[]}', true],
  ['{"a":[1,-1,0,"",null,true,false,{}]}', true],
  ['{"a":123456789012345678}', true],
  ['{"a":"\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f"}', true],
  ['{"é":1,"東":2,"｡":3,"😀":4}', true],
  ['{"a":{"a":1},"aa":2}', true],
  ['{"b":1,"a":2}', false],
  ['{"a":1,"a":2}', false],
  ['{"aa":1,"a":2}', false],
  ['{"😀":1,"｡":2}', false],
  ['{"a":01}', false],
  ['{"a":-0}', false],
  ['{"a":1.0}', false],
  ['{"a":1e3}', false],
  ['{"a":-}', false],
  ['{"a":"\\/"}', false],
  ['{"a":"\\u0041"}', false],
  ['{"a":"\\u000a"}', false],
  ['{"a":"\\u001F"}', false],
  ['{"a":"\t"}', false],
  ['{"a":1,}', false],
  ['{"a":[1,]}', false],
  ['{"a":[1 ,2]}', false],
  ['{"a":tru}', false],
  ['{"a"}', false],
  ['{"a":}', false],
  ['{"a":"}', false],
  [`{"a":${"[".repeat(62)}1${"]".repeat(62)}}`, true],
  [`{"a":${"[".repeat(63)}1${"]".repeat(63)}}`, false],
  [`{"a":${"[".repeat(5000)}${"]".repeat(5000)}}`, false],
];

for (const [body, canonical] of BODIES) {
  Deno.test(`the body ${body.slice(0, 50)} is ${canonical ? "" : "not "}recognized, like in Operation.parse`, () => {
    const { wire } = Operation.create({ type: "note", body: {}, ts: 7 }, alice);
    const text = wire.replace('"body":{}', `"body":${body}`);
    assertEquals([scan(text) !== undefined, parses(text)], [canonical, canonical]);
  });
}

Deno.test("a body that the scanner recognizes as evidence is one, and plain evidence is recognized", () => {
  const word = fc.oneof(
    fc.string({ maxLength: 3 }),
    fc.constantFrom("é".repeat(256), "é".repeat(300), "x".repeat(512)),
  );
  const content = fc.dictionary(fc.constantFrom("a", "kind", "source"), fc.oneof(word, fc.integer(), fc.constant({})));
  const fieldsOf = {
    content: fc.oneof({ weight: 5, arbitrary: content }, { weight: 1, arbitrary: word }),
    kind: fc.oneof({ weight: 5, arbitrary: word }, { weight: 1, arbitrary: fc.integer() }),
    source: word,
    ref: word,
    extra: fc.integer(),
  };
  const body = fc.oneof(
    fc.record(fieldsOf, { requiredKeys: [] }),
    fc.record(fieldsOf, { requiredKeys: ["content", "kind", "source"] }),
  );
  let taken = 0;
  fc.assert(
    fc.property(body, (body) => {
      fc.pre(Object.values(body).every((value) => typeof value !== "string" || value.isWellFormed()));
      const op = Operation.create({ type: "evidence.add", body, ts: 0 }, alice);
      const bytes = encoder.encode(op.wire);
      const scanner = new EnvelopeScanner(bytes);
      if (scanner.scan(0, bytes.length) === undefined || !scanner.isBody("evidence.add", 0)) return;
      assert(decodeBody("evidence.add", op.body) !== undefined, op.wire);
      taken++;
    }),
    { numRuns: Math.max(1000, runs(1000)) }, // with fewer runs, too few texts are accepted for a meaningful result
  );
  assert(taken > 20, `only ${taken}`);
  const fields = { content: { n: 1 }, kind: "k", source: "s" };
  for (const body of [fields, { ...fields, ref: "r" }, { ...fields, content: {} }]) {
    const bytes = encoder.encode(Operation.create({ type: "evidence.add", body, ts: 0 }, alice).wire);
    const scanner = new EnvelopeScanner(bytes);
    assert(scanner.scan(0, bytes.length) !== undefined && scanner.isBody("evidence.add", 0));
  }
});
