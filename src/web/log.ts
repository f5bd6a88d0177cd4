/**
 * The log: operations, newest first, a page at a time.
 *
 * @module
 */

import type { Context } from "hono";
import { times } from "../derived/times.ts";
import type { EntriesOptions } from "../log/entries.ts";
import type { Entry } from "../oplog.ts";
import { listed } from "../render/listed.ts";
import { abbreviate, statement } from "../render/phrases.ts";
import { decodeBody } from "../wire/bodies.ts";
import { encodeCanonical } from "../wire/canonical.ts";
import type { Operation } from "../wire/operation.ts";
import {
  authorLink,
  catchingUp,
  data,
  field,
  type Html,
  html,
  line,
  live,
  NOTHING,
  number,
  operationLink,
  table,
  time,
  value,
  withQuery,
} from "./markup.ts";
import { Parameters } from "./parameters.ts";
import { type Page, PATIENCE_MS, type Site } from "./site.ts";

/** Operations of a page. */
const PAGE = 100;
const MAX_PAGE = 1000;
/** The columns of what an operation says. */
const SUMMARY_COLUMNS = 90;

/** The page of the log that ends before a `seq`; the newest by default. */
export async function logPage({ log, catchUp }: Site, context: Context): Promise<Page> {
  const query = Parameters.ofQuery(context.req.raw);
  const [fromTs, untilTs] = [query.time("after"), query.time("before")];
  const behind = fromTs === undefined && untilTs === undefined ? 0 : await catchUp.within(PATIENCE_MS, times);
  const [type, author] = [query.text("type"), query.author("author", log)];
  const [beforeSeq, n = PAGE] = [query.integer("before-seq", 0), query.integer("n", 1, MAX_PAGE)];
  const filter: EntriesOptions = {
    ...type === undefined ? {} : { types: [type] },
    ...author === undefined ? {} : { authors: [author] },
    fromTs,
    untilTs,
    beforeSeq,
  };
  // One more tells whether there is another page.
  const found = [...log.entries({ ...filter, reverse: true, limit: n + 1 })];
  const entries = found.slice(0, n);
  const older = found.length > n ? entries[n - 1].seq : undefined;
  const fields = { type, author, after: query.text("after"), before: query.text("before"), n: query.text("n") };
  const isFiltered = [type, author, fromTs, untilTs].some((given) => given !== undefined);
  return {
    title: "Log",
    section: "/log",
    behind,
    isLive: beforeSeq === undefined,
    body: html`${filterForm(fields)}
${
      live(
        "operations",
        html`${catchingUp(behind, catchUp.failure)}${
          entries.length > 0
            ? entriesTable(
              beforeSeq === undefined ? "Newest operations" : `Operations before ${number(beforeSeq)}`,
              entries,
            )
            : html`<p>${isFiltered ? "No operation matches." : "The log has no operations yet."}</p>`
        }
<nav class="pager" aria-label="Parts of the log">${
          beforeSeq === undefined ? NOTHING : html`
            <a href="${withQuery("/log", fields)}" rel="first">Newest</a>
          `
        }${
          older === undefined
            ? NOTHING
            : html`<a href="${withQuery("/log", { ...fields, "before-seq": older })}" rel="next">Older</a>`
        }</nav>`,
      )
    }`,
    json: () => `{"operations":[${entries.map(({ seq, op }) => listed(seq, op)).join(",")}],"older":${older ?? null}}`,
  };
}

/** A table of operations. */
export function entriesTable(caption: string, entries: readonly Entry[]): Html {
  const rows = entries.map(({ seq, op }) => [
    html`<span class="seq">${number(seq)}</span>`,
    time(op.ts),
    html`<span class="type">${data(op.type)}</span>`,
    authorLink(op.author),
    operationLink(op.opId),
    html`<span class="body">${summaryOf(op)}</span>`,
  ]);
  return table(caption, ["Seq", "Time", "Type", "Author", "Operation", "Says"], rows);
}

/** What an operation says, on one line. */
function summaryOf({ type, body }: Operation): string {
  const known = decodeBody(type, body);
  switch (known?.type) {
    case "claim.assert":
    case "claim.correct":
      return statement(known.body, SUMMARY_COLUMNS);
    case "claim.refute": {
      const { key, value } = known.body;
      if (value !== undefined) return `${statement({ key, value }, SUMMARY_COLUMNS)} is not so`;
      return `nothing that is claimed of ${line(key, SUMMARY_COLUMNS)} is so`;
    }
    case "claim.invalidate":
      return `${abbreviate(known.body.claim)} fell with ${abbreviate(known.body.cause)}`;
    case "evidence.add": {
      const { kind, source, content } = known.body;
      return line(`${kind} from ${source}: ${encodeCanonical(content)}`, SUMMARY_COLUMNS);
    }
    case "explanation.record":
      return `why ${abbreviate(known.body.claim)}: ${line(known.body.summary, SUMMARY_COLUMNS)}`;
    default:
      return value(body, SUMMARY_COLUMNS);
  }
}

function filterForm(given: Record<string, string | undefined>): Html {
  const hint = "such as 2026-11-25, in UTC";
  return html`<form class="filter" action="/log" method="get" role="search" aria-label="Filter the log">
${field("Type", "type", given.type ?? "")}
${field("Author", "author", given.author ?? "", { hint: "may be abbreviated" })}
${field("At or after", "after", given.after ?? "", { hint })}
${field("Before", "before", given.before ?? "", { hint })}
<p class="submit"><button>Filter</button></p>
</form>`;
}
