/**
 * Simple positions for a graph, in time linear in it: rows for each distance from the claim, and straight edges. For when
 * nothing better is available.
 *
 * @module
 */

import type { Graph, GraphEdge } from "./graph.ts";
import { nodeSizes, type Point, type Positions, type Size } from "./svg.ts";

const GAP: Size = { width: 24, height: 48 };
/** Limit of the nodes in a row: more are put in several rows. */
const MAX_ROW = 8;

/** Places the nodes of a graph in rows: the claim at the top, what it was derived from below it. */
export function rowPositions(graph: Graph): Positions {
  const sizes = nodeSizes(graph);
  const rows = rowsOf(graph);
  const widths = rows.map((row) => row.reduce((sum, node) => sum + sizes[node].width, (row.length - 1) * GAP.width));
  const width = Math.max(...widths);
  const nodes: Point[] = [];
  let top = 0;
  rows.forEach((row, i) => {
    const height = Math.max(...row.map((node) => sizes[node].height));
    let left = (width - widths[i]) / 2;
    for (const node of row) {
      nodes[node] = { x: left + sizes[node].width / 2, y: top + height / 2 };
      left += sizes[node].width + GAP.width;
    }
    top += height + GAP.height;
  });
  return { width, height: top - GAP.height, nodes, edges: graph.edges.map((edge) => line(edge, nodes, sizes)) };
}

/** The nodes at each distance from the first. */
function rowsOf({ nodes, edges }: Graph): number[][] {
  const below = Map.groupBy(edges, ({ to }) => to);
  const seen = new Set([0]);
  const rows: number[][] = [];
  for (let row = [0]; row.length > 0;) {
    rows.push(row);
    const next: number[] = [];
    for (const node of row) {
      for (const { from } of below.get(node) ?? []) {
        if (seen.has(from)) continue;
        seen.add(from);
        next.push(from);
      }
    }
    row = next;
  }
  const apart = [...nodes.keys()].filter((node) => !seen.has(node));
  return [...rows, apart].flatMap((row) =>
    Array.from({ length: Math.ceil(row.length / MAX_ROW) }, (_, i) => row.slice(i * MAX_ROW, (i + 1) * MAX_ROW))
  );
}

/** A straight line between the sides of two nodes that face each other. */
function line({ from, to }: GraphEdge, nodes: readonly Point[], sizes: readonly Size[]): Point[] {
  const side = (node: number, other: number) => {
    const { x, y } = nodes[node];
    return { x, y: y + Math.sign(nodes[other].y - y) * sizes[node].height / 2 };
  };
  const [start, end] = [side(from, to), side(to, from)];
  return [start, start, end, end];
}
