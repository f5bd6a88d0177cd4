/**
 * An explanation as a tree for a terminal.
 *
 * A claim of one input stands right above it; of several, above their branches. So a chain runs straight down however
 * long it is. Where branches run out of columns, they are drawn further below, from the left again.
 *
 * @module
 */

import { encodeCanonical } from "../wire/canonical.ts";
import { counted, visibleLine } from "../text.ts";
import { shorten, shortenSpans, wrap } from "./width.ts";
import type { Claim, Explanation } from "../claims/claim.ts";
import { answer } from "./answer.ts";
import { abbreviate, nodesById, origin, percent, type ShownNode, signature, title } from "./phrases.ts";

/** How a tree is drawn. */
export interface TreeOptions {
  /** How many columns a line may have: 80 by default. */
  columns?: number;
  /** Puts a text into a style, for a terminal that shows it. */
  style?: (text: string, style: TreeStyle) => string;
}

/** `bold`: what is claimed. `yellow`: an id. `dim`: what is beside the point. */
export type TreeStyle = "bold" | "dim" | "yellow";

/**
 * Draws an explanation: what is claimed, how sure, where it stands and why, then all that it was derived from, each
 * once.
 *
 * @param explanation The explanation.
 * @param options Columns and styles.
 * @returns The lines. None is wider than the columns, or has what steers a terminal but for the styles.
 */
export function formatTree(explanation: Explanation, options: TreeOptions = {}): string[] {
  const { columns = 80, style = (text) => text } = options;
  return treeLines(explanation, columns).map((spans) =>
    spans.map(([text, as]) => as === undefined ? text : style(text, as)).join("")
  );
}

/** A part of a line, and the style to show it in. */
export type TreeSpan = readonly [text: string, style?: TreeStyle];

/** As {@linkcode formatTree}: the lines in parts, each with its style. */
export function treeLines(explanation: Explanation, columns: number): TreeSpan[][] {
  return new Tree(explanation, columns).draw();
}

/** Where a node is drawn: what stands before its first line, and before all below it. */
interface Place {
  readonly opId: string;
  readonly lead: string;
  readonly rest: string;
}

const FALLEN = new Set(["invalidated", "corrected", "refuted"]);

class Tree {
  readonly #explanation: Explanation;
  readonly #columns: number;
  readonly #nodeOf: (opId: string) => ShownNode;
  readonly #shown = new Set<string>();
  readonly #next: Place[] = [];
  readonly #continued: Claim[] = [];
  readonly #lines: TreeSpan[][] = [];

  constructor(explanation: Explanation, columns: number) {
    this.#explanation = explanation;
    this.#columns = columns;
    this.#nodeOf = nodesById(explanation);
  }

  draw(): TreeSpan[][] {
    this.#next.push({ opId: this.#explanation.claim.opId, lead: "", rest: "" });
    this.#drawAll();
    for (const claim of this.#continued) { // drawing one may add others
      this.#lines.push([]);
      this.#head(this.#nodeOf(claim.opId), "", "  continued: ");
      this.#branch(claim, "");
      this.#drawAll();
    }
    return this.#lines;
  }

  #drawAll(): void {
    for (let place; (place = this.#next.pop()) !== undefined;) this.#drawNode(place);
  }

  #drawNode({ opId, lead, rest }: Place): void {
    const node = this.#nodeOf(opId);
    const known = this.#shown.has(opId);
    this.#shown.add(opId);
    this.#head(node, lead, known ? "  shown above: " : "  ");
    if (known) return;
    const inputs = node.is === "claim" ? node.claim.inputs : [];
    const indent = rest + (inputs.length > 0 ? "│ " : "  ");
    for (const text of this.#details(node, this.#columns - indent.length)) this.#line([indent + text, "dim"]);
    if (node.is === "claim") this.#branch(node.claim, rest);
  }

  #branch(claim: Claim, rest: string): void {
    const inputs = claim.inputs.filter((opId) => this.#nodeOf(opId).is !== "left-out");
    const leftOut = claim.inputs.length - inputs.length;
    if (leftOut > 0) {
      this.#line([`${rest}${inputs.length > 0 ? "├" : "└"} ${counted(leftOut, "input")} not shown`, "dim"]);
    }
    if (inputs.length === 1) this.#next.push({ opId: inputs[0], lead: rest, rest });
    else if (inputs.length > 1 && rest !== "" && rest.length + 2 > this.#columns / 2) {
      this.#continued.push(claim);
      this.#line([`${rest}└ continued below`, "dim"]);
    } else {
      for (let i = inputs.length - 1; i >= 0; i--) {
        const [branch, bar] = i === inputs.length - 1 ? ["└─", "  "] : ["├─", "│ "];
        this.#next.push({ opId: inputs[i], lead: rest + branch, rest: rest + bar });
      }
    }
  }

  #details(node: ShownNode, columns: number): string[] {
    switch (node.is) {
      case "claim": {
        const { claim } = node;
        if (claim.opId === this.#explanation.claim.opId) {
          return answer(this.#explanation, Math.max(columns - 20, 20)).flatMap((text) => wrap(text, columns));
        }
        const by = claim.cause === undefined ? "" : ` by ${abbreviate(claim.cause)}`;
        const via = claim.via === undefined ? "" : ` through ${abbreviate(claim.via)}`;
        return [
          `${percent(claim.confidencePpm)} sure, ${claim.status}${by}${via}`,
          `${origin(claim)}; ${signature(claim)}`,
        ];
      }
      case "evidence":
        return [
          shorten(visibleLine(encodeCanonical(node.evidence.content)), columns),
          signature(node.evidence),
        ];
      case "other":
        return [signature(node)];
      case "missing":
      case "left-out":
        return [];
    }
  }

  #head(node: ShownNode, lead: string, note: string): void {
    const [mark, id] = [`${glyph(node)} `, abbreviate(node.opId)];
    const what = title(node, this.#columns - (lead + mark + id + note).length);
    this.#line([lead, "dim"], [mark], [id, "yellow"], [note, "dim"], [what, node.is === "claim" ? "bold" : undefined]);
  }

  /** Adds a line, shortened as a whole; each style ends where its part of that does. */
  #line(...spans: TreeSpan[]): void {
    this.#lines.push(shortenSpans(spans, this.#columns));
  }
}

function glyph(node: ShownNode): string {
  if (node.is === "claim") return FALLEN.has(node.claim.status) ? "✗" : "●";
  return node.is === "evidence" ? "○" : node.is === "missing" ? "?" : "·";
}
