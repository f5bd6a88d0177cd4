/**
 * An explanation as nodes and edges, for the languages that draw graphs.
 *
 * @module
 */

import type { ClaimStatus, Explanation } from "../claims/claim.ts";
import { abbreviate, nodesById, percent, type ShownNode, statement, title, verdict } from "./phrases.ts";

/** What a node is drawn as. */
export type GraphClass = ClaimStatus | "evidence" | "other" | "missing" | "verdict";

/** A node of a graph: its place among the nodes is its name. */
export interface GraphNode {
  readonly lines: readonly string[];
  readonly is: GraphClass;
}

/** An arrow, from a node to a node by their places. */
export interface GraphEdge {
  readonly from: number;
  readonly to: number;
  /** `input`: from what a claim was derived from to the claim. `against`: from what speaks against a claim to it. */
  readonly is: "input" | "against";
}

/** A graph. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** How wide a line of a label becomes. */
const LABEL_COLUMNS = 48;

/** Makes the graph: the claim first, and beside all it was derived from what felled or superseded it. */
export function graphOf(explanation: Explanation): Graph {
  const { claim, fall, supersededBy } = explanation;
  const nodeOf = nodesById(explanation);
  const places = new Map<string, number>();
  const nodes: GraphNode[] = [];
  const edges: GraphEdge[] = [];
  const place = (opId: string, make: () => GraphNode) => {
    const known = places.get(opId);
    if (known !== undefined) return known;
    places.set(opId, nodes.length);
    return nodes.push(make()) - 1;
  };
  const placeOf = (opId: string) => place(opId, () => label(nodeOf(opId)));

  placeOf(claim.opId);
  for (const { opId } of explanation.nodes) placeOf(opId);
  for (const node of [nodeOf(claim.opId), ...explanation.nodes.filter(({ opId }) => opId !== claim.opId)]) {
    if (node.is !== "claim") continue;
    const to = placeOf(node.opId);
    for (const input of node.claim.inputs) {
      if (nodeOf(input).is !== "left-out") edges.push({ from: placeOf(input), to, is: "input" });
    }
  }
  if (fall !== undefined) {
    const lines = [verdict(fall, LABEL_COLUMNS), `${abbreviate(fall.opId)} by ${abbreviate(fall.author)}`];
    const from = place(fall.opId, () => ({ lines, is: "verdict" }));
    edges.push({ from, to: placeOf(fall.path[1] ?? claim.opId), is: "against" });
  }
  if (supersededBy !== undefined) {
    const from = place(supersededBy.opId, () => label({ is: "claim", opId: supersededBy.opId, claim: supersededBy }));
    edges.push({ from, to: placeOf(claim.opId), is: "against" });
  }
  return { nodes, edges };
}

function label(node: ShownNode): GraphNode {
  if (node.is !== "claim") {
    return {
      lines: [title(node, LABEL_COLUMNS), abbreviate(node.opId)],
      is: node.is === "left-out" ? "other" : node.is,
    };
  }
  const { claim } = node;
  const standing = `${percent(claim.confidencePpm)} sure, ${claim.status}`;
  return { lines: [statement(claim, LABEL_COLUMNS), standing, abbreviate(claim.opId)], is: claim.status };
}
