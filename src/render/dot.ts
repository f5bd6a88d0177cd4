/**
 * An explanation as a graph of Graphviz.
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
 * Writes an explanation as a directed graph of Graphviz, with an arrow from each input to the claim derived from it
 * and a dotted one from what speaks against a claim.
 *
 * @param explanation The explanation.
 * @returns The text, with newlines.
 */
export function formatDot(explanation: Explanation): string {
  const { nodes, edges } = graphOf(explanation);
  return [
    "digraph explanation {",
    '  node [shape=box style=filled fontname="sans-serif"]',
    ...nodes.map(({ lines, is }, place) => `  n${place} [label="${lines.map(escape).join("\\n")}" ${STYLES[is]}]`),
    ...edges.map(({ from, to, is }) => `  n${from} -> n${to}${is === "input" ? "" : " [style=dotted]"}`),
    "}",
    "",
  ].join("\n");
}

/** A label reads escapes with a backslash, and entities of HTML. */
function escape(text: string): string {
  return text.replaceAll(/[\\"]/g, "\\$&").replaceAll("&", "&amp;");
}
