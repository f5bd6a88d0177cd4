/**
 * Limits the depth of an explanation.
 *
 * @module
 */

import type { Explanation } from "../claims/claim.ts";
import { nodesById } from "./phrases.ts";

/**
 * Removes the operations that are more than `depth` inputs away from the claim. The remaining claims still list all their
 * inputs.
 *
 * @param explanation The explanation.
 * @param depth Maximum distance; 0 leaves only the claim.
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
