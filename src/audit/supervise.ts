/**
 * Runs an audit in a worker, and gives it up when nothing is heard of it any more.
 *
 * A worker is a thread. Nothing can end one that native code does not come back from: it goes on until the process ends,
 * and keeps the process from ending by itself. What can be done is to wait no longer.
 *
 * @module
 */

import { FileError, LogError } from "../errors.ts";
import { mayStart } from "../ingest/pool.ts";
import type { Findings } from "./findings.ts";
import type { AuditRequest, Watcher } from "./run.ts";
import type { Failure, WorkerMessage } from "./worker.ts";

const WORKER = new URL("./worker.ts", import.meta.url);
/** So long may a worker take to load. */
const START_TIMEOUT_MS = 20_000;

/** How long to wait for a word from the worker. */
export interface Patience {
  /** In milliseconds. */
  stallTimeoutMs: number;
  /** The worker's module. */
  url?: URL;
}

/**
 * Runs an audit in a worker.
 *
 * @returns How many operations were looked at; undefined when no worker can be had.
 */
export async function auditInWorker(
  request: AuditRequest,
  findings: Findings,
  { onProgress, signal }: Watcher,
  { stallTimeoutMs, url = WORKER }: Patience,
): Promise<number | undefined> {
  if (!mayStart(url)) return undefined;
  const worker = new Worker(url, { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  let hasStarted = false;
  let operations = 0;
  const giveUp = () => {
    const message =
      `SQLite has not come back for ${stallTimeoutMs / 1000} seconds: the file holds it up, and the audit ` +
      "was given up";
    findings.addFault({ kind: "integrity", message });
    findings.skip("what comes after: the audit was given up");
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
    timer = setTimeout(giveUp, stallTimeoutMs);
    try {
      take(data);
    } catch (error) {
      reject(error); // of a callback
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
