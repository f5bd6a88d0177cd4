/**
 * Asserts, refutes and corrects, signed by the owner's key. What a refute or a correction will fell is shown before.
 *
 * @module
 */

import type { Context } from "hono";
import { LogError } from "../errors.ts";
import type { CascadePreview, Ruling } from "../claims/claim.ts";
import { claims } from "../claims/tables.ts";
import type { Signer } from "../keys/signer.ts";
import { parseConfidence, parseValue } from "../render/parse.ts";
import { appendedJson, cascadeJson } from "../render/report.ts";
import { encodeCanonical } from "../wire/canonical.ts";
import { isOpId } from "../wire/ids.ts";
import { wantsJson } from "./answer.ts";
import { claimsTable } from "./claims.ts";
import { checkForm } from "./forms.ts";
import { catchingUp, claimPath, data, field, type Html, html, NOTHING, numbered, withQuery } from "./markup.ts";
import { invalid, Parameters, readForm } from "./parameters.ts";
import { type Page, PATIENCE_MS, type Site } from "./site.ts";

/** How long an append waits until claims are caught up, in milliseconds. */
const PATIENCE_TO_APPEND_MS = 2000;
/** How many of the claims that will fall are shown. */
const MAX_FALLING = 100;
const VALUE_HINT = 'JSON; what is not JSON is text, so tea is "tea"';

/** The form to assert a claim. */
export function assertPage(site: Site, context: Context): Promise<Page> {
  signerOf(site);
  return Promise.resolve(assertForm(site, Parameters.ofQuery(context.req.raw)));
}

function assertForm({ guard }: Site, given: Parameters, problem?: LogError): Page {
  return {
    title: "Assert a claim",
    section: "/assert",
    status: problem === undefined ? 200 : 400,
    body: html`${problemOf(problem)}<form class="edit" action="/assert" method="post">
<input type="hidden" name="form-token" value="${guard.formToken}">
${field("Key", "key", given.exact("key"), { required: true })}
${field("Value", "value", given.exact("value"), { required: true, hint: VALUE_HINT })}
${field("Confidence", "confidence", given.exact("confidence") || "1", { hint: "from 0 to 1, such as 0.82" })}
${field("Inputs", "inputs", given.exact("inputs"), { hint: "ids of evidence and claims that it is derived from" })}
<p class="submit"><button>Sign and append</button></p></form>`,
    json: () => problemJson(problem),
  };
}

/** Asserts a claim. */
export async function appendAssert(site: Site, context: Context): Promise<Page | Response> {
  const { guard, log, written } = site;
  const form = await readForm(context.req.raw);
  checkForm(guard, form);
  const signer = signerOf(site);
  try {
    const key = requireField(form, "key");
    const value = parseValue(requireField(form, "value"));
    const confidence = form.text("confidence") ?? "1";
    const confidencePpm = parseConfidence(confidence);
    if (confidencePpm === undefined) {
      throw invalid("confidence", "a decimal from 0 to 1 with at most six decimals", confidence);
    }
    const inputs = form.ids("inputs", log);
    const { opId } = written.claims.assert(signer, { key, value, confidencePpm, inputs });
    if (!wantsJson(context.req.raw)) return context.redirect(claimPath(opId), 303);
    return jsonAnswer(appendedJson(written.seqOf(opId), opId));
  } catch (error) {
    return assertForm(site, form, requireRefusal(error));
  }
}

/** The form to refute or correct, and what will fall. */
export async function rulingPage(site: Site, context: Context): Promise<Page> {
  signerOf(site);
  const type = typeOf(context);
  const given = Parameters.ofQuery(context.req.raw);
  const behind = await site.catchUp.within(PATIENCE_MS, claims);
  try {
    return rulingForm(site, type, given, { behind });
  } catch (error) {
    return rulingForm(site, type, given, { problem: requireRefusal(error) });
  }
}

/** Refutes or corrects, if what will fall is still what was shown. */
export async function appendRuling(site: Site, context: Context): Promise<Page | Response> {
  const { guard, log, written, catchUp } = site;
  const form = await readForm(context.req.raw);
  checkForm(guard, form);
  const signer = signerOf(site);
  const type = typeOf(context);
  const behind = await catchUp.within(PATIENCE_TO_APPEND_MS, claims);
  if (behind > 0) {
    throw new LogError(
      "locked",
      `${numbered(behind, "operation")} are not caught up yet, so that what will fall is not known`,
    );
  }
  try {
    const ruling = rulingOf(type, form);
    if (ruling === undefined) throw new LogError("invalid-argument", "a key is missing, or the correct value");
    const { count } = log.claims.preview(ruling, { limit: 0 });
    if (form.integer("falls", 0) !== count) {
      return { ...rulingForm(site, type, form, { hasChanged: true }), status: 409 };
    }
    const options = { reason: form.whole("reason") };
    const cascade = ruling.type === "correct"
      ? written.claims.correct(signer, ruling.key, ruling.value, options)
      : written.claims.refute(signer, ruling.key, { ...options, value: ruling.value });
    if (wantsJson(context.req.raw)) return jsonAnswer(cascadeJson(cascade));
    if (!cascade.effective) {
      throw new LogError(
        "derived-damaged",
        "it was appended without effect: a ruling that is stored as later overrides it",
      );
    }
    const claim = form.exact("claim");
    return context.redirect(isOpId(claim) ? claimPath(claim) : withQuery("/claims", { key: ruling.key }), 303);
  } catch (error) {
    return rulingForm(site, type, form, { problem: requireRefusal(error) });
  }
}

