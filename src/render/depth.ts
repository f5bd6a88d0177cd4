/**
 * Limits the depth and the size of an explanation.
 *
 * @module
 */

import type { Explanation } from "../claims/claim.ts";
import { countLeftOut, nearestNodes } from "../claims/nearest.ts";
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

/**
 * Removes all but the operations that are nearest to the claim, as `Claims.explain` does with a limit.
 *
 * @param explanation The explanation.
 * @param limit The most operations.
 */
export function limitNodes(explanation: Explanation, limit: number): Explanation {
  const { claim, nodes, fall, leftOut: _, ...rest } = explanation;
  const byId = new Map(nodes.map((node) => [node.opId, node]));
  const near = nearestNodes(claim.opId, fall, limit, (opId) => byId.get(opId));
  const leftOut = countLeftOut(near);
  return { ...rest, claim, nodes: near, ...fall && { fall }, ...leftOut > 0 && { leftOut } };
}
