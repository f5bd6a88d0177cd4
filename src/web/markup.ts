/**
 * The frame of every page, and the parts that pages have in common. Data of operations is text here, never markup:
 * the templates escape it, and characters that could reorder a line or hide in it are shown as `\uXXXX`.
 *
 * @module
 */

import { html } from "hono/html";
import { type ClaimStatus, STATUSES } from "../claims/claim.ts";
import { abbreviate } from "../render/phrases.ts";
import { shorten } from "../render/width.ts";
import { formatTime, visible, visibleLine } from "../text.ts";
import { encodeCanonical } from "../wire/canonical.ts";
import type { CanonicalValue } from "../wire/value.ts";

export { html };

/** Markup. */
export type Html = ReturnType<typeof html>;

/** Nothing. */
export const NOTHING: Html = html``;

/** What the frame of a page shows. */
export interface Frame {
  /** The page's title. */
  readonly title: string;
  /** Its content. */
  readonly body: Html;
  /** The path of the section of the site that it is in. */
  readonly section?: string;
  /** Whether it is updated as the log changes. */
  readonly isLive?: boolean;
  /** Seconds after which a browser without scripts loads it again. */
  readonly refresh?: number;
}

/** What every page of one site shows. */
export interface SiteFrame {
  /** The name of the log's file. */
  readonly name: string;
  /** Whether the pages can append. */
  readonly canEdit: boolean;
}

/** What the frame of one page shows of the site. */
export interface Shown extends SiteFrame {
  /** The state that the page was made from: see `Hub.state`. */
  readonly state: string;
}

const SECTIONS = [["/", "Overview"], ["/claims", "Claims"], ["/log", "Log"], ["/audit", "Audit"]] as const;

