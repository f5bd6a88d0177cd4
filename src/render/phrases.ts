/**
 * Phrases for claims and operations, shared by all formats.
 *
 * @module
 */

import { encodeCanonical } from "../wire/canonical.ts";
import type { CanonicalValue } from "../wire/value.ts";
import { formatTime, visibleLine } from "../text.ts";
import { displayWidth, shorten } from "./width.ts";
import type { Claim, Explanation, ExplanationNode, Fall } from "../claims/claim.ts";

const HEX_DIGITS = 8;

/** `op_` or `mnk_` and 8 hex digits. */
export function abbreviate(id: string): string {
  return visibleLine(id.slice(0, id.indexOf("_") + 1 + HEX_DIGITS));
}

/** Parts per million as an exact percentage: `82 %`, `0.0001 %`. */
export function percent(ppm: number): string {
  return `${ppm / 10_000} %`;
}

/** `key = value`, shortened to a number of columns such that a part of both remains. */
export function statement({ key, value }: { key: string; value: CanonicalValue }, columns: number): string {
  const shown = shorten(visibleLine(encodeCanonical(value)), columns);
  const half = Math.floor((columns - 3) / 2);
  const shortKey = shorten(visibleLine(key), Math.max(columns - 3 - displayWidth(shown), half));
  return shorten(`${shortKey} = ${shown}`, columns);
}

/** The author and the time of an operation. */
export function signature({ author, ts }: { author: string; ts: number }): string {
  return `signed by ${abbreviate(author)}, ${formatTime(ts)}`;
}

/** The origin of a claim: its deriver, or the user. */
export function origin(claim: Claim): string {
  if (claim.kind === "correct") return "the user's own value";
  const deriver = claim.deriver === undefined ? "" : ` by ${claim.deriver.id} ${claim.deriver.version}`;
  return visibleLine(claim.inputs.length > 0 ? `derived${deriver}` : `asserted${deriver}, from nothing else`);
}

/** The statement of a refute or a correction, shortened to a number of columns. */
export function verdict(fall: Fall, columns: number): string {
  const { type, key, value } = fall;
  if (value === undefined) return `nothing that is claimed of ${shorten(visibleLine(key), columns)} is so`;
  const what = statement({ key, value }, columns);
  return type === "claim.correct" ? what : `${what} is not so`;
}

/** The title of an operation of an explanation, shortened to a number of columns. */
export function title(node: ShownNode, columns: number): string {
  switch (node.is) {
    case "claim":
      return statement(node.claim, columns);
    case "evidence": {
      const { kind, source, ref } = node.evidence;
      return shorten(visibleLine(`${kind} from ${source}${ref === undefined ? "" : `, ${ref}`}`), columns);
    }
    case "other":
      return shorten(visibleLine(`${node.type}: neither evidence nor a claim`), columns);
    case "missing":
      return shorten("not in the log yet", columns);
    case "left-out":
      return shorten("not shown", columns);
  }
}

/** An operation of an explanation, or one that `limitDepth` has removed. */
export type ShownNode = ExplanationNode | { readonly is: "left-out"; readonly opId: string };

/** The operations of an explanation by their ids. */
export function nodesById({ claim, nodes }: Explanation): (opId: string) => ShownNode {
  const byId = new Map<string, ExplanationNode>([[claim.opId, { is: "claim", opId: claim.opId, claim }]]);
  for (const node of nodes) byId.set(node.opId, node);
  return (opId) => byId.get(opId) ?? { is: "left-out", opId };
}
