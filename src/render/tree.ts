/**
 * An explanation as a tree for a terminal.
 *
 * A single input is drawn right below its claim, several as branches. So a chain runs straight down however long it is.
 * Branches that would exceed the columns are continued below the tree, from the left margin.
 *
 * @module
 */

import { encodeCanonical } from "../wire/canonical.ts";
import { counted, visibleLine } from "../text.ts";
import { shorten, shortenSpans, wrap } from "./width.ts";
import type { Claim, Explanation } from "../claims/claim.ts";
import { answer } from "./answer.ts";
import { abbreviate, nodesById, origin, percent, type ShownNode, signature, title } from "./phrases.ts";

/** Options of {@linkcode formatTree}. */
export interface TreeOptions {
  /** Maximum width of a line, in columns; default 80. */
  columns?: number;
  /** Applies a style to a text, such as by escape sequences; by default none. */
  style?: (text: string, style: TreeStyle) => string;
}

/** `bold`: a claim. `yellow`: an id. `dim`: details. */
export type TreeStyle = "bold" | "dim" | "yellow";

/**
 * Draws an explanation: the claim, its confidence, its status and the reason, then its inputs at any distance, each once.
 *
 * @param explanation The explanation.
 * @param options Columns and styles.
 * @returns The lines, none wider than `columns`. Control characters in data are escaped.
 */
export function formatTree(explanation: Explanation, options: TreeOptions = {}): string[] {
  const { columns = 80, style = (text) => text } = options;
  return treeLines(explanation, columns).map((spans) =>
    spans.map(([text, as]) => as === undefined ? text : style(text, as)).join("")
  );
}

/** A part of a line, and its style. */
export type TreeSpan = readonly [text: string, style?: TreeStyle];

/** As {@linkcode formatTree}, with each line as parts with their styles. */
export function treeLines(explanation: Explanation, columns: number): TreeSpan[][] {
  return new Tree(explanation, columns).draw();
}

/** A node to draw. */
interface Place {
  readonly opId: string;
  /** Prefix of its first line. */
  readonly lead: string;
  /** Prefix of the lines below. */
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
    for (const claim of this.#continued) { // drawing one may append others
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

  /** Adds a line, shortened to the columns. */
  #line(...spans: TreeSpan[]): void {
    this.#lines.push(shortenSpans(spans, this.#columns));
  }
}

function glyph(node: ShownNode): string {
  if (node.is === "claim") return FALLEN.has(node.claim.status) ? "✗" : "●";
  return node.is === "evidence" ? "○" : node.is === "missing" ? "?" : "·";
}
