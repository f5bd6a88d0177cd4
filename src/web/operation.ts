/**
 * One operation: its fields, its text, its place among the others, and whether it is what it claims to be.
 *
 * @module
 */

import type { Context } from "hono";
import { LogError } from "../errors.ts";
import { children } from "../derived/children.ts";
import { tree } from "../derived/tree.ts";
import { listed } from "../render/listed.ts";
import { pretty } from "../render/pretty.ts";
import { abbreviate } from "../render/phrases.ts";
import { decodeBody, type KnownBody } from "../wire/bodies.ts";
import type { Operation } from "../wire/operation.ts";
import {
  authorLink,
  catchingUp,
  claimPath,
  data,
  facts,
  type Html,
  html,
  live,
  NOTHING,
  number,
  numbered,
  operationLink,
  operationPath,
  time,
  withQuery,
} from "./markup.ts";
import { type Page, PATIENCE_MS, type Site } from "./site.ts";

/** How many of the operations that it follows, and of those that follow it, are shown. */
const MAX_LINKS = 100;
/** How much of a text is shown, in UTF-16 code units. */
const MAX_TEXT = 64 << 10;

/** The page of an operation, whose id may be abbreviated. */
export async function operationPage({ log, catchUp }: Site, context: Context): Promise<Page> {
  const op = log.get(log.resolve(context.req.param("id") ?? ""));
  const seq = log.seqOf(op.opId)!;
  const behind = await catchUp.within(PATIENCE_MS, children);
  const followers = log.children(op.opId);
  const fault = faultOf(op);
  const path = operationPath(op.opId);
  return {
    title: `Operation ${abbreviate(op.opId)}`,
    section: "/log",
    behind,
    isLive: true,
    body: html`${
      facts([
        ["Id", html`<code>${data(op.opId)}</code>`],
        ["Place in this log", `seq ${number(seq)}`],
        ["Type", html`<a href="${withQuery("/log", { type: op.type })}">${data(op.type)}</a>`],
        ["Author", html`${authorLink(op.author)} <code>${data(op.author)}</code>`],
        ["Time", html`${time(op.ts)}, by the author's clock (${String(op.ts)} ms)`],
        ["Follows", links(op.prev, "nothing")],
        ["Signature", html`<code>${data(op.sig)}</code>`],
        [
          "Verified now",
          fault === undefined
            ? html`<span class="mark good">shape, content address and signature are right</span>`
            : html`<span class="mark bad">no: ${data(fault)}</span>`,
        ],
      ])
    }
${
      live(
        "followers",
        html`${catchingUp(behind, catchUp.failure)}${facts([["Followed by", links(followers, "nothing")]])}`,
      )
    }
${about(op)}
<h2>Body</h2>
${text(pretty(op.body))}
<h2>Wire text</h2>
${text(op.wire)}
<p><a href="${path}/wire" download="${op.opId}.json">Download the wire text</a></p>
<h2>Inclusion proof</h2>
${proofLink(log, op, catchUp.behind(tree), path)}`,
    json: () => listed(seq, op, { verified: fault === undefined, ...behind === 0 ? { children: followers } : {} }),
  };
}

/** The wire text of an operation. */
export function downloadWire({ log }: Site, context: Context): Promise<Response> {
  const op = log.get(log.resolve(context.req.param("id") ?? ""));
  return Promise.resolve(download(op.wire, `${op.opId}.json`, "application/json"));
}

/** The inclusion proof of an operation, by the largest stored checkpoint. */
export async function downloadProof({ log, catchUp }: Site, context: Context): Promise<Response> {
  const opId = log.resolve(context.req.param("id") ?? "");
  if (await catchUp.within(PATIENCE_MS, tree) > 0) {
    throw new LogError("locked", "the Merkle tree is not caught up yet; load this again in a moment");
  }
  return download(log.proofs.prove(opId), `${opId}.proof`, "text/plain; charset=utf-8");
}

function download(body: string, name: string, type: string): Response {
  const headers = { "content-type": type, "content-disposition": `attachment; filename="${name}"` };
  return new Response(body, { headers });
}

/** What is wrong with an operation; undefined when nothing is. */
function faultOf(op: Operation): string | undefined {
  try {
    op.verify();
    return undefined;
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return error.message;
  }
}

function links(ids: readonly string[], none: string): Html {
  if (ids.length === 0) return html`${none}`;
  const shown = ids.slice(0, MAX_LINKS);
  const more = ids.length - shown.length;
  return html`${shown.map((opId, i) => html`${i > 0 ? ", " : ""}${operationLink(opId)}`)}${
    more > 0 ? ` and ${numbered(more, "more operation")}` : ""
  }`;
}

function text(of: string): Html {
  const shown = of.length <= MAX_TEXT ? of : `${of.slice(0, MAX_TEXT).toWellFormed()}…`;
  return html`<pre>${data(shown)}</pre>
${of.length > MAX_TEXT ? html`<p>Only the first ${number(MAX_TEXT)} characters are shown.</p>` : NOTHING}`;
}

/** Where its claims are. */
function about(op: Operation): Html {
  const known: KnownBody | undefined = decodeBody(op.type, op.body);
  switch (known?.type) {
    case "claim.assert":
    case "claim.correct":
      return html`<p><a href="${claimPath(op.opId)}">Why this claim is believed, or not</a></p>`;
    case "claim.refute":
      return html`<p><a href="${withQuery("/claims", { key: known.body.key })}">The claims of its key</a></p>`;
    case "claim.invalidate":
      return html`<p><a href="${claimPath(known.body.claim)}">The claim that it invalidates</a></p>`;
    case "explanation.record":
      return html`<p><a href="${claimPath(known.body.claim)}">The claim that it explains</a></p>`;
    case "evidence.add":
      return html`<p><a href="${withQuery("/claims", { input: op.opId })}">The claims derived from it</a></p>`;
    default:
      return NOTHING;
  }
}

function proofLink(log: Site["log"], op: Operation, behind: number, path: string): Html {
  if (behind > 0) return catchingUp(behind, undefined);
  try {
    log.proofs.prove(op.opId);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return html`<p>None: ${data(error.message)}.</p>`;
  }
  return html`<p><a href="${path}/proof" download="${op.opId}.proof">Download the inclusion proof</a>: with the wire text
and the verifier key, <code>mnema verify</code> checks it without the log.</p>`;
}
