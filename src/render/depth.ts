/**
 * An explanation without what is far from its claim.
 *
 * @module
 */

import type { Explanation } from "../claims/claim.ts";
import { nodesById } from "./phrases.ts";

/**
 * Leaves out what is more steps from the claim than wanted. The claims that remain still name all their inputs.
 *
 * @param explanation The explanation.
 * @param depth How many steps: 0 leaves the claim alone.
 */
export function limitDepth(explanation: Explanation, depth: number): Explanation {
  const nodeOf = nodesById(explanation);
  const near = new Set([explanation.claim.opId]);
  for (let [edge, steps] = [[...near], 0]; edge.length > 0 && steps < depth; steps++) {
    const next: string[] = [];
    for (const opId of edge) {
      const node = nodeOf(opId);
      for (const input of node.is === "claim" ? node.claim.inputs : []) {
        if (near.has(input)) continue;
        near.add(input);
        next.push(input);
      }
    }
    edge = next;
  }
  return { ...explanation, nodes: explanation.nodes.filter(({ opId }) => near.has(opId)) };
}
