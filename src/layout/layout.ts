/**
 * The positions of a graph, by Graphviz in a worker.
 *
 * A graph comes from operations that anyone may have signed, and Graphviz takes minutes for some of a thousand nodes. So
 * graphs have a size limit, a layout has a time limit, and few run at once.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import { mayStart } from "../ingest/pool.ts";
import type { Graph } from "../render/graph.ts";
import type { Positions } from "../render/svg.ts";
import { layoutDot, parsePlain } from "./graphviz.ts";
import type { WorkerMessage } from "./worker.ts";

const WORKER = new URL("./worker.ts", import.meta.url);

/** Limits of a graph. */
const MAX_NODES = 1000;
const MAX_EDGES = 5000;
/** Default limit of the time of a layout. */
const TIMEOUT_MS = 10_000;
/** How many layouts run at once; others wait for them. */
const MAX_RUNNING = 2;

/** Options of {@linkcode layout}. */
export interface LayoutOptions {
  /** Ends the layout. */
  signal?: AbortSignal;
  /** Limit of its time, in milliseconds; 10,000 by default. The time in which it waits for others does not count. */
  timeoutMs?: number;
}

/**
 * Places the nodes of a graph and draws its edges around them, off this thread.
 *
 * @param graph The graph.
 * @param options Time limit, abort.
 * @throws {LogError} `too-large` for a graph of more than 1,000 nodes or 5,000 edges; `timed-out`; `not-allowed` when the
 * module of the worker may not be read; `worker-failed` when the worker or Graphviz failed.
 * @throws The reason of `signal`.
 */
export async function layout(graph: Graph, options: LayoutOptions = {}): Promise<Positions> {
  const { signal, timeoutMs = TIMEOUT_MS } = options;
  const { nodes: { length: nodes }, edges: { length: edges } } = graph;
  if (nodes > MAX_NODES || edges > MAX_EDGES) {
    throw new LogError(
      "too-large",
      `a graph of ${nodes} nodes and ${edges} edges is too large for Graphviz; the limits are ${MAX_NODES} and ${MAX_EDGES}`,
    );
  }
  if (!mayStart(WORKER)) {
    throw new LogError(
      "not-allowed",
      `the worker that runs Graphviz needs permission to read its module, ${WORKER.pathname}`,
    );
  }
  using _ = await place(signal);
  return parsePlain(await inWorker(layoutDot(graph), timeoutMs, signal), graph);
}

let running = 0;
const waiting = new Set<() => void>();

/** Waits until fewer than the limit are running, and holds a place. */
async function place(signal?: AbortSignal): Promise<Disposable> {
  signal?.throwIfAborted();
  if (running < MAX_RUNNING) running++;
  else await turn(signal); // the place of one that has ended
  return {
    [Symbol.dispose]: () => {
      const [next] = waiting;
      if (next === undefined) running--;
      else next();
    },
  };
}

function turn(signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const begin = () => {
    leave();
    resolve();
  };
  const abort = () => {
    leave();
    reject(signal!.reason);
  };
  const leave = () => {
    waiting.delete(begin);
    signal?.removeEventListener("abort", abort);
  };
  waiting.add(begin);
  signal?.addEventListener("abort", abort);
  return promise;
}

async function inWorker(dot: string, timeoutMs: number, signal?: AbortSignal): Promise<string> {
  signal?.throwIfAborted();
  const worker = new Worker(WORKER, { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const abort = () => reject(signal!.reason);
  const timer = setTimeout(
    () => reject(new LogError("timed-out", `Graphviz took more than ${timeoutMs} ms for this graph: it was ended`)),
    timeoutMs,
  );
  let hasStarted = false;
  signal?.addEventListener("abort", abort);
  worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
    if (data.kind === "started") {
      if (!hasStarted) worker.postMessage(dot);
      hasStarted = true;
    } else if (data.kind === "done") resolve(data.plain);
    else reject(new LogError("worker-failed", `Graphviz failed: ${data.message}`));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new LogError("worker-failed", `the worker that runs Graphviz died: ${event.message}`));
  };
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    worker.terminate();
  }
}
