/**
 * The picture of an explanation in a page.
 *
 * @module
 */

import { raw } from "hono/html";
import { type Html, html } from "./markup.ts";
import type { Picture } from "./pictures.ts";

/** The picture, which scrolls where it is wide, or what is shown until it is drawn. */
export function pictureOf(picture: Picture): Html {
  switch (picture.is) {
    case "drawn":
      // The only markup that is not from a template: `drawSvg` has escaped its texts.
      return html`<div class="picture" tabindex="0" role="region" aria-label="Picture of the explanation">${
        raw(picture.svg)
      }</div>`;
    case "drawing":
      return html`<p role="status">The picture is being drawn. The sentences below say the same.</p>`;
    case "refused":
      return html`<p role="status">Many pictures are being drawn: load this page again in a moment. The sentences below
say the same.</p>`;
  }
}
