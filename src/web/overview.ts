/**
 * The overview: how much there is, what is new, and whether the log is intact.
 *
 * @module
 */

import type { Context } from "hono";
import { largestCheckpoint } from "../checkpoints/stored.ts";
import { counts } from "../derived/counts.ts";
import { countHeads, heads } from "../derived/heads.ts";
import type { LogStats } from "../log/stats.ts";
import { type Internals, internalsOf } from "../oplog.ts";
import { statsJson } from "../render/report.ts";
import { auditSentence } from "./audit.ts";
import { entriesTable } from "./log.ts";
import {
  authorLink,
  catchingUp,
  data,
  facts,
  type Html,
  html,
  live,
  number,
  numbered,
  operationLink,
  table,
  time,
  withQuery,
} from "./markup.ts";
import { type Page, PATIENCE_MS, type Site } from "./site.ts";

/** How many of the newest operations, and of the heads, are shown. */
const NEWEST = 10;
/** How many types and authors are shown. */
const MAX_COUNTS = 20;

/** The overview of a log. */
export async function overviewPage(site: Site, _context: Context): Promise<Page> {
  const { log, catchUp } = site;
  const behind = await catchUp.within(PATIENCE_MS, counts);
  const stats = log.stats();
  const headCount = countOf(internalsOf(log));
  return {
    title: "Overview",
    section: "/",
    behind,
    isLive: true,
    body: html`${live("state", html`${catchingUp(behind, catchUp.failure)}${totals(site, stats, headCount)}`)}
<section aria-labelledby="newest"><h2 id="newest">Newest operations</h2>
${live("operations", entriesTable("Newest operations", [...log.entries({ reverse: true, limit: NEWEST })]))}
<p><a href="/log">The whole log</a></p></section>
${live("counts", html`${countsOf("type", stats.types)}${countsOf("author", stats.authors)}`)}`,
    json: () => statsJson(stats, headCount),
  };
}

function countOf({ connection, projections }: Internals): number {
  return projections.prepare(heads) === 0 ? 0 : countHeads(connection);
}

function totals({ log, audits }: Site, { operations, types, authors, span, bytes }: LogStats, headCount: number): Html {
  const newest = log.heads(NEWEST);
  const checkpoint = largestCheckpoint(internalsOf(log).connection);
  return facts([
    ["Operations", number(operations)],
    ["Types", number(Object.keys(types).length)],
    ["Authors", number(Object.keys(authors).length)],
    span && ["Times", html`${time(span.from)} to ${time(span.to)}`],
    ["File", `${number(bytes)} bytes`],
    [
      "Heads",
      html`${numbered(headCount, "operation")} that no other follows${newest.length > 0 ? ": " : ""}${
        newest.map((opId, i) => html`${i > 0 ? ", " : ""}${operationLink(opId)}`)
      }${headCount > newest.length ? ", …" : ""}`,
    ],
    [
      "Last checkpoint",
      checkpoint === undefined
        ? "none was signed; with one, anyone can later detect a change: mnema checkpoint"
        : html`of the first ${numbered(checkpoint.size, "operation")}, as ${data(checkpoint.origin)}`,
    ],
    ["Last audit", html`${auditSentence(audits.state)} <a href="/audit">Audit</a>`],
  ]);
}

function countsOf(what: "type" | "author", counts: Record<string, number>): Html {
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
  const shown = sorted.slice(0, MAX_COUNTS).map(([name, count]) => [
    what === "author" ? authorLink(name) : html`<a href="${withQuery("/log", { type: name })}">${data(name)}</a>`,
    number(count),
  ]);
  const more = sorted.length - shown.length;
  const id = `by-${what}`;
  return html`<section aria-labelledby="${id}"><h2 id="${id}">By ${what}</h2>
${table(`Operations by ${what}`, [what === "type" ? "Type" : "Author", "Operations"], shown)}
${more > 0 ? html`<p>and ${numbered(more, what)} more</p>` : ""}</section>`;
}
