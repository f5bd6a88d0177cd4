/**
 * A worker that audits a file which may be hostile: it can be abandoned when native code does not return.
 *
 * @module
 */

import { FileError, LogError, type LogErrorCode } from "../errors.ts";
import { announceStart, workerScope } from "../ingest/worker_scope.ts";
import { neverPrompt } from "../sqlite/permissions.ts";
import { type Finding, Findings } from "./findings.ts";
import type { AuditProgress } from "./rows.ts";
import { type AuditRequest, runAudit } from "./run.ts";

/** A message of the worker. */
export type WorkerMessage =
  | { kind: "started" }
  | { kind: "finding"; finding: Finding }
  | { kind: "unchecked"; what: string }
  | { kind: "progress"; progress: AuditProgress }
  | { kind: "done"; operations: number }
  | { kind: "failed"; failure: Failure };

/** An error that was thrown in the worker. */
export interface Failure {
  /** The name of its class. */
  name: string;
  /** Its message. */
  message: string;
  /** The code of a {@linkcode LogError}. */
  code?: LogErrorCode;
  /** The path of a {@linkcode FileError}. */
  path?: string;
}

const scope = workerScope<AuditRequest, WorkerMessage>();

scope.onmessage = async ({ data: request }) => {
  stopAnnouncing();
  const findings = new Findings(
    (finding) => scope.postMessage({ kind: "finding", finding }),
    (what) => scope.postMessage({ kind: "unchecked", what }),
  );
  const onProgress = (progress: AuditProgress) => scope.postMessage({ kind: "progress", progress });
  try {
    scope.postMessage({ kind: "done", operations: await runAudit(request, findings, { onProgress }) });
  } catch (error) {
    scope.postMessage({ kind: "failed", failure: failureOf(error) });
  }
};

function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { name, message } = error;
  if (error instanceof FileError) return { name, message, code: error.code, path: error.path };
  return error instanceof LogError ? { name, message, code: error.code } : { name, message };
}

neverPrompt(); // the permissions were granted before the worker was started
const stopAnnouncing = announceStart(() => scope.postMessage({ kind: "started" }));
