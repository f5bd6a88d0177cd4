/**
 * A worker that audits a log, so that pages answer meanwhile: an audit derives everything again, in one go.
 *
 * @module
 */

import { audit, type AuditReport, type Finding } from "../audit/audit.ts";
import type { AuditProgress } from "../audit/rows.ts";
import { announceStart, workerScope } from "../ingest/worker_scope.ts";
import { neverPrompt } from "../sqlite/permissions.ts";

/** Asks the worker to audit a file, or to end an audit. */
export type AuditWorkerRequest = { path: string } | "end";

/** A message of the worker. */
export type AuditWorkerMessage =
  | { kind: "started" }
  | { kind: "progress"; progress: AuditProgress }
  | { kind: "finding"; finding: Finding }
  | { kind: "done"; report: AuditReport }
  | { kind: "failed"; message: string };

const scope = workerScope<AuditWorkerRequest, AuditWorkerMessage>();
let ends = new AbortController();

scope.onmessage = async ({ data: request }) => {
  stopAnnouncing();
  if (request === "end") return ends.abort();
  ends = new AbortController();
  try {
    const report = await audit(request.path, {
      onProgress: (progress) => scope.postMessage({ kind: "progress", progress: { ...progress } }),
      onFinding: (finding) => scope.postMessage({ kind: "finding", finding }),
      signal: ends.signal,
    });
    scope.postMessage({ kind: "done", report });
  } catch (error) {
    scope.postMessage({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
  }
};

neverPrompt(); // the permissions were granted before the worker was started
const stopAnnouncing = announceStart(() => scope.postMessage({ kind: "started" }));
