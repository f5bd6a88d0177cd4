/**
 * What goes to Graphviz, and what comes back. Only sizes and edges go there, no text of any operation; only positions come
 * back, in its `plain` format:
 *
 * ```text
 * graph 1 2.36 1.89
 * node n0 1.18 1.59 2.36 0.6 …
 * edge n1 n0 4 1.18 0.6 1.18 0.79 1.18 1 1.18 1.15 …
 * stop
 * ```
 *
 * Lengths are in inches, y grows upwards, and an edge lists its tail, its head, and the points of its curve.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { Graph } from "../render/graph.ts";
import { nodeSizes, type Point, type Positions, type Size } from "../render/svg.ts";
import { type Block, blocksOf } from "./blocks.ts";

const PIXELS_PER_INCH = 72;

/** The graph for Graphviz, in DOT: the claim at the top, what it was derived from below it; a block is one node. */
export function layoutDot(graph: Graph): string {
  const sizes = nodeSizes(graph);
  const blocks = blocksOf(graph, sizes);
  const [nodes, edges] = insideOf(blocks);
  const inches = (pixels: number) => (pixels / PIXELS_PER_INCH).toFixed(4);
  const box = (name: string, { width, height }: Size) => `  ${name} [width=${inches(width)} height=${inches(height)}]`;
  return [
    "digraph {",
    "  graph [rankdir=BT nodesep=0.3 ranksep=0.55]",
    '  node [shape=box fixedsize=true label=""]',
    "  edge [arrowhead=none]",
    ...sizes.flatMap((size, i) => nodes.has(i) ? [] : box(`n${i}`, size)),
    ...blocks.map((block, i) => box(`b${i}`, block)),
    ...graph.edges.flatMap(({ from, to }, i) => edges.has(i) ? [] : `  n${from} -> n${to}`),
    ...blocks.map(({ claim }, i) => `  b${i} -> n${claim}`),
    "}",
  ].join("\n");
}

/** The nodes and the edges that are inside of blocks. */
function insideOf(blocks: readonly Block[]): [nodes: Set<number>, edges: Set<number>] {
  return [new Set(blocks.flatMap(({ nodes }) => nodes)), new Set(blocks.flatMap(({ edges }) => edges))];
}

/**
 * Parses the answer of Graphviz.
 *
 * @throws {LogError} `worker-failed` when it is not about the graph.
 */
export function parsePlain(plain: string, graph: Graph): Positions {
  const lines = plain.split("\n").map((line) => line.split(" "));
  const size = lines.find(([what]) => what === "graph")?.slice(2, 4).map(pixels) ?? [];
  const [width, height] = size;
  const point = (x: string, y: string): Point => ({ x: pixels(x), y: height - pixels(y) });
  const places = new Map<string, Point>();
  const curves = new Map<string, Point[][]>();
  for (const [what, ...fields] of lines) {
    if (what === "node") places.set(fields[0], point(fields[1], fields[2]));
    if (what !== "edge") continue;
    const [tail, head, count, ...rest] = fields;
    const points = Array.from({ length: Number(count) }, (_, i) => point(rest[2 * i], rest[2 * i + 1]));
    const ends = `${tail} ${head}`;
    curves.set(ends, [...curves.get(ends) ?? [], points]);
  }
  const blocks = blocksOf(graph, nodeSizes(graph));
  const nodes: Point[] = [];
  const edges: (readonly Point[])[] = [];
  const frames = blocks.map((block, i) => {
    const { x, y } = required(places.get(`b${i}`));
    block.nodes.forEach((node, k) => nodes[node] = { x: x + block.places[k].x, y: y + block.places[k].y });
    const curve = required(curves.get(`b${i} n${block.claim}`)?.shift());
    block.edges.forEach((edge, k) => edges[edge] = k === 0 ? curve : []);
    return { x, y, width: block.width, height: block.height };
  });
  graph.nodes.forEach((_, i) => nodes[i] ??= required(places.get(`n${i}`)));
  graph.edges.forEach(({ from, to }, i) => edges[i] ??= required(curves.get(`n${from} n${to}`)?.shift()));
  const numbers = [...size, ...[...nodes, ...edges.flat()].flatMap(({ x, y }) => [x, y])];
  if (size.length < 2 || !numbers.every(Number.isFinite)) throw misread();
  return { width, height, nodes, edges, frames };
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw misread();
  return value;
}

function pixels(inches: string): number {
  return Number(inches) * PIXELS_PER_INCH;
}

function misread(): LogError {
  return new LogError("worker-failed", "the answer of Graphviz is not about the graph");
}
