/**
 * A worker that catches up what is derived from a log, in its file, with a connection of its own.
 *
 * @module
 */

import { LogError, type LogErrorCode } from "../errors.ts";
import { announceStart, workerScope } from "../ingest/worker_scope.ts";
import { internalsOf, OpLog } from "../oplog.ts";
import { neverPrompt } from "../sqlite/permissions.ts";
import { advance, behindOf } from "./behind.ts";

/** Asks the worker to catch everything up in a file, or to close it. */
export type CatchUpRequest = { path: string } | "close";

/** A message of the worker: it has caught up a part, or everything, or cannot; or it has closed the file. */
export type CatchUpMessage =
  | { kind: "started" }
  | { kind: "part" }
  | { kind: "done" }
  | { kind: "closed" }
  | { kind: "failed"; message: string; code?: LogErrorCode };

/** Operations of a part: so many that a transaction pays, and so few that who else writes waits only a moment. */
const PART = 2000;
/** How long to wait for another connection that writes, in milliseconds. */
const BUSY_TIMEOUT_MS = 1000;

const scope = workerScope<CatchUpRequest, CatchUpMessage>();
let log: OpLog | undefined;
let isClosed = false;

scope.onmessage = async ({ data: request }) => {
  stopAnnouncing();
  if (request === "close") return close();
  try {
    log ??= OpLog.open(request.path, { create: false, busyTimeoutMs: BUSY_TIMEOUT_MS });
    const { projections } = internalsOf(log);
    while (behindOf(projections) !== undefined) {
      const start = performance.now();
      advance(projections, PART);
      scope.postMessage({ kind: "part" });
      // As long a pause as the part took: another process that waits for the lock gets it.
      await new Promise((resolve) => setTimeout(resolve, performance.now() - start));
      if (isClosed) return;
    }
    scope.postMessage({ kind: "done" });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const code = error instanceof LogError ? { code: error.code } : {};
    scope.postMessage({ kind: "failed", message: error.message, ...code });
  }
};

function close(): void {
  isClosed = true;
  log?.close();
  scope.postMessage({ kind: "closed" });
}

neverPrompt(); // the permissions were granted before the worker was started
const stopAnnouncing = announceStart(() => scope.postMessage({ kind: "started" }));
