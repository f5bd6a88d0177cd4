/**
 * An explanation as a flowchart of Mermaid.
 *
 * @module
 */

import type { Explanation } from "../claims/claim.ts";
import { type GraphClass, graphOf } from "./graph.ts";

const STYLES: Record<GraphClass, string> = {
  active: "fill:#e6f4ea,stroke:#137333,color:#202124",
  superseded: "fill:#f1f3f4,stroke:#80868b,color:#5f6368",
  pending: "fill:#fef7e0,stroke:#b06000,color:#202124,stroke-dasharray:5 4",
  invalidated: "fill:#fce8e6,stroke:#c5221f,color:#202124,stroke-dasharray:5 4",
  corrected: "fill:#fce8e6,stroke:#c5221f,color:#202124",
  refuted: "fill:#fce8e6,stroke:#c5221f,color:#202124",
  evidence: "fill:#e8f0fe,stroke:#1967d2,color:#202124",
  other: "fill:#ffffff,stroke:#80868b,color:#202124",
  missing: "fill:#ffffff,stroke:#b06000,color:#b06000,stroke-dasharray:2 4",
  verdict: "fill:#c5221f,stroke:#c5221f,color:#ffffff",
};

/**
 * Writes an explanation as a flowchart of Mermaid, with an arrow from each input to the claim derived from it and a
 * dotted one from what speaks against a claim.
 *
 * @param explanation The explanation.
 * @returns The text, with newlines.
 */
export function formatMermaid(explanation: Explanation): string {
  const { nodes, edges } = graphOf(explanation);
  const classes = Object.groupBy(nodes.keys(), (place) => nodes[place].is);
  return [
    "flowchart TD",
    ...nodes.map(({ lines }, place) => `  n${place}["${lines.map(escape).join("<br/>")}"]`),
    ...edges.map(({ from, to, is }) => `  n${from} ${is === "input" ? "-->" : "-.->"} n${to}`),
    ...Object.entries(STYLES).flatMap(([name, style]) => {
      const places = classes[name as GraphClass] ?? [];
      if (places.length === 0) return [];
      return [`  classDef ${name} ${style}`, `  class ${places.map((place) => `n${place}`).join(",")} ${name}`];
    }),
    "",
  ].join("\n");
}

/**
 * A label passes through Mermaid's grammar, its own entities, Markdown and HTML, each with its own escapes: only
 * letters, digits, the marks on them and single spaces between them mean nothing to any of these.
 */
function escape(text: string): string {
  return text.replaceAll(/[^\p{L}\p{M}\p{N} ]|^ | (?= |$)/gu, (character) => `#${character.codePointAt(0)};`);
}
