/**
 * Turns a page, or an error, into an answer: HTML, or JSON where that is asked for.
 *
 * @module
 */

import { LogError, type LogErrorCode } from "../errors.ts";
import { data, html, layout, type Shown } from "./markup.ts";
import type { Page } from "./site.ts";

type Status = NonNullable<Page["status"]>;

/** The HTTP status of each code; 400 for a code that is not listed. */
const STATUSES: Partial<Record<LogErrorCode, Status>> = {
  "closed": 503,
  "corrupt": 500,
  "derived-damaged": 500,
  "disk-full": 503,
  "inconsistent": 500,
  "io": 500,
  "locked": 503,
  "not-a-claim": 404,
  "not-allowed": 403,
  "not-found": 404,
  "read-only": 409,
  "too-large": 413,
  "worker-failed": 503,
};

const TITLES: Readonly<Record<Status, string>> = {
  200: "Done",
  400: "The request is not valid",
  403: "Not allowed",
  404: "Not found",
  405: "Not possible here",
  409: "The log cannot be changed",
  413: "Too large",
  426: "No WebSocket here",
  500: "The log cannot be read",
  503: "Not now",
};

/** What to do, by code. */
const ADVICE: Partial<Record<LogErrorCode, string>> = {
  "corrupt": "To see what is damaged, run the audit.",
  "derived-damaged": "To repair it, run: mnema rebuild",
  "inconsistent": "To see what was changed, run the audit.",
  "locked": "Load this page again in a moment.",
  "read-only": "Start mnema serve with --edit, and with a file that can be written.",
};

/** Whether a request asks for JSON. */
export function wantsJson(request: Request): boolean {
  if (new URL(request.url).pathname.endsWith(".json")) return true;
  const accept = request.headers.get("accept") ?? "";
  return accept.includes("application/json") && !accept.includes("text/html");
}

/** The answer with a page. */
export async function answer(page: Page, request: Request, frame: Shown): Promise<Response> {
  const isJson = wantsJson(request);
  const body = isJson ? page.json() + "\n" : String(await layout(page, frame));
  const type = isJson ? "application/json" : "text/html; charset=utf-8";
  const headers = new Headers({ "content-type": type, "vary": "accept" });
  if (page.behind) headers.set("mnema-behind", String(page.behind));
  return new Response(body, { status: page.status ?? 200, headers });
}

/** The page about an error; undefined for one that is a fault of the program. */
export function errorPage(error: unknown): Page | undefined {
  if (!(error instanceof LogError)) return undefined;
  return refusal(STATUSES[error.code] ?? 400, error.code, error.message, ADVICE[error.code]);
}

/** A page that says why there is no other, and what to do. */
export function refusal(status: Status, code: string, message: string, advice?: string): Page {
  const sentence = /[.!?]$/.test(message) ? message : `${message}.`;
  const body = html`<p class="problem">${data(sentence[0].toUpperCase() + sentence.slice(1))}</p>
${advice === undefined ? "" : html`<p>${advice}</p>`}
${status === 403 || status === 426 ? "" : html`<p><a href="/">To the overview</a></p>`}`;
  return { title: TITLES[status], status, body, json: () => JSON.stringify({ error: { code, message } }) };
}