type RulingType = Ruling["type"];

/** What a form shows besides its fields. */
interface Shown {
  readonly behind?: number;
  readonly problem?: LogError;
  readonly hasChanged?: boolean;
}

function typeOf(context: Context): RulingType {
  return context.req.path === "/correct" ? "correct" : "refute";
}

/** What is to be refuted or corrected; undefined while a field is missing. */
function rulingOf(type: RulingType, given: Parameters): Ruling | undefined {
  const [key, text] = [given.whole("key"), given.whole("value")];
  if (key === undefined) return undefined;
  const value = text === undefined ? undefined : parseValue(text);
  if (type === "refute") return value === undefined ? { type, key } : { type, key, value };
  return value === undefined ? undefined : { type, key, value };
}

function rulingForm({ log, guard, catchUp }: Site, type: RulingType, given: Parameters, shown: Shown): Page {
  const { behind = 0, problem, hasChanged = false } = shown;
  const ruling = problem === undefined ? rulingOf(type, given) : undefined;
  const preview = ruling && log.claims.preview(ruling, { limit: MAX_FALLING });
  const fields = {
    key: given.exact("key"),
    value: given.exact("value"),
    reason: given.exact("reason"),
    claim: given.exact("claim"),
  };
  const valueHint = type === "refute" ? `${VALUE_HINT}; empty: all values so far` : VALUE_HINT;
  return {
    title: type === "refute" ? "Refute" : "Correct",
    status: problem === undefined ? 200 : 400,
    body: html`${problemOf(problem)}${catchingUp(behind, catchUp.failure)}
${
      hasChanged
        ? html`<p class="notice" role="alert">What will fall has changed meanwhile. Nothing was appended.</p>`
        : NOTHING
    }
<form class="edit" action="/${type}" method="get">
<input type="hidden" name="claim" value="${fields.claim}">
${field("Key", "key", fields.key, { required: true })}
${
      field(type === "refute" ? "Value" : "Correct value", "value", fields.value, {
        hint: valueHint,
        required: type === "correct",
      })
    }
${field("Reason", "reason", fields.reason, { hint: "optional; signed with it" })}
<p class="submit"><button>Show what will fall</button></p></form>
${ruling === undefined || preview === undefined ? NOTHING : confirmation(ruling, preview, fields, guard.formToken)}`,
    json: () => problem === undefined ? previewJson(preview) : problemJson(problem),
  };
}

/** What will fall, and the button that does it. */
function confirmation(
  ruling: Ruling,
  { count, claims: list }: CascadePreview,
  fields: Record<string, string>,
  formToken: string,
): Html {
  const what = ruling.value === undefined
    ? html`Nothing that is claimed of <strong>${data(ruling.key)}</strong> so far is so.`
    : html`<strong>${data(ruling.key)}</strong> is ${ruling.type === "refute" ? "not " : ""}<code>${
      data(encodeCanonical(ruling.value))
    }</code>.`;
  return html`<section aria-labelledby="falls"><h2 id="falls">What you will sign</h2>
<p>${what}</p>
<p>${count === 0 ? "No claim will fall." : `${numbered(count, "claim")} will fall:`}</p>
${list.length > 0 ? claimsTable("Claims that will fall", list) : NOTHING}
${count > list.length ? html`<p>and ${numbered(count - list.length, "more claim")}</p>` : NOTHING}
<form class="edit" action="/${ruling.type}" method="post">
<input type="hidden" name="form-token" value="${formToken}">
${
    Object.entries({ ...fields, falls: String(count) }).map(([name, text]) =>
      html`<input type="hidden" name="${name}" value="${text}">`
    )
  }
<p class="submit"><button class="danger">${
    ruling.type === "refute" ? "Refute" : "Correct"
  }: sign and append</button></p>
</form></section>`;
}

function signerOf({ signer }: Site): Signer {
  if (signer !== undefined) return signer;
  throw new LogError(
    "not-allowed",
    "these pages only show the log; to change what is claimed, start mnema serve with --edit",
  );
}

function requireField(form: Parameters, name: string): string {
  const text = form.whole(name);
  if (text === undefined) throw new LogError("invalid-argument", `${name} is missing`);
  return text;
}

/** A refusal of what the form says; other errors have a page of their own. */
function requireRefusal(error: unknown): LogError {
  const isRefusal = error instanceof LogError && /^(?:invalid-|bad-|not-found|ambiguous-|too-large)/.test(error.code);
  if (!isRefusal) throw error;
  return error;
}

function problemOf(problem: LogError | undefined): Html {
  return problem === undefined
    ? NOTHING
    : html`<p class="notice" role="alert">Nothing was appended: ${data(problem.message)}.</p>`;
}

function problemJson(problem: LogError | undefined): string {
  return JSON.stringify(problem === undefined ? {} : { error: { code: problem.code, message: problem.message } });
}

function previewJson(preview: CascadePreview | undefined): string {
  if (preview === undefined) return "{}";
  return JSON.stringify({ count: preview.count, claims: preview.claims.map(({ opId }) => opId) });
}

function jsonAnswer(text: string): Response {
  return new Response(text + "\n", { headers: { "content-type": "application/json" } });
}
