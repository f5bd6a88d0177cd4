import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { formatSvg, LogError } from "../../mod.ts";
import { layout } from "../../src/layout/layout.ts";
import { type Graph, graphOf } from "../../src/render/graph.ts";
import { nodeSizes } from "../../src/render/svg.ts";
import { claim, evidence, explained, invalidated, nasty, nodeOf } from "../render/explanations.ts";

/** A graph of which each node has edges to earlier ones, spread out. */
function tangled(nodes: number, edgesEach: number): Graph {
  return {
    nodes: Array.from({ length: nodes }, (_, n) => (
      { opId: `${n}`, label: [nasty, `${n}`], class: "active", more: 0, isOnPath: false }
    )),
    edges: Array.from({ length: nodes - 1 }, (_, i) => i + 1).flatMap((from) =>
      Array.from({ length: edgesEach }, (_, k) => (
        { from, to: (from * 7919 + k * 104729) % from, kind: "input" as const, isOnPath: false }
      ))
    ),
  };
}

Deno.test("Graphviz places a graph: nodes do not overlap, claims are above their inputs, edges end at their nodes", async () => {
  const graph = graphOf(invalidated());
  const sizes = nodeSizes(graph);
  const { width, height, nodes, edges } = await layout(graph);
  assertEquals([nodes.length, edges.length], [graph.nodes.length, graph.edges.length]);
  for (const [i, { x, y }] of nodes.entries()) {
    assert(x > 0 && x < width && y > 0 && y < height);
    for (const [j, other] of nodes.entries()) {
      if (i >= j) continue;
      const isApart = Math.abs(x - other.x) >= (sizes[i].width + sizes[j].width) / 2 - 1 ||
        Math.abs(y - other.y) >= (sizes[i].height + sizes[j].height) / 2 - 1;
      assert(isApart, `${i} ${j}`);
    }
  }
  for (const [i, { from, to }] of graph.edges.entries()) {
    assert(nodes[from].y > nodes[to].y);
    const [start, end] = [edges[i][0], edges[i].at(-1)!];
    assert(Math.abs(start.y - nodes[from].y) <= sizes[from].height / 2 + 1);
    assert(Math.abs(end.y - nodes[to].y) <= sizes[to].height / 2 + 1);
    assertEquals(edges[i].length % 3, 1);
  }
});

Deno.test("dozens of inputs from which nothing leads on are in a grid with one edge, and the others are not", async () => {
  const inputs = Array.from({ length: 40 }, (_, i) => i + 2);
  const graph = graphOf(explained(
    [claim(0, "a", 1, [1, ...inputs]), claim(1, "b", 1, [99])],
    [...inputs, 99].map((n) => nodeOf(evidence(n))),
  ));
  const { nodes, edges, frames, width } = await layout(graph);
  assertEquals(frames?.length, 1);
  assertEquals(edges.filter(({ length }) => length > 0).length, 3);
  assertEquals(new Set(nodes.map(({ x, y }) => `${x} ${y}`)).size, graph.nodes.length);
  assert(width < 2000);
  const svg = await formatSvg(explained([claim(0, "a", 1, inputs)], inputs.map((n) => nodeOf(evidence(n)))));
  assertEquals([svg.match(/class="frame"/g)?.length, svg.match(/class="edge /g)?.length], [1, 1]);
  assertEquals(svg.match(/class="node evidence"/g)?.length, 40);
});

Deno.test("several edges between the same nodes have a curve each", async () => {
  const { nodes, edges } = tangled(2, 1);
  const { edges: curves } = await layout({ nodes, edges: [...edges, ...edges] });
  assert(curves[0].length >= 4 && curves[1].length >= 4);
});

Deno.test("a layout that takes too long is ended, and the picture is in rows", async () => {
  const error = await assertRejects(() => layout(tangled(900, 5), { timeoutMs: 300 }), LogError);
  assertEquals(error.code, "timed-out");
  const reasons: string[] = [];
  const svg = await formatSvg(invalidated(), { timeoutMs: 0, onRows: ({ code }) => reasons.push(code) });
  assertEquals(reasons, ["timed-out"]);
  assertStringIncludes(svg, "82 % sure, invalidated");
});

Deno.test("a graph beyond the limits is refused", async () => {
  assertEquals((await assertRejects(() => layout(tangled(1001, 0)), LogError)).code, "too-large");
  assertEquals((await assertRejects(() => layout(tangled(900, 6)), LogError)).code, "too-large");
});

Deno.test("an abort ends a layout, and one that waits for others", async () => {
  const ends = new AbortController();
  const running = [1, 2, 3].map(() => layout(tangled(900, 5), { signal: ends.signal }));
  const settled = Promise.allSettled(running);
  ends.abort(new Error("enough"));
  assertEquals((await settled).map((result) => result.status === "rejected" && result.reason.message), [
    "enough",
    "enough",
    "enough",
  ]);
  const { nodes } = await layout(tangled(3, 1)); // the places are free again
  assertEquals(nodes.length, 3);
});

Deno.test("more layouts than run at once are all made", async () => {
  const all = await Promise.all(Array.from({ length: 5 }, () => layout(tangled(5, 1))));
  assertEquals(all.map(({ nodes }) => nodes.length), [5, 5, 5, 5, 5]);
});
