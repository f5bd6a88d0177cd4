import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CanonicalError } from "../../mod.ts";
import { keyText, valueText } from "../../src/claims/encoding.ts";
import "../runs.ts";

const key = fc.string({ unit: fc.constantFrom("\0", "\x01", "\x02", "a", "é", "\uffff", "😀"), maxLength: 6 });
const utf8 = (text: string) => new TextEncoder().encode(text).toHex(); // in the order of code points

Deno.test("encoded keys have no U+0000, and preserve order and prefixes", () => {
  fc.assert(fc.property(key, key, (a, b) => {
    const [x, y] = [keyText(a), keyText(b)];
    assert(!x.includes("\0"));
    assertEquals(Math.sign(utf8(x).localeCompare(utf8(y), "en")), Math.sign(utf8(a).localeCompare(utf8(b), "en")));
    assertEquals(x.startsWith(y), a.startsWith(b));
  }));
});

Deno.test("common keys are unchanged, and lone surrogates are refused", () => {
  for (const text of ["drink", "東京", ""]) assertEquals(keyText(text), text);
  assertThrows(() => keyText("a\ud800"), CanonicalError);
});

Deno.test("a value is its canonical text, or the SHA-256 of a longer one", () => {
  assertEquals(valueText({ b: 1, a: ["x"] }), '{"a":["x"],"b":1}');
  assertEquals(valueText("x".repeat(62)), `"${"x".repeat(62)}"`);
  // printf '"%s"' $(printf 'x%.0s' {1..63}) | sha256sum
  assertEquals(valueText("x".repeat(63)), "#349ce33d127f84be4af98c636166aa885fcaaaa3b7b4a92689a73af084d13413");
});
