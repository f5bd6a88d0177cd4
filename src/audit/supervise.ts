/**
 * Runs an audit in a worker, and abandons it when it makes no progress.
 *
 * A worker is a thread. A thread in native code that does not return cannot be ended: it goes on until the process ends,
 * and keeps the process from ending by itself. So the caller stops waiting for it.
 *
 * @module
 */

import { FileError, LogError } from "../errors.ts";
import { mayStart } from "../ingest/pool.ts";
import type { Findings } from "./findings.ts";
import type { AuditRequest, Watcher } from "./run.ts";
import type { Failure, WorkerMessage } from "./worker.ts";

const WORKER = new URL("./worker.ts", import.meta.url);
/** Limit of the time in which a worker loads its modules. */
const START_TIMEOUT_MS = 20_000;

/** How to run the worker. */
export interface SuperviseOptions {
  /** Limit of the time between two messages of the worker, in milliseconds. */
  stallTimeoutMs: number;
  /** The worker's module. */
  url?: URL;
}

/**
 * Runs an audit in a worker.
 *
 * @returns How many operations were checked; undefined when no worker is available.
 */
export async function auditInWorker(
  request: AuditRequest,
  findings: Findings,
  { onProgress, signal }: Watcher,
  { stallTimeoutMs, url = WORKER }: SuperviseOptions,
): Promise<number | undefined> {
  if (!mayStart(url)) return undefined;
  const worker = new Worker(url, { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  let hasStarted = false;
  let operations = 0;
  const abandon = () => {
    const message = `SQLite made no progress for ${stallTimeoutMs / 1000} seconds on this file: the audit was aborted`;
    findings.addFault({ kind: "integrity", message });
    findings.skip("the rest of the file: the audit was aborted");
    resolve(operations);
  };
  let timer = setTimeout(() => resolve(undefined), START_TIMEOUT_MS);
  const abort = () => reject(signal!.reason);
  signal?.addEventListener("abort", abort);
  const take = (message: WorkerMessage) => {
    if (message.kind === "started") {
      if (!hasStarted) worker.postMessage(request);
      hasStarted = true;
    } else if (message.kind === "finding") findings.add(message.finding);
    else if (message.kind === "unchecked") findings.skip(message.what);
    else if (message.kind === "progress") {
      operations = message.progress.checked;
      onProgress?.(message.progress);
    } else if (message.kind === "done") resolve(message.operations);
    else reject(errorOf(message.failure));
  };
  worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
    clearTimeout(timer);
    timer = setTimeout(abandon, stallTimeoutMs);
    try {
      take(data);
    } catch (error) {
      reject(error); // thrown by a callback
    }
  };
  worker.onerror = (event) => {
    event.preventDefault();
    if (hasStarted) reject(new LogError("worker-failed", `the worker of the audit died: ${event.message}; try again`));
    else resolve(undefined); // it cannot be loaded here
  };
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    worker.terminate();
  }
}

function errorOf({ name, message, code, path }: Failure): Error {
  if (code !== undefined) return path === undefined ? new LogError(code, message) : new FileError(code, path, message);
  return name === "NotCapable" ? new Deno.errors.NotCapable(message) : new Error(message);
}
