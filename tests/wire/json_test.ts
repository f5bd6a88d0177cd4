import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CanonicalError, type CanonicalRule, parseJson } from "../../mod.ts";
import "../runs.ts";

Deno.test("parseJson accepts what JSON.parse accepts, except floats and duplicate keys", () => {
  fc.assert(fc.property(fc.json(), (text) => {
    let value: unknown;
    try {
      value = parseJson(text);
    } catch (error) {
      assert(error instanceof CanonicalError && ["float", "range", "surrogate"].includes(error.rule), text);
      return;
    }
    assertEquals(
      JSON.stringify(value, (_, v) => typeof v === "bigint" ? Number(v) : v),
      JSON.stringify(JSON.parse(text), (_, v) => Object.is(v, -0) ? 0 : v),
    );
  }));
});

const REFUSED: [text: string, rule: CanonicalRule, offset: number][] = [
  ["", "syntax", 0],
  [" nul", "syntax", 1],
  ["[1,]", "syntax", 3],
  ["[1 2]", "syntax", 3],
  ["{a:1}", "syntax", 1],
  ['{"a" 1}', "syntax", 5],
  ["01", "syntax", 1],
  ["1 1", "syntax", 2],
  ['"a', "syntax", 2],
  ['"\\x"', "syntax", 1],
  ['"\\u12g4"', "syntax", 1],
  ['"a\nb"', "syntax", 2],
  ["[1.5]", "float", 1],
  ["1e3", "float", 0],
  ["[9223372036854775808]", "range", 1],
  ["-9223372036854775809", "range", 0],
  ["9".repeat(1000), "range", 0],
  ['{"a":1,"a":2}', "duplicate", 7],
  ['{"__proto__":1,"__proto__":2}', "duplicate", 15],
  ['["\\ud800"]', "surrogate", 1],
  ["[".repeat(66), "depth", 65],
];

for (const [text, rule, offset] of REFUSED) {
  Deno.test(`parseJson refuses ${text.slice(0, 30)}, with the offset`, () => {
    const error = assertThrows(() => parseJson(text), CanonicalError, `(offset ${offset})`);
    assertEquals([error.rule, error.offset], [rule, offset]);
  });
}

Deno.test("parseJson accepts white space, any order of keys, any escapes, and 64-bit integers", () => {
  assertEquals(parseJson(' {"b" : [1,\t-9223372036854775808] ,\r\n"a":"\\/\\u0041\\ud83d\\ude00"} '), {
    b: [1, -9223372036854775808n],
    a: "/A😀",
  });
  assert(Object.is(parseJson("-0"), 0));
});

Deno.test("a key __proto__ does not set the prototype", () => {
  const value = parseJson('{"__proto__":{"x":1}}');
  assertEquals(Object.getPrototypeOf(value), Object.prototype);
  assertEquals(Object.entries(value as object), [["__proto__", { x: 1 }]]);
});
