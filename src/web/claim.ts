/**
 * One claim: why it is believed or not, as a picture and as sentences.
 *
 * @module
 */

import type { Context } from "hono";
import { LogError } from "../errors.ts";
import type { OpLog } from "../oplog.ts";
import { type Claim, type Explanation, STATUSES } from "../claims/claim.ts";
import { claims } from "../claims/tables.ts";
import { formatJson } from "../render/json.ts";
import { nodesById, origin, percent, type ShownNode, title, verdict } from "../render/phrases.ts";
import { encodeCanonical } from "../wire/canonical.ts";
import {
  authorLink,
  catchingUp,
  claimLink,
  claimPath,
  data,
  facts,
  type Html,
  html,
  live,
  NOTHING,
  numbered,
  operationLink,
  statusBadge,
  time,
  value,
  withQuery,
} from "./markup.ts";
import { Parameters } from "./parameters.ts";
import { pictureOf } from "./picture.ts";
import { type Page, PATIENCE_MS, type Site } from "./site.ts";

/** How long a page of a new claim waits until it is caught up, in milliseconds. */
const PATIENCE_FOR_NEW_MS = 2000;
/** How many operations an explanation has at first, and at most. */
const NODES = 100;
const MAX_NODES = 2000;
const COLUMNS = 100;
/** Seconds after which a browser without scripts loads the page again, to show the picture. */
const REFRESH = 1;
/** Limit of a value in the address of a form, in characters. */
const MAX_VALUE_IN_LINK = 3000;
/** How many inputs a sentence names. */
const MAX_INPUTS = 12;

/** The page of a claim, whose id may be abbreviated. */
export async function claimPage(site: Site, context: Context): Promise<Page> {
  const { log, catchUp, frame, pictures } = site;
  const limit = Parameters.ofQuery(context.req.raw).integer("limit", 1, MAX_NODES) ?? NODES;
  const opId = log.resolve(context.req.param("id") ?? "");
  let behind = await catchUp.within(PATIENCE_MS, claims);
  if (behind > 0 && !isKnown(log, opId)) {
    behind = await catchUp.within(PATIENCE_FOR_NEW_MS, claims);
    if (behind > 0 && !isKnown(log, opId)) {
      throw new LogError("locked", `${numbered(behind, "operation")} are not caught up yet, this one among them`);
    }
  }
  const explanation = log.claims.explain(opId, { limit });
  const { claim } = explanation;
  const picture = pictures.of(explanation);
  return {
    title: `Claim: ${title({ is: "claim", opId, claim }, COLUMNS)}`,
    section: "/claims",
    behind,
    isLive: true,
    refresh: picture.is === "drawing" ? REFRESH : undefined,
    body: html`${live("claim", html`${catchingUp(behind, catchUp.failure)}${aboutClaim(claim)}${fallOf(explanation)}`)}
${frame.canEdit ? actions(claim) : NOTHING}
<h2>Why, as a picture</h2>
${live("picture", pictureOf(picture))}
${more(explanation, limit)}
<h2>Why, in sentences</h2>
${live("sentences", sentences(explanation))}`,
    json: () => formatJson(explanation),
  };
}

/** Whether an operation is among the claims that are caught up. */
function isKnown(log: OpLog, opId: string): boolean {
  try {
    log.claims.get(opId);
    return true;
  } catch (error) {
    if (error instanceof LogError && error.code === "not-a-claim") return false;
    throw error;
  }
}

function aboutClaim(claim: Claim): Html {
  const { key, confidencePpm, status, author, ts, opId } = claim;
  return facts([
    ["Key", html`<a href="${withQuery("/claims", { key })}">${data(key)}</a>`],
    ["Value", html`<code>${value(claim.value, 2000)}</code>`],
    ["Confidence", percent(confidencePpm)],
    ["Status", html`${statusBadge(status)} ${STATUSES[status]}`],
    ["Origin", data(origin(claim))],
    ["Since", html`${time(ts)}, by the author's clock`],
    ["Signed by", html`${authorLink(author)} <code>${data(author)}</code>`],
    ["Operation", operationLink(opId)],
  ]);
}

