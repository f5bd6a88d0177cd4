/**
 * A worker that runs Graphviz: it can be terminated when that takes too long.
 *
 * @module
 */

import { instance } from "@viz-js/viz";
import { announceStart, workerScope } from "../ingest/worker_scope.ts";

/** A message of the worker. */
export type WorkerMessage =
  | { kind: "started" }
  | { kind: "done"; plain: string }
  | { kind: "failed"; message: string };

const scope = workerScope<string, WorkerMessage>();

scope.onmessage = async ({ data: dot }) => {
  stopAnnouncing();
  scope.postMessage(await render(dot));
};

async function render(dot: string): Promise<WorkerMessage> {
  try {
    const result = (await instance()).render(dot, { format: "plain" });
    if (result.status === "success") return { kind: "done", plain: result.output };
    return { kind: "failed", message: result.errors.map(({ message }) => message).join("; ") };
  } catch (error) {
    return { kind: "failed", message: String(error) };
  }
}

const stopAnnouncing = announceStart(() => scope.postMessage({ kind: "started" }));
