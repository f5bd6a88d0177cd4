/**
 * An explanation as a picture.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { Explanation } from "../claims/claim.ts";
import { limitNodes } from "../render/depth.ts";
import { type Graph, graphOf } from "../render/graph.ts";
import { rowPositions } from "../render/rows.ts";
import { drawSvg, type Positions, type SvgOptions } from "../render/svg.ts";
import { layout, type LayoutOptions } from "./layout.ts";

/** Default limit of the operations in a picture. */
const MAX_OPERATIONS = 100;

/** Options of {@linkcode formatSvg}. */
export interface FormatSvgOptions extends SvgOptions, LayoutOptions {
  /** The most operations to draw, those nearest to the claim; 100 by default. */
  limit?: number;
  /** Called when Graphviz has not laid out the picture, and its nodes are in simple rows instead. */
  onRows?: (reason: LogError) => void;
}

/**
 * Draws an explanation as an SVG picture: the claim at the top, what it was derived from below it, and what is against it.
 * The nearest operations are drawn; a claim with inputs that are not says how many. Nodes show their status in words and by
 * their shape; where the claim fell, the path is marked.
 *
 * Graphviz runs in a worker, which is loaded with the first picture, and has a time limit. Where it takes longer, or
 * cannot be started, the nodes are in rows instead.
 *
 * @param explanation The explanation.
 * @param options Links, limits, style.
 * @returns An `svg` element.
 * @throws The reason of `signal`.
 *
 * @example
 * ```ts
 * import { formatSvg, Identity, OpLog } from "@mnema/oplog";
 * import { assertStringIncludes } from "@std/assert";
 *
 * using log = OpLog.open();
 * const alice = Identity.generate();
 * const seen = log.record(alice, "evidence.add", { source: "shop", kind: "receipt", content: { item: "tea" } });
 * log.claims.assert(alice, { key: "drink", value: "tea", inputs: [seen.opId] });
 *
 * const svg = await formatSvg(log.claims.explain("drink", { limit: 50 }), { href: (opId) => `/op/${opId}` });
 * assertStringIncludes(svg, "receipt from shop");
 * assertStringIncludes(svg, `href="/op/${seen.opId}"`);
 * ```
 */
export async function formatSvg(explanation: Explanation, options: FormatSvgOptions = {}): Promise<string> {
  const { limit = MAX_OPERATIONS } = options;
  const isLarge = explanation.nodes.length > limit;
  const graph = graphOf(isLarge ? limitNodes(explanation, limit) : explanation);
  return drawSvg(graph, await positionsOf(graph, options), options);
}

async function positionsOf(graph: Graph, options: FormatSvgOptions): Promise<Positions> {
  try {
    return await layout(graph, options);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    options.onRows?.(error);
    return rowPositions(graph);
  }
}
