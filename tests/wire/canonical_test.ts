import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CanonicalError, type CanonicalRule, encodeCanonical, parseCanonical, parseJson } from "../../mod.ts";
import { canonicalValue } from "../arbitraries.ts";
import { readVectors } from "../vectors.ts";
import "../runs.ts";

interface CanonicalCase {
  name: string;
  text: string;
  canonical?: string;
  error?: CanonicalRule;
  strict_error?: CanonicalRule;
}

for (const { name, text, canonical, error, strict_error } of readVectors<CanonicalCase[]>("canonical.json")) {
  Deno.test(`canonical.json: ${name}`, () => {
    if (error !== undefined) {
      assertEquals(assertThrows(() => parseJson(text), CanonicalError).rule, error);
      assertEquals(assertThrows(() => parseCanonical(text), CanonicalError).rule, error);
      return;
    }
    assertStrictEquals(encodeCanonical(parseJson(text)), canonical);
    assertStrictEquals(encodeCanonical(parseCanonical(canonical!)), canonical);
    if (strict_error !== undefined || text !== canonical) {
      assertEquals(assertThrows(() => parseCanonical(text), CanonicalError).rule, strict_error ?? "not canonical");
    }
  });
}

Deno.test("encoding round-trips through parseCanonical and parseJson", () => {
  fc.assert(fc.property(canonicalValue(), (value) => {
    const text = encodeCanonical(value);
    assertEquals(parseCanonical(text), parseJson(text));
    assertStrictEquals(encodeCanonical(parseCanonical(text)), text);
    assertEquals(parseCanonical(text), value);
  }));
});

Deno.test("the insertion order of keys does not change the encoding", () => {
  fc.assert(fc.property(fc.dictionary(fc.string({ unit: "binary" }), fc.maxSafeInteger()), (object) => {
    const reversed = Object.fromEntries(Object.entries(object).reverse());
    assertStrictEquals(encodeCanonical(reversed), encodeCanonical(object));
  }));
});

Deno.test("keys are sorted by their UTF-8 bytes", () => {
  fc.assert(fc.property(fc.uniqueArray(fc.string({ unit: "binary" }), { minLength: 2 }), (keys) => {
    const text = encodeCanonical(Object.fromEntries(keys.map((key) => [key, null])));
    const encoder = new TextEncoder();
    const inByteOrder = keys.toSorted((a, b) => compareBytes(encoder.encode(a), encoder.encode(b)));
    assertStrictEquals(text, `{${inByteOrder.map((key) => `${JSON.stringify(key)}:null`).join(",")}}`);
  }));
});

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a[i] !== b[i]) return a[i] - b[i];
  }
  return a.length - b.length;
}

Deno.test("a truncated text is refused at its end", () => {
  const text = '{"a":[1,"x\\n",true,null,{"b":-12}]}';
  for (let length = 0; length < text.length; length++) {
    const error = assertThrows(() => parseCanonical(text.slice(0, length)), CanonicalError);
    assertEquals(error.rule, "syntax");
    assert(error.offset! <= length);
  }
});

Deno.test("integers of 64 bits beyond the safe range are bigint, others are numbers", () => {
  assertEquals(parseCanonical("[9007199254740991,9007199254740992,-9007199254740993]"), [
    9007199254740991,
    9007199254740992n,
    -9007199254740993n,
  ]);
  assertStrictEquals(encodeCanonical(5n), "5");
  assertStrictEquals(encodeCanonical(-0), "0");
});

const UNENCODABLE: [string, unknown, CanonicalRule, string][] = [
  ["a float", { body: { tags: ["a", 0.5] } }, "float", "$.body.tags[1]"],
  ["a number beyond its exact range", [2 ** 53], "range", "$[0]"],
  ["an infinity", Infinity, "float", "$"],
  ["a bigint beyond 64 bits", { n: 2n ** 63n }, "range", "$.n"],
  ["a bigint below 64 bits", { n: -(2n ** 63n) - 1n }, "range", "$.n"],
  ["undefined", { a: undefined }, "type", "$.a"],
  ["a hole in an array", [1, , 3], "type", "$[1]"], // deno-lint-ignore no-sparse-arrays
  ["a function", { f: () => 1 }, "type", "$.f"],
  ["a date", { when: new Date(0) }, "type", "$.when"],
  ["a map", new Map(), "type", "$"],
  ["a lone surrogate", { "a b": "\ud800" }, "surrogate", '$["a b"]'],
  ["a lone surrogate in a key", { "\udc00": 1 }, "surrogate", '$["\\udc00"]'],
];

for (const [what, value, rule, path] of UNENCODABLE) {
  Deno.test(`${what} is not encoded, and the error has the path`, () => {
    const error = assertThrows(() => encodeCanonical(value), CanonicalError);
    assertEquals([error.rule, error.path, error.code], [rule, path, "bad-encoding"]);
  });
}

Deno.test("a cycle is a depth error", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  assertEquals(assertThrows(() => encodeCanonical(cycle), CanonicalError).rule, "depth");
});

Deno.test("parseCanonical reports the offset of the first character that is not canonical", () => {
  for (const [text, offset] of [['{"a": 1}', 5], ['{"b":1,"a":2}', 2], ["1\n", 1], ['"\\u0041"', 1]] as const) {
    assertEquals(assertThrows(() => parseCanonical(text), CanonicalError).offset, offset);
  }
});