/** A whole page. */
export function layout(
  { title, body, section, isLive = false, refresh }: Frame,
  { name, canEdit, state }: Shown,
): Html {
  const sections = canEdit ? [...SECTIONS, ["/assert", "Assert"] as const] : SECTIONS;
  return html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${visibleLine(title)} · ${visibleLine(name)} · Mnema</title>
    <link rel="icon" href="/icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/style.css">
    ${isLive ? html`<script src="/live.js" type="module"></script>` : NOTHING}
    ${refresh === undefined ? NOTHING : html`<noscript><meta http-equiv="refresh" content="${refresh}"></noscript>`}
      </head>
      <body data-state="${state}">
        <a class="skip" href="#content">Skip to the content</a>
        <header>
          <p class="name"><span class="product">Mnema</span> ${visibleLine(name)}</p>
          <nav aria-label="Sections">
            <ul>${sections.map(([path, label]) =>
              html`<li><a href="${path}"${
                path === section
                  ? html`
                    aria-current="page"
                  `
                  : NOTHING
              }>${label}</a></li>`
            )}</ul>
          </nav>
        </header>
        <main id="content" tabindex="-1">
    <h1>${visibleLine(title)}</h1>
    ${body}
        </main>
      </body>
    </html>
  `;
}

/** The address of an operation's page. */
export const operationPath = (opId: string): string => `/operations/${encodeURIComponent(opId)}`;
/** The address of a claim's page. */
export const claimPath = (opId: string): string => `/claims/${encodeURIComponent(opId)}`;

/** A path with a query, without the fields that are undefined or empty. */
export function withQuery(path: string, fields: Record<string, string | number | undefined>): string {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && value !== "");
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return query === "" ? path : `${path}?${query}`;
}

/** A link to an operation, by its abbreviated id. */
export function operationLink(opId: string): Html {
  return html`<a class="id" href="${operationPath(opId)}">${abbreviate(opId)}</a>`;
}

/** A link to a claim, by its abbreviated id. */
export function claimLink(opId: string): Html {
  return html`<a class="id" href="${claimPath(opId)}">${abbreviate(opId)}</a>`;
}

/** A link to what an author signed. */
export function authorLink(author: string): Html {
  return html`<a class="id" href="${withQuery("/log", { author })}">${abbreviate(author)}</a>`;
}

/** A time, in UTC. */
export function time(ts: number): Html {
  const text = formatTime(ts);
  if (!text.endsWith("Z")) return html`${text}`;
  return html`<time datetime="${text}">${text.replace("T", " ").replace("Z", " UTC")}</time>`;
}

/** A count with separators between thousands. */
export function number(count: number): string {
  return count.toLocaleString("en");
}

/** A count with its noun. */
export function numbered(count: number, what: string): string {
  return `${number(count)} ${what}${count === 1 ? "" : "s"}`;
}

/** A status: a word, with a shape beside it, so that it does not depend on colors. */
export function statusBadge(status: ClaimStatus): Html {
  return html`<span class="status ${status}" title="${STATUSES[status]}">${status}</span>`;
}

/** A text of an operation. */
export function data(text: string): string {
  return visible(text);
}

/** A text of an operation on one line, shortened. */
export function line(text: string, columns: number): string {
  return shorten(visibleLine(text), columns);
}

/** A value on one line, shortened. */
export function value(of: CanonicalValue, columns: number): string {
  return line(encodeCanonical(of), columns);
}

/** A list of names and what they have; undefined parts are left out. */
export function facts(rows: readonly (readonly [name: string, content: Html | string] | undefined)[]): Html {
  return html`<dl class="facts">${
    rows.filter((row) => row !== undefined).map(([name, content]) =>
      html`
        <div>
          <dt>${name}</dt>
          <dd>${content}</dd>
        </div>
      `
    )
  }</dl>`;
}

/** A table. Narrow screens show a row as a block, so its parts have the roles that it loses there. */
export function table(caption: string, heads: readonly string[], rows: readonly (readonly (Html | string)[])[]): Html {
  return html`
    <table role="table">
      <caption>${caption}</caption>
      <thead role="rowgroup">
        <tr role="row">${heads.map((head) => html`<th role="columnheader" scope="col">${head}</th>`)}</tr>
      </thead>
      <tbody role="rowgroup">${rows.map((cells) =>
        html`
          <tr role="row">${cells.map((cell, i) => html`<td role="cell" data-head="${heads[i]}">${cell}</td>`)}</tr>
        `
      )}</tbody>
    </table>
  `;
}

/** A field of a form. */
export function field(
  label: string,
  name: string,
  given: string,
  more: { hint?: string; required?: boolean } = {},
): Html {
  const hint = more.hint === undefined ? NOTHING : html`
    <span class="hint" id="${name}-hint">${more.hint}</span>
  `;
  return html`<p class="field"><label for="${name}">${label}</label>
<input id="${name}" name="${name}" value="${given}" autocomplete="off"${
    more.required
      ? html`
        required
      `
      : NOTHING
  }${
    more.hint === undefined ? NOTHING : html`
      aria-describedby="${name}-hint"
    `
  }>${hint}</p>`;
}

/** A choice in a form; the empty value is any. */
export function choice(label: string, name: string, given: string, values: readonly string[], any?: string): Html {
  const option = (of: string, shown = of) =>
    html`
      <option value="${of}" ${of === given
        ? html`
          selected
        `
        : NOTHING}>${shown}</option>
    `;
  return html`<p class="field"><label for="${name}">${label}</label>
<select id="${name}" name="${name}">${any === undefined ? NOTHING : option("", any)}${
    values.map((of) => option(of))
  }</select></p>`;
}

/** A part of a page that is replaced as the log changes. */
export function live(id: string, content: Html): Html {
  return html`<div id="${id}" data-live>${content}</div>`;
}

/** Says that a page shows less than the log has; nothing when it does not. */
export function catchingUp(behind: number, failure: string | undefined): Html {
  if (behind === 0) return NOTHING;
  if (failure !== undefined) {
    return html`
      <p class="notice"
        role="status">${numbered(behind, "operation")} cannot be taken into account: ${data(
          failure,
        )}. This page shows what was known before.</p>
    `;
  }
  return html`
    <p class="notice"
      role="status">Catching up: ${numbered(
        behind,
        "operation",
      )} to go. This page shows what is known so far; load it again to see more.</p>
  `;
}
