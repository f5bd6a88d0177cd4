/**
 * An explanation as a graph of nodes and edges, for DOT and Mermaid.
 *
 * @module
 */

import type { ClaimStatus, Explanation } from "../claims/claim.ts";
import { abbreviate, nodesById, percent, type ShownNode, statement, title, verdict } from "./phrases.ts";

/** The class of a node, which decides its style. */
export type GraphClass = ClaimStatus | "evidence" | "other" | "missing" | "verdict";

/** A node of a graph, identified by its index. */
export interface GraphNode {
  /** The lines of its label. */
  readonly label: readonly string[];
  readonly class: GraphClass;
}

/** An arrow from a node to a node, by index. */
export interface GraphEdge {
  readonly from: number;
  readonly to: number;
  /** `input`: from an input to the claim derived from it. `against`: from what refutes, corrects or supersedes a claim. */
  readonly kind: "input" | "against";
}

/** A graph. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** Maximum width of a line of a label. */
const LABEL_COLUMNS = 48;

/** The graph of an explanation: the claim, which is node 0, its inputs at any distance, and what is against the claim. */
export function graphOf(explanation: Explanation): Graph {
  const { claim, fall, supersededBy } = explanation;
  const nodeOf = nodesById(explanation);
  const indexes = new Map<string, number>();
  const nodes: GraphNode[] = [];
  const edges: GraphEdge[] = [];
  const indexOrAdd = (opId: string, make: () => GraphNode) => {
    const known = indexes.get(opId);
    if (known !== undefined) return known;
    indexes.set(opId, nodes.length);
    return nodes.push(make()) - 1;
  };
  const indexOf = (opId: string) => indexOrAdd(opId, () => graphNode(nodeOf(opId)));

  indexOf(claim.opId);
  for (const { opId } of explanation.nodes) indexOf(opId);
  for (const node of [nodeOf(claim.opId), ...explanation.nodes.filter(({ opId }) => opId !== claim.opId)]) {
    if (node.is !== "claim") continue;
    const to = indexOf(node.opId);
    for (const input of node.claim.inputs) {
      if (nodeOf(input).is !== "left-out") edges.push({ from: indexOf(input), to, kind: "input" });
    }
  }
  if (fall !== undefined) {
    const label = [verdict(fall, LABEL_COLUMNS), `${abbreviate(fall.opId)} by ${abbreviate(fall.author)}`];
    const from = indexOrAdd(fall.opId, () => ({ label, class: "verdict" }));
    edges.push({ from, to: indexOf(fall.path[1] ?? claim.opId), kind: "against" });
  }
  if (supersededBy !== undefined) {
    const from = indexOrAdd(
      supersededBy.opId,
      () => graphNode({ is: "claim", opId: supersededBy.opId, claim: supersededBy }),
    );
    edges.push({ from, to: indexOf(claim.opId), kind: "against" });
  }
  return { nodes, edges };
}

function graphNode(node: ShownNode): GraphNode {
  if (node.is !== "claim") {
    return {
      label: [title(node, LABEL_COLUMNS), abbreviate(node.opId)],
      class: node.is === "left-out" ? "other" : node.is,
    };
  }
  const { claim } = node;
  const status = `${percent(claim.confidencePpm)} sure, ${claim.status}`;
  return { label: [statement(claim, LABEL_COLUMNS), status, abbreviate(claim.opId)], class: claim.status };
}
