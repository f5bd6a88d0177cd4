/**
 * The part of an explanation that is nearest to the claim.
 *
 * @module
 */

import type { ExplanationNode, Fall } from "./claim.ts";

/**
 * The claim; the claims on the path of its fall, for at most half of the nodes: the first, and the nearest; and the inputs
 * nearest to these, breadth first.
 *
 * @param opId The id of the claim.
 * @param fall Why it fell.
 * @param limit The most nodes.
 * @param find Finds a node by its id; undefined when it cannot be shown.
 */
export function nearestNodes(
  opId: string,
  fall: Fall | undefined,
  limit: number,
  find: (opId: string) => ExplanationNode | undefined,
): ExplanationNode[] {
  const nodes = new Map<string, ExplanationNode>();
  const add = (opId: string) => {
    if (nodes.size >= limit || nodes.has(opId)) return;
    const node = find(opId);
    if (node !== undefined) nodes.set(opId, node);
  };
  add(opId);
  const [first, ...rest] = fall?.path.slice(1, -1) ?? [];
  if (first !== undefined) [first, ...rest.reverse()].slice(0, Math.floor(limit / 2)).forEach(add);
  for (const node of nodes.values()) { // those that are added meanwhile, too
    if (nodes.size >= limit) break;
    if (node.is === "claim") node.claim.inputs.forEach(add);
  }
  return [...nodes.values()];
}

/** How many inputs of the claims among nodes are not among them. */
export function countLeftOut(nodes: readonly ExplanationNode[]): number {
  const shown = new Set(nodes.map(({ opId }) => opId));
  return new Set(nodes.flatMap((node) => node.is === "claim" ? node.claim.inputs : [])).difference(shown).size;
}
