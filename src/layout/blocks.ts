/**
 * Blocks of a picture. A claim with dozens of inputs from which nothing leads on would have all of them in one row, as wide
 * as many screens; Graphviz also takes long for it. They are put in a grid, which is one node for Graphviz, with one edge.
 *
 * @module
 */

import type { Graph } from "../render/graph.ts";
import type { Point, Size } from "../render/svg.ts";

/** More such inputs of a claim than this are put in a block. */
const MAX_ROW = 8;
const MAX_COLUMNS = 6;
const GAP = 12;

/** Inputs of a claim in a grid. */
export interface Block extends Size {
  /** The claim. */
  readonly claim: number;
  /** The inputs, by index. */
  readonly nodes: readonly number[];
  /** Their edges to the claim, by index. */
  readonly edges: readonly number[];
  /** The middle of each input, from the middle of the block. */
  readonly places: readonly Point[];
}

/** Finds the blocks of a graph, in which each node has a size. */
export function blocksOf({ nodes, edges }: Graph, sizes: readonly Size[]): Block[] {
  const count = nodes.map(() => 0);
  for (const { from, to } of edges) {
    count[from]++;
    count[to] += 2;
  }
  /** The edges from nodes that have no other. */
  const single = [...edges.entries()].filter(([, { from, kind, isOnPath }]) =>
    count[from] === 1 && kind === "input" && !isOnPath
  );
  return [...Map.groupBy(single, ([, { to }]) => to)]
    .filter(([, group]) => group.length > MAX_ROW)
    .map(([claim, group]) => blockOf(claim, group.map(([edge]) => edge), group.map(([, { from }]) => from), sizes));
}

function blockOf(claim: number, edges: number[], nodes: number[], sizes: readonly Size[]): Block {
  const columns = Math.min(MAX_COLUMNS, Math.ceil(Math.sqrt(nodes.length)));
  const rows = Math.ceil(nodes.length / columns);
  const cell = {
    width: Math.max(...nodes.map((node) => sizes[node].width)) + GAP,
    height: Math.max(...nodes.map((node) => sizes[node].height)) + GAP,
  };
  const places = nodes.map((_, i) => ({
    x: (i % columns - (columns - 1) / 2) * cell.width,
    y: (Math.floor(i / columns) - (rows - 1) / 2) * cell.height,
  }));
  return { claim, nodes, edges, places, width: columns * cell.width + GAP, height: rows * cell.height + GAP };
}
