import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { graphOf } from "../../src/render/graph.ts";
import { rowPositions } from "../../src/render/rows.ts";
import { nodeSizes } from "../../src/render/svg.ts";
import { anyExplanation, claim, evidence, explained, nodeOf } from "./explanations.ts";
import "../runs.ts";

Deno.test("nodes in rows do not overlap, and are within the picture", () => {
  fc.assert(fc.property(anyExplanation(), (explanation) => {
    const graph = graphOf(explanation);
    const { width, height, nodes, edges } = rowPositions(graph);
    const boxes = nodeSizes(graph).map((size, i) => ({
      left: nodes[i].x - size.width / 2,
      right: nodes[i].x + size.width / 2,
      top: nodes[i].y - size.height / 2,
      bottom: nodes[i].y + size.height / 2,
    }));
    assertEquals(edges.length, graph.edges.length);
    boxes.forEach((a, i) => {
      assert(a.left > -1 && a.top > -1 && a.right < width + 1 && a.bottom < height + 1);
      for (const b of boxes.slice(i + 1)) {
        assert(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top);
      }
    });
  }));
});

Deno.test("what a claim was derived from is in a row below it", () => {
  const graph = graphOf(explained([claim(1, "a", 1, [2]), claim(2, "b", 1, [3])], [nodeOf(evidence(3))]));
  const { nodes } = rowPositions(graph);
  assert(nodes[0].y < nodes[1].y && nodes[1].y < nodes[2].y);
});
