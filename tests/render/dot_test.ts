import { assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { formatDot } from "../../src/render/format.ts";
import { anyExplanation, claim, explained, invalidated } from "./explanations.ts";
import "../runs.ts";

Deno.test("DOT has an arrow for each input and a dotted one for a refute, and data is escaped in labels", () => {
  const lines = formatDot(invalidated()).split("\n");
  assertMatch(
    lines[2],
    /^ {2}n0 \[label="drink = \\"tea\\"\\n82 % sure, invalidated\\nby habits 1.2\\nop_00000001" fillcolor/,
  );
  assertEquals(lines.filter((line) => line.includes("->")), [
    "  n1 -> n0",
    "  n4 -> n0",
    "  n2 -> n1",
    "  n3 -> n2",
    "  n5 -> n2 [style=dotted]",
  ]);
  fc.assert(fc.property(anyExplanation(), (explanation) => {
    for (const line of formatDot(explanation).trimEnd().split("\n").slice(2, -1)) {
      if (/^ {2}n\d+ -> n\d+( \[style=dotted\])?$/.test(line)) continue;
      // A backslash is only before a quote, a backslash, or the n of a new line; an ampersand is an entity.
      assertMatch(line, /^ {2}n\d+ \[label="(\\["\\n]|&amp;|[^"\\&])*" ([a-z]+=(\w+|"[\w#,]+") ?)+\]$/);
    }
  }));
  const [label] = formatDot(explained([claim(1, '\\"', 0, [])])).match(/(?<=label=").*?(?=\\n82)/)!;
  assertEquals(label, '\\\\\\" = 0');
});
