/**
 * Draws explanations beside the pages, and keeps those that were drawn last. A page never waits for its picture: it shows
 * it when it is there.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Explanation } from "../claims/claim.ts";
import { formatSvg } from "../layout/svg.ts";
import { formatJson } from "../render/json.ts";
import { operationPath } from "./markup.ts";

/** Limits of the pictures that are kept, in UTF-16 code units, and of those that are drawn at once or wait for it. */
const MAX_KEPT = 16 << 20;
const MAX_DRAWING = 16;

/** A picture: an `svg` element, or why there is none yet. */
export type Picture =
  | { readonly is: "drawn"; readonly svg: string }
  | { readonly is: "drawing" }
  | { readonly is: "refused" };

/** The pictures of one site. */
export class Pictures {
  readonly #onDrawn: () => void;
  /** The pictures by the hash of what they show; those that were asked for last are last. */
  readonly #drawn = new Map<string, string>();
  readonly #drawing = new Map<string, Promise<void>>();
  readonly #ends = new AbortController();
  #kept = 0;

  /** @param onDrawn Called when a picture was drawn. */
  constructor(onDrawn: () => void) {
    this.#onDrawn = onDrawn;
  }

  /**
   * The picture of an explanation. One that is not there is drawn, unless too many are.
   *
   * @param explanation The explanation, with a limit.
   */
  of(explanation: Explanation): Picture {
    const hash = createHash("sha256").update(formatJson(explanation)).digest("hex");
    const svg = this.#drawn.get(hash);
    if (svg !== undefined) {
      this.#drawn.delete(hash);
      this.#drawn.set(hash, svg);
      return { is: "drawn", svg };
    }
    if (this.#drawing.has(hash)) return { is: "drawing" };
    if (this.#drawing.size >= MAX_DRAWING || this.#ends.signal.aborted) return { is: "refused" };
    this.#drawing.set(hash, this.#draw(hash, explanation));
    return { is: "drawing" };
  }

  /** Ends what is drawn. */
  async close(): Promise<void> {
    this.#ends.abort();
    await Promise.all(this.#drawing.values());
  }

  async #draw(hash: string, explanation: Explanation): Promise<void> {
    const options = { href: operationPath, style: false, limit: explanation.nodes.length, signal: this.#ends.signal };
    try {
      this.#keep(hash, await formatSvg(explanation, options));
      this.#onDrawn();
    } catch (error) {
      if (!this.#ends.signal.aborted) throw error;
    } finally {
      this.#drawing.delete(hash);
    }
  }

  #keep(hash: string, svg: string): void {
    this.#drawn.set(hash, svg);
    this.#kept += svg.length;
    for (const [oldest, { length }] of this.#drawn) {
      if (this.#kept <= MAX_KEPT || oldest === hash) break;
      this.#drawn.delete(oldest);
      this.#kept -= length;
    }
  }
}
