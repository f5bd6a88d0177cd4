import { assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { formatDot, formatJson, formatMermaid, formatTree, limitDepth } from "../../src/render/format.ts";
import { claim, evidence, explained, id, nodeOf } from "./explanations.ts";

Deno.test("limitDepth removes distant operations, and every format handles an explanation with removed ones", () => {
  // 1 <- 2 <- 3 <- 4, and 1 <- 4 as well
  const chain = [claim(1, "one", 1, [2, 4]), claim(2, "two", 2, [3]), claim(3, "three", 3, [5])];
  const whole = explained(chain, [evidence(4), evidence(5)].map(nodeOf));
  assertEquals(limitDepth(whole, 3), whole);
  const depths = [0, 1, 2].map((depth) => limitDepth(whole, depth));
  assertEquals(
    depths.map(({ nodes }) => nodes.map(({ opId }) => opId)),
    [[1], [1, 2, 4], [1, 2, 3, 4]].map((n) => n.map(id)),
  );
  assertEquals(formatTree(depths[0]).at(-1), "└ 2 inputs not shown");
  const tree = formatTree(depths[1]).join("\n");
  assertStringIncludes(tree, "two = 2");
  assertStringIncludes(tree, "└ 1 input not shown");
  assertFalse(tree.includes("three") || tree.includes("not in the log"));
  for (const format of [formatDot, formatMermaid]) {
    const text = format(depths[1]);
    assertEquals([text.includes("two"), text.includes("three"), text.includes("not in the log")], [true, false, false]);
  }
  assertEquals(JSON.parse(formatJson(depths[0])).claim.inputs, [id(2), id(4)]);
});
