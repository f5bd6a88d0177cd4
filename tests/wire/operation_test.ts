import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Identity, Operation, type OperationCheck, type OperationDraft, OperationError } from "../../mod.ts";
import { canonicalObject } from "../arbitraries.ts";
import { readVectors, readVectorText } from "../vectors.ts";
import { runs } from "../runs.ts";

interface OperationCases {
  valid: { secret_key: string; wire: string }[];
  invalid: { name: string; fails: OperationCheck; wire: string }[];
}

const { valid, invalid } = readVectors<OperationCases>("operations.json");
const alice = Identity.fromSeed(new Uint8Array(32).fill(1));

valid.forEach(({ secret_key, wire }, i) => {
  Deno.test(`operations.json: valid ${i} verifies, and its author creates the same operation again`, () => {
    const op = Operation.parse(wire);
    op.verify();
    assertStrictEquals(op.wire, wire);
    assertStrictEquals(Operation.fromWire(op.toWire()).wire, wire);
    const { type, body, prev, ts } = op;
    assertStrictEquals(
      Operation.create({ type, body, prev, ts }, Identity.fromSeed(Uint8Array.fromHex(secret_key))).wire,
      wire,
    );
  });
});

for (const { name, fails, wire } of invalid) {
  Deno.test(`operations.json: ${name} fails the check of its ${fails}`, () => {
    const error = assertThrows(() => Operation.parse(wire).verify(), OperationError);
    assertEquals(error.check, fails);
    let value: unknown;
    try {
      value = JSON.parse(wire);
    } catch {
      return;
    }
    assertEquals(assertThrows(() => Operation.fromWire(value).verify(), OperationError).check, fails);
  });
}

Deno.test("every operation of log.jsonl verifies", () => {
  for (const line of readVectorText("log.jsonl").trimEnd().split("\n")) Operation.parse(line).verify();
});

Deno.test("a created operation verifies after parsing, and has the fields of its draft", () => {
  fc.assert(
    fc.property(canonicalObject(), fc.maxSafeNat(), fc.nat(5), (body, ts, n) => {
      const prev = Array.from({ length: n }, (_, i) => "op_" + String(i).padStart(64, "0"));
      const op = Operation.create({ type: "test.any", body, prev, ts }, alice);
      const read = Operation.parse(op.wire);
      read.verify();
      assertEquals(read.toWire(), op.toWire());
      assertEquals([read.body, read.ts, read.prev, read.author], [body, ts, prev, alice.author]);
    }),
    { numRuns: runs(60) },
  );
});

Deno.test("any changed character of the wire text is detected", () => {
  const { wire } = Operation.create({ type: "note", body: { text: "näive 東京 🙂" }, ts: 5 }, alice);
  fc.assert(fc.property(fc.nat(wire.length - 1), fc.constantFrom("0", "a", '"', "é"), (at, character) => {
    const changed = wire.slice(0, at) + character + wire.slice(at + 1);
    if (changed !== wire) assertThrows(() => Operation.parse(changed).verify(), OperationError);
  }));
});

Deno.test("an operation is immutable, and independent of its draft", () => {
  const body = { tags: ["a"], nested: { n: 1 } };
  const prev = ["op_" + "0".repeat(64)];
  const op = Operation.create({ type: "note", body, prev }, alice);
  const { wire } = op;
  body.tags.push("b");
  prev.push("x");
  assertEquals(op.body, { tags: ["a"], nested: { n: 1 } });
  for (const made of [op, Operation.parse(wire), Operation.fromWire(JSON.parse(wire))]) {
    assertThrows(() => (made as { type: string }).type = "x", TypeError);
    assertThrows(() => (made.prev as string[]).push("x"), TypeError);
    assertThrows(() => (made.body.tags as string[]).push("x"), TypeError);
    assertThrows(() => (made.body.nested as { n: number }).n = 2, TypeError);
    assertStrictEquals(made.wire, wire);
  }
});

Deno.test("ts defaults to now and prev to empty", () => {
  const before = Date.now();
  const op = Operation.create({ type: "note", body: {} }, alice);
  assert(op.ts >= before && op.ts <= Date.now());
  assertEquals(op.prev, []);
});

const REFUSED: [string, Partial<Record<keyof OperationDraft, unknown>>, string][] = [
  ["a type with a space", { type: "a note" }, "$.type"],
  ["a body that is an array", { body: [] }, "$.body"],
  ["a float in the body", { body: { a: [1, 2.5] } }, "$.body.a[1]"],
  ["a negative ts", { ts: -1 }, "$.ts"],
  ["a ts that is no integer", { ts: 1.5 }, "$.ts"],
  ["a ts that is a bigint", { ts: 5n }, "$.ts"],
  ["a prev that is no id", { prev: ["op_1"] }, "$.prev[0]"],
  ["a prev named twice", { prev: ["op_" + "0".repeat(64), "op_" + "0".repeat(64)] }, "$.prev"],
  ["a prev that is text", { prev: "op_" + "0".repeat(64) }, "$.prev"],
  ["a body beyond depth 64 in its envelope", { body: { deep: nested(63) } }, "$.body.deep" + "[0]".repeat(63)],
];

for (const [what, draft, path] of REFUSED) {
  Deno.test(`${what} is refused, and the error has the path`, () => {
    const whole = { type: "note", body: {}, ...draft } as OperationDraft;
    const error = assertThrows(() => Operation.create(whole, alice), OperationError);
    assertEquals([error.code, error.check, error.path], ["bad-shape", "shape", path]);
  });
}

function nested(levels: number): unknown {
  return levels === 0 ? 1 : [nested(levels - 1)];
}

Deno.test("text that is not canonical has an error whose cause has the offset", () => {
  const { wire } = Operation.create({ type: "note", body: {} }, alice);
  const error = assertThrows(() => Operation.parse(wire + "\n"), OperationError, `offset ${wire.length}`);
  assertEquals(error.check, "shape");
  assert(error.cause instanceof Error);
});
