import { assert, assertEquals } from "@std/assert";
import { formatTree } from "../../src/render/format.ts";
import { visibleLine } from "../../src/text.ts";
import { displayWidth, padEnd, shorten, wrap } from "../../src/render/width.ts";
import { claim, explained } from "./explanations.ts";

Deno.test("text is measured, shortened, padded and wrapped by its displayed width", () => {
  const cases: [text: string, width: number][] = [
    ["tea", 3],
    ["茶", 2],
    ["e\u0301", 1],
    ["👩‍👩‍👧", 2],
    ["🇳🇴", 2],
    ["\u200b\u0301", 0],
  ];
  for (const [text, width] of cases) assertEquals([text, displayWidth(text)], [text, width]);
  assertEquals(shorten("日本語", 6), "日本語");
  assertEquals(shorten("日本語", 5), "日本…");
  assertEquals(shorten("日本語", 4), "日…");
  assertEquals(shorten("👩‍👩‍👧👩‍👩‍👧", 3), "👩‍👩‍👧…");
  assertEquals(shorten("ne\u0301e\u0301e\u0301", 3), "ne\u0301…");
  assertEquals([shorten("tea", 1), shorten("tea", 0), shorten("", 0)], ["…", "", ""]);
  assertEquals(padEnd("茶", 4) + "|", "茶  |");
  assertEquals(visibleLine("a\nb\x1b"), "a\\nb\\u001b");
  assertEquals(wrap("tea at four", 6), ["tea at", "four"]);
  assertEquals(wrap("茶茶茶茶 tea", 5), ["茶茶", "茶茶", "tea"]);
  assertEquals(wrap("", 5), [""]);
});

Deno.test("thousands of combining marks on one letter are shortened", () => {
  const marks = "e" + "\u0301".repeat(100_000);
  assert(shorten(marks, 80).length <= 80 * 16);
  for (const line of formatTree(explained([claim(1, marks, marks, [])]))) assert(line.length <= 80 * 17);
});
