/**
 * An explanation as a graph of nodes and edges, for DOT, Mermaid and SVG.
 *
 * @module
 */

import type { ClaimStatus, Explanation } from "../claims/claim.ts";
import { visibleLine } from "../text.ts";
import { abbreviate, nodesById, percent, type ShownNode, statement, title, verdict } from "./phrases.ts";
import { shorten } from "./width.ts";

/** The class of a node, which decides its style. */
export type GraphClass = ClaimStatus | "evidence" | "other" | "missing" | "verdict";

/** A node of a graph, identified by its index. */
export interface GraphNode {
  /** The id of its operation. */
  readonly opId: string;
  /** The lines of its label. */
  readonly label: readonly string[];
  readonly class: GraphClass;
  /** How many inputs of the claim are not in the graph. */
  readonly more: number;
  /** Whether the fall of the explained claim came along it. */
  readonly isOnPath: boolean;
}

/** An arrow from a node to a node, by index. */
export interface GraphEdge {
  readonly from: number;
  readonly to: number;
  /**
   * `input`: from an input to the claim derived from it. `against`: from what refutes, corrects or supersedes a claim.
   * `gap`: along the path of the fall, over claims that are not in the graph.
   */
  readonly kind: "input" | "against" | "gap";
  /** Whether the fall of the explained claim came along it. */
  readonly isOnPath: boolean;
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
  const path = fall?.path ?? [];
  const placeOnPath = new Map(path.map((opId, i) => [opId, i]));
  const indexes = new Map<string, number>();
  const nodes: GraphNode[] = [];
  const edges: GraphEdge[] = [];
  const indexOrAdd = (opId: string, make: () => Label) => {
    const known = indexes.get(opId);
    if (known !== undefined) return known;
    indexes.set(opId, nodes.length);
    const node = nodeOf(opId);
    const inputs = node.is === "claim" ? node.claim.inputs : [];
    const more = inputs.reduce((count, input) => count + Number(nodeOf(input).is === "left-out"), 0);
    return nodes.push({ opId, more, isOnPath: placeOnPath.has(opId), ...make() }) - 1;
  };
  const indexOf = (opId: string) => indexOrAdd(opId, () => labelOf(nodeOf(opId)));
  /** Whether one operation is right before another on the path. */
  const isStep = (from: string, to: string) => {
    const at = placeOnPath.get(from);
    return at !== undefined && path[at + 1] === to;
  };

  indexOf(claim.opId);
  for (const { opId } of explanation.nodes) indexOf(opId);
  for (const node of [nodeOf(claim.opId), ...explanation.nodes.filter(({ opId }) => opId !== claim.opId)]) {
    if (node.is !== "claim") continue;
    const to = indexOf(node.opId);
    for (const input of node.claim.inputs) {
      if (nodeOf(input).is === "left-out") continue;
      edges.push({ from: indexOf(input), to, kind: "input", isOnPath: isStep(input, node.opId) });
    }
  }
  if (fall !== undefined) {
    const label = [verdict(fall, LABEL_COLUMNS), `${abbreviate(fall.opId)} by ${abbreviate(fall.author)}`];
    const from = indexOrAdd(fall.opId, () => ({ label, class: "verdict" }));
    edges.push({ from, to: indexOf(path[1] ?? claim.opId), kind: "against", isOnPath: true });
    edges.push(...gaps(path.slice(1).flatMap((opId) => indexes.get(opId) ?? []), edges));
  }
  if (supersededBy !== undefined) {
    const from = indexOrAdd(
      supersededBy.opId,
      () => labelOf({ is: "claim", opId: supersededBy.opId, claim: supersededBy }),
    );
    edges.push({ from, to: indexOf(claim.opId), kind: "against", isOnPath: false });
  }
  return { nodes, edges };
}

/** The edges between neighbours on the path, as far as it is shown, that are not neighbours in the whole path. */
function gaps(path: readonly number[], edges: readonly GraphEdge[]): GraphEdge[] {
  const steps = new Set(edges.filter(({ isOnPath }) => isOnPath).map(({ from, to }) => `${from} ${to}`));
  return path.slice(1).flatMap((to, i) => {
    const from = path[i];
    return steps.has(`${from} ${to}`) ? [] : [{ from, to, kind: "gap" as const, isOnPath: true }];
  });
}

type Label = Pick<GraphNode, "label" | "class">;

function labelOf(node: ShownNode): Label {
  if (node.is !== "claim") {
    return {
      label: [title(node, LABEL_COLUMNS), abbreviate(node.opId)],
      class: node.is === "left-out" ? "other" : node.is,
    };
  }
  const { claim } = node;
  const status = `${percent(claim.confidencePpm)} sure, ${claim.status}`;
  const by = claim.deriver === undefined ? [] : [`by ${claim.deriver.id} ${claim.deriver.version}`];
  const label = [
    statement(claim, LABEL_COLUMNS),
    status,
    ...by.map((text) => shorten(visibleLine(text), LABEL_COLUMNS)),
    abbreviate(claim.opId),
  ];
  return { label, class: claim.status };
}
