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
import { nodeSizes, type Point, type Positions } from "../render/svg.ts";

const PIXELS_PER_INCH = 72;

/** The graph for Graphviz, in DOT: the claim at the top, what it was derived from below it. */
export function layoutDot(graph: Graph): string {
  const inches = (pixels: number) => (pixels / PIXELS_PER_INCH).toFixed(4);
  return [
    "digraph {",
    "  graph [rankdir=BT nodesep=0.3 ranksep=0.55]",
    "  edge [arrowhead=none]",
    '  node [shape=box fixedsize=true label=""]',
    ...nodeSizes(graph).map(({ width, height }, i) => `  n${i} [width=${inches(width)} height=${inches(height)}]`),
    ...graph.edges.map(({ from, to }) => `  n${from} -> n${to}`),
    "}",
  ].join("\n");
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
  const nodes = new Map<string, Point>();
  const curves = new Map<string, Point[][]>();
  for (const [what, ...fields] of lines) {
    if (what === "node") nodes.set(fields[0], point(fields[1], fields[2]));
    if (what !== "edge") continue;
    const [tail, head, count, ...rest] = fields;
    const points = Array.from({ length: Number(count) }, (_, i) => point(rest[2 * i], rest[2 * i + 1]));
    const ends = `${tail} ${head}`;
    curves.set(ends, [...curves.get(ends) ?? [], points]);
  }
  const positions = {
    width,
    height,
    nodes: graph.nodes.map((_, i) => required(nodes.get(`n${i}`))),
    edges: graph.edges.map(({ from, to }) => required(curves.get(`n${from} n${to}`)?.shift())),
  };
  const numbers = [...size, ...[...positions.nodes, ...positions.edges.flat()].flatMap(({ x, y }) => [x, y])];
  if (size.length === 2 && numbers.every(Number.isFinite)) return positions;
  throw misread();
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
