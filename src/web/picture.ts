/**
 * The picture of an explanation in a page.
 *
 * @module
 */

import type { Explanation } from "../claims/claim.ts";
import { data, type Html, html } from "./markup.ts";
import type { Site } from "./site.ts";

/** The picture, or what is shown until it is drawn. */
export function pictureOf({ pictures }: Site, explanation: Explanation): Html {
  const picture = pictures.of(explanation);
  switch (picture.is) {
    case "drawn":
      return html`${picture.svg}`;
    case "drawing":
      return html`<p role="status">The picture is being drawn. The sentences below say the same.</p>`;
    case "failed":
      return html`<p role="status">The picture cannot be drawn: ${
        data(picture.message)
      }. The sentences below say the same.</p>`;
  }
}
