/**
 * An explanation as a Graphviz graph, in DOT.
 *
 * @module
 */

import type { Explanation } from "../claims/claim.ts";
import { type GraphClass, graphOf } from "./graph.ts";

const STYLES: Record<GraphClass, string> = {
  active: 'fillcolor="#e6f4ea" color="#137333"',
  superseded: 'fillcolor="#f1f3f4" color="#80868b" fontcolor="#5f6368"',
  pending: 'fillcolor="#fef7e0" color="#b06000" style="filled,dashed"',
  invalidated: 'fillcolor="#fce8e6" color="#c5221f" style="filled,dashed"',
  corrected: 'fillcolor="#fce8e6" color="#c5221f"',
  refuted: 'fillcolor="#fce8e6" color="#c5221f"',
  evidence: 'shape=note fillcolor="#e8f0fe" color="#1967d2"',
  other: 'fillcolor="#ffffff" color="#80868b"',
  missing: 'fillcolor="#ffffff" color="#b06000" fontcolor="#b06000" style="filled,dotted"',
  verdict: 'shape=octagon fillcolor="#c5221f" color="#c5221f" fontcolor="#ffffff"',
};

/**
 * Formats an explanation as a directed graph in DOT: an arrow from each input to the claim derived from it, and a dotted
 * one from a refute, a correction or a superseding claim to the claim it is against.
 *
 * @param explanation The explanation.
 * @returns The text, which ends with a newline.
 */
export function formatDot(explanation: Explanation): string {
  const { nodes, edges } = graphOf(explanation);
  return [
    "digraph explanation {",
    '  node [shape=box style=filled fontname="sans-serif"]',
    ...nodes.map((node, i) => `  n${i} [label="${node.label.map(escape).join("\\n")}" ${STYLES[node.class]}]`),
    ...edges.map(({ from, to, kind }) => `  n${from} -> n${to}${kind === "input" ? "" : " [style=dotted]"}`),
    "}",
    "",
  ].join("\n");
}

/** In a label, DOT interprets backslash escapes and HTML entities. */
function escape(text: string): string {
  return text.replaceAll(/[\\"]/g, "\\$&").replaceAll("&", "&amp;");
}
