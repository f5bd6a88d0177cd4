/**
 * The audit: started, watched and read here.
 *
 * @module
 */

import type { Context } from "hono";
import type { Finding } from "../audit/audit.ts";
import { reportJson } from "../render/report.ts";
import type { Audits, AuditState } from "./audits.ts";
import { data, type Html, html, live, NOTHING, number, numbered, operationLink, table, time } from "./markup.ts";
import { checkForm } from "./forms.ts";
import { readForm } from "./parameters.ts";
import type { Page, Site } from "./site.ts";

/** How many findings are shown; the JSON has all of the report. */
const MAX_SHOWN = 500;
/** Seconds between two loads, in a browser without scripts, while an audit runs. */
const REFRESH = 2;

/** The state of the audit, and its report. */
export function auditPage({ audits, guard }: Site, _context: Context): Promise<Page> {
  const { state } = audits;
  return Promise.resolve({
    title: "Audit",
    section: "/audit",
    isLive: true,
    refresh: state.is === "running" ? REFRESH : undefined,
    body:
      html`<p>An audit reads the whole log, verifies every signature, derives everything again, and reports every sign
of tampering. It writes nothing. Only a checkpoint that somebody else holds detects a history that was replaced as a
whole: <code>mnema audit --checkpoint FILE</code></p>
${live("audit", html`${report(state)}${startForm(audits, guard.formToken)}`)}`,
    json: () => stateJson(state),
  });
}

/** Starts an audit, and shows its progress. */
export async function startAudit({ audits, guard }: Site, context: Context): Promise<Response> {
  checkForm(guard, await readForm(context.req.raw));
  audits.start();
  return context.redirect("/audit", 303);
}

/** The state of the audit in a sentence. */
export function auditSentence(state: AuditState): Html {
  switch (state.is) {
    case "none":
      return html`none since mnema serve was started.`;
    case "running":
      return html`running since ${time(state.since)}.`;
    case "done": {
      const { clean, found, unchecked } = state.report;
      const result = clean
        ? "nothing was found"
        : found > 0
        ? `${numbered(found, "finding")}`
        : `nothing was found, but ${numbered(unchecked.length, "part")} could not be checked`;
      return html`<span class="mark ${clean ? "good" : "bad"}">${result}</span>, ${time(state.at)}.`;
    }
    case "failed":
      return html`<span class="mark bad">it failed</span>: ${data(state.message)}.`;
  }
}

function report(state: AuditState): Html {
  switch (state.is) {
    case "none":
      return html`<p role="status">No audit was run since mnema serve was started.</p>`;
    case "running": {
      const { checked, total } = state.progress;
      const most = Math.max(total, 1);
      return html`<p role="status">The audit is running: ${number(checked)} of ${number(total)} rows were checked.</p>
<p><progress aria-label="Rows that were checked" value="${Math.min(checked, most)}" max="${most}"></progress></p>
${findings(state.findings)}`;
    }
    case "failed":
      return html`<p role="status">${auditSentence(state)}</p>`;
    case "done": {
      const { operations, found, unchecked } = state.report;
      return html`<p role="status">Last audit: ${auditSentence(state)} Checked: ${
        numbered(operations, "operation")
      }, in ${state.seconds.toFixed(1)} seconds.</p>
${findings(state.report.findings)}
${found > MAX_SHOWN ? html`<p>Only the first ${number(MAX_SHOWN)} findings are shown.</p>` : NOTHING}
${
        unchecked.length > 0
          ? html`
            <h2>Not checked</h2>
            <ul>${unchecked.map((what) => html`<li>${data(what)}</li>`)}</ul>
          `
          : NOTHING
      }`;
    }
  }
}

function findings(found: readonly Finding[]): Html {
  if (found.length === 0) return NOTHING;
  const rows = found.slice(0, MAX_SHOWN).map(({ kind, seq, opId, message }) => [
    kind,
    seq === undefined ? "" : number(seq),
    opId === undefined ? "" : operationLink(opId),
    data(message),
  ]);
  return table("Findings", ["Kind", "Seq", "Operation", "Finding"], rows);
}

function startForm(audits: Audits, formToken: string): Html {
  if (audits.state.is === "running") return NOTHING;
  if (!audits.isPossible) return html`<p>It cannot be run here: run <code>mnema audit</code>.</p>`;
  return html`<form action="/audit" method="post"><input type="hidden" name="form-token" value="${formToken}">
<p class="submit"><button>Run the audit</button></p></form>`;
}

/** The state, and what the command line reports. */
function stateJson(state: AuditState): string {
  switch (state.is) {
    case "done":
      return `{"state":"done","at":${state.at},"seconds":${state.seconds},"report":${reportJson(state.report)}}`;
    default: {
      const { is, ...rest } = state;
      return reportJson({ state: is, ...rest });
    }
  }
}
