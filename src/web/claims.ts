/**
 * Claims: searched, filtered, sorted, a page at a time.
 *
 * @module
 */

import type { Context } from "hono";
import { type Claim, type ClaimFilter, type ClaimOrder, type ClaimStats, STATUSES } from "../claims/claim.ts";
import { claims } from "../claims/tables.ts";
import type { OpLog } from "../oplog.ts";
import { formatJson } from "../render/json.ts";
import { percent } from "../render/phrases.ts";
import { splitDeriver } from "../render/parse.ts";
import {
  authorLink,
  catchingUp,
  choice,
  claimLink,
  data,
  field,
  type Html,
  html,
  line,
  live,
  NOTHING,
  number,
  numbered,
  operationLink,
  statusBadge,
  table,
  time,
  value,
  withQuery,
} from "./markup.ts";
import { invalid, Parameters } from "./parameters.ts";
import { type Page, PATIENCE_MS, type Site } from "./site.ts";

/** Claims of a page. */
const PAGE = 100;
const MAX_PAGE = 1000;
const COLUMNS = 80;
const ORDERS: readonly ClaimOrder[] = ["key", "newest", "confidence"];
const STATUS_NAMES = Object.keys(STATUSES) as (keyof typeof STATUSES)[];

/** The fields of the query, as they are given. */
type Fields = Record<string, string | undefined>;

/** The claims that a query asks for. */
export async function claimsPage({ log, catchUp }: Site, context: Context): Promise<Page> {
  const query = Parameters.ofQuery(context.req.raw);
  const behind = await catchUp.within(PATIENCE_MS, claims);
  const n = query.integer("n", 1, MAX_PAGE) ?? PAGE;
  const after = query.ids("after", log);
  if (after.length > 1) throw invalid("after", "the id of one claim", after.join());
  const deriver = query.text("deriver");
  const [input] = query.ids("input", log);
  const filter: ClaimFilter = {
    key: query.whole("key"),
    keyContains: query.whole("key-contains"),
    valueContains: query.whole("value-contains"),
    status: query.choice("status", STATUS_NAMES),
    author: query.author("author", log),
    deriver: deriver && splitDeriver(deriver).id,
    input,
    order: query.choice("order", ORDERS),
    reverse: query.choice("reverse", ["true"]) !== undefined,
    after: after[0],
  };
  // One more tells whether there is another page.
  const found = [...log.claims.query({ ...filter, limit: n + 1 })];
  const shown = found.slice(0, n);
  const last = found.length > n ? shown[n - 1].opId : undefined;
  const fields: Fields = Object.fromEntries(
    ["key", "key-contains", "value-contains", "status", "author", "deriver", "input", "order", "reverse", "n"]
      .map((name) => [name, query.whole(name)]),
  );
  return {
    title: filter.key === undefined ? "Claims" : "Claims of one key",
    section: "/claims",
    behind,
    isLive: after.length === 0,
    body: html`${filterForm(fields)}
${
      live(
        "claims",
        html`${catchingUp(behind, catchUp.failure)}${about(claimStats(log, log.lastSeq() - behind), filter)}
${shown.length > 0 ? claimsTable(captionOf(filter), shown) : html`<p>No claim matches.</p>`}
<nav class="pager" aria-label="Parts of the list">${
          after.length === 0 ? NOTHING : html`
            <a href="${withQuery("/claims", fields)}" rel="first">First</a>
          `
        }${
          last === undefined
            ? NOTHING
            : html`<a href="${withQuery("/claims", { ...fields, after: last })}" rel="next">Next</a>`
        }</nav>`,
      )
    }`,
    json: () => `{"claims":[${shown.map(formatJson).join(",")}],"after":${JSON.stringify(last ?? null)}}`,
  };
}

/** A table of claims. */
export function claimsTable(caption: string, list: readonly Claim[]): Html {
  const rows = list.map((claim) => [
    html`<a class="key" href="${withQuery("/claims", { key: claim.key })}">${line(claim.key, COLUMNS)}</a>`,
    html`<span class="value">${value(claim.value, COLUMNS)}</span>`,
    percent(claim.confidencePpm),
    statusBadge(claim.status),
    claimLink(claim.opId),
    claim.deriver === undefined ? "the user" : line(`${claim.deriver.id} ${claim.deriver.version}`, 40),
    authorLink(claim.author),
    time(claim.ts),
  ]);
  return table(caption, ["Key", "Value", "Sure", "Status", "Claim", "Deriver", "Author", "Time"], rows);
}

/** The counts of each log, and the last `seq` that they take into account. */
const counted = new WeakMap<OpLog, { upTo: number; stats: ClaimStats }>();

/** The counts of the claims of a log, which are counted again when it has grown. */
function claimStats(log: OpLog, upTo: number): ClaimStats {
  const known = counted.get(log);
  if (known?.upTo === upTo) return known.stats;
  const stats = log.claims.stats();
  counted.set(log, { upTo, stats });
  return stats;
}

function captionOf({ order = "key", reverse = false }: ClaimFilter): string {
  const first = { key: "by key", newest: "newest first", confidence: "surest first" }[order];
  return `Claims, ${first}${reverse ? ", reversed" : ""}`;
}

/** What there is in all, and what is filtered by a link from elsewhere. */
function about({ claims: count, keys, statuses }: ClaimStats, { key, input }: ClaimFilter): Html {
  const links = STATUS_NAMES.filter((status) => statuses[status] > 0).map((status) =>
    html`
      <li><a href="${withQuery("/claims", { status })}">${number(statuses[status])} ${status}</a></li>
    `
  );
  return html`<p>${numbered(count, "claim")} of ${numbered(keys, "key")} in all:</p>
<ul class="actions">${links}</ul>
${
    key === undefined
      ? NOTHING
      : html`<p>Only claims of the key <strong>${data(key)}</strong>. <a href="/claims">All claims</a></p>`
  }
${
    input === undefined
      ? NOTHING
      : html`<p>Only claims derived from ${operationLink(input)}. <a href="/claims">All claims</a></p>`
  }`;
}

function filterForm(given: Fields): Html {
  const kept = ["key", "input"].flatMap((name) => given[name] === undefined ? [] : [[name, given[name]] as const]);
  return html`<form class="filter" action="/claims" method="get" role="search" aria-label="Filter claims">
${kept.map(([name, text]) => html`<input type="hidden" name="${name}" value="${text}">`)}
${field("Key contains", "key-contains", given["key-contains"] ?? "")}
${field("Value contains", "value-contains", given["value-contains"] ?? "")}
${choice("Status", "status", given.status ?? "", STATUS_NAMES, "any")}
${field("Author", "author", given.author ?? "", { hint: "may be abbreviated" })}
${field("Deriver", "deriver", given.deriver ?? "")}
${choice("Order", "order", given.order ?? "key", ORDERS)}
${choice("Per page", "n", given.n ?? String(PAGE), ["100", "1000"])}
<p class="submit"><button>Filter</button></p>
</form>`;
}