/** Why it fell, or what supersedes it. */
function fallOf(explanation: Explanation): Html {
  const { fall, supersededBy } = explanation;
  if (supersededBy !== undefined) {
    return html`<p>A later claim, ${claimLink(supersededBy.opId)}, says: ${
      title({ is: "claim", opId: supersededBy.opId, claim: supersededBy }, COLUMNS)
    }.</p>`;
  }
  if (fall === undefined) return NOTHING;
  const nodeOf = nodesById(explanation);
  const [, ...claimsOnPath] = fall.path;
  const half = Math.ceil(fall.path.length / 2) - 1;
  const gap = fall.pathLeftOut === undefined ? NOTHING : html`<li>${numbered(fall.pathLeftOut, "more claim")}</li>`;
  return html`
    <section class="path" aria-labelledby="fall">
      <h2 id="fall">How it fell</h2>
      <ol><li>${operationLink(fall.opId)} says: <strong>${verdict(fall, COLUMNS)}</strong>; signed by ${authorLink(
        fall.author,
      )}, ${time(fall.ts)}.${fall.reason === undefined ? NOTHING : html`
        Reason: ${data(fall.reason)}
      `}</li>
    ${claimsOnPath.map((opId, i) =>
      html`<li>${claimLink(opId)}: ${title(nodeOf(opId), COLUMNS)} ${
        i === 0 ? "fell with it" : "was derived from that"
      }.</li>
${
        i + 1 === half
          ? gap
          : NOTHING
      }`
    )}</ol>
    </section>
  `;
}

/** What is left out opens on demand. */
function more({ claim, leftOut }: Explanation, limit: number): Html {
  if (leftOut === undefined) return NOTHING;
  const next = Math.min(4 * limit, MAX_NODES);
  const all = html`<code>mnema explain ${claim.opId}</code> shows all.`;
  return html`<p>${numbered(leftOut, "input")} not shown, with all below. ${
    next > limit
      ? html`<a href="${withQuery(claimPath(claim.opId), { limit: next })}">Show up to ${String(next)} operations</a>`
      : html`Open a claim to go on from there; ${all}`
  }</p>`;
}

/** A sentence for each operation of the explanation. */
function sentences(explanation: Explanation): Html {
  const nodeOf = nodesById(explanation);
  return html`<ol class="sentences">${explanation.nodes.map(({ opId }) => sentenceOf(nodeOf(opId)))}</ol>`;
}

function sentenceOf(node: ShownNode): Html {
  switch (node.is) {
    case "claim": {
      const { claim } = node;
      const cause = claim.cause === undefined ? NOTHING : html`
        by ${operationLink(claim.cause)}
      `;
      const via = claim.via === undefined ? NOTHING : html`
        through ${claimLink(claim.via)}
      `;
      return html`<li>${claimLink(node.opId)} <strong>${title(node, COLUMNS)}</strong>, ${
        percent(claim.confidencePpm)
      } sure, ${statusBadge(claim.status)}${cause}${via}
<span class="detail">${data(origin(claim))}${inputsOf(claim)}; ${signed(claim)}</span></li>`;
    }
    case "evidence": {
      const { content } = node.evidence;
      return html`<li>${operationLink(node.opId)} Evidence: <strong>${title(node, COLUMNS)}</strong>
<span class="detail"><code>${value(content, 200)}</code> ${signed(node.evidence)}</span></li>`;
    }
    case "other":
      return html`<li>${operationLink(node.opId)} ${title(node, COLUMNS)} <span class="detail">${
        signed(node)
      }</span></li>`;
    case "missing":
    case "left-out":
      return html`<li><code>${data(node.opId)}</code> ${title(node, COLUMNS)}.</li>`;
  }
}

function inputsOf({ inputs }: Claim): Html {
  if (inputs.length === 0) return NOTHING;
  const shown = inputs.slice(0, MAX_INPUTS).map((opId, i) => html`${i > 0 ? ", " : ""}${operationLink(opId)}`);
  const rest = inputs.length > MAX_INPUTS ? ` and ${inputs.length - MAX_INPUTS} more` : "";
  return html`, from ${shown}${rest}`;
}

function signed({ author, ts }: { author: string; ts: number }): Html {
  return html`signed by ${authorLink(author)}, ${time(ts)}.`;
}

function actions({ key, value: of, opId }: Claim): Html {
  const text = encodeCanonical(of);
  const refuteValue = text.length > MAX_VALUE_IN_LINK
    ? html`<li>This value is too long for a link: <code>mnema refute</code> refutes it</li>`
    : html`<li><a href="${withQuery("/refute", { key, value: text, claim: opId })}">Refute this value</a></li>`;
  return html`
    <ul class="actions">
      ${refuteValue}
      <li><a href="${withQuery("/refute", { key, claim: opId })}">Refute all values of the key</a></li>
      <li><a href="${withQuery("/correct", { key, claim: opId })}">Correct the value</a></li>
    </ul>
  `;
}
