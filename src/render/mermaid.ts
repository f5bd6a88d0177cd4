/**
 * An explanation as a Mermaid flowchart.
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
 * Formats an explanation as a Mermaid flowchart: an arrow from each input to the claim derived from it, and a dotted one
 * from a refute, a correction or a superseding claim to the claim it is against.
 *
 * @param explanation The explanation.
 * @returns The text, which ends with a newline.
 */
export function formatMermaid(explanation: Explanation): string {
  const { nodes, edges } = graphOf(explanation);
  const classes: ReadonlyMap<string, number[]> = Map.groupBy(nodes.keys(), (i) => nodes[i].class);
  return [
    "flowchart TD",
    ...nodes.map(({ label }, i) => `  n${i}["${label.map(escape).join("<br/>")}"]`),
    ...edges.map(({ from, to, kind }) => `  n${from} ${kind === "input" ? "-->" : "-.->"} n${to}`),
    ...Object.entries(STYLES).flatMap(([name, style]) => {
      const members = classes.get(name)?.map((i) => `n${i}`) ?? [];
      return members.length === 0 ? [] : [`  classDef ${name} ${style}`, `  class ${members.join(",")} ${name}`];
    }),
    "",
  ].join("\n");
}

/**
 * Escapes all but letters, digits, their marks and single spaces between them. A label passes through Mermaid's grammar,
 * its entities, Markdown and HTML, and only these characters are literal in all of them.
 */
function escape(text: string): string {
  return text.replaceAll(/[^\p{L}\p{M}\p{N} ]|^ | (?= |$)/gu, (character) => `#${character.codePointAt(0)};`);
}
