/**
 * The summary of the claim at the root of a tree: confidence, status and its reason, origin.
 *
 * @module
 */

import { visibleLine } from "../text.ts";
import { type Explanation, type ExplanationNode, STATUSES } from "../claims/claim.ts";
import { abbreviate, nodesById, origin, percent, signature, statement, title, verdict } from "./phrases.ts";

const MAX_SHOWN_MISSING = 5;

/**
 * Returns the summary as paragraphs, which the caller wraps.
 *
 * @param explanation The explanation.
 * @param columns Maximum width of a statement within a paragraph, in columns.
 */
export function answer(explanation: Explanation, columns: number): string[] {
  const { claim, fall } = explanation;
  const { status } = claim;
  const standing = status[0].toUpperCase() + status.slice(1);
  const paragraphs = [`${percent(claim.confidencePpm)} sure. ${standing}${why(explanation, columns)}`];
  if (fall?.reason !== undefined) paragraphs.push(`Reason: ${visibleLine(fall.reason)}`);
  if (fall !== undefined && fall.path.length > 2) {
    paragraphs.push("How it came to fall:", ...steps(explanation, columns));
  }
  const from = origin(claim);
  paragraphs.push(`${from[0].toUpperCase()}${from.slice(1)}; ${signature(claim)}.`);
  return paragraphs;
}

function why(explanation: Explanation, columns: number): string {
  const { claim, nodes, fall, supersededBy } = explanation;
  if (fall !== undefined) {
    return ` by ${abbreviate(fall.opId)}, which says: ${verdict(fall, columns)}; ${signature(fall)}.`;
  }
  if (supersededBy !== undefined) {
    const { opId } = supersededBy;
    return ` by ${abbreviate(opId)}, which says: ${statement(supersededBy, columns)}; ${signature(supersededBy)}.`;
  }
  const missing = nodes.filter(({ is }) => is === "missing");
  if (claim.status === "pending" && missing.length > 0) return `: ${absent(missing)} not in the log yet.`;
  return `: ${STATUSES[claim.status]}.`;
}

function absent(missing: readonly ExplanationNode[]): string {
  const shown = missing.slice(0, MAX_SHOWN_MISSING).map(({ opId }) => abbreviate(opId));
  if (missing.length > shown.length) shown.push(`${missing.length - shown.length} more`);
  const last = shown.pop()!;
  return shown.length === 0 ? `${last} is` : `${shown.join(", ")} and ${last} are`;
}

/** A line for each operation of the path: the refute or correction, then each claim that it reached. */
function steps(explanation: Explanation, columns: number): string[] {
  const fall = explanation.fall!;
  const nodeOf = nodesById(explanation);
  return fall.path.map((opId, i) => {
    const what = i === 0 && opId === fall.opId ? verdict(fall, columns) : title(nodeOf(opId), columns);
    return `  ${i === 0 ? " " : "→"} ${abbreviate(opId)}  ${what}`;
  });
}
