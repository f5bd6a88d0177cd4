/**
 * Catches up what is derived from the log, so that no page waits for it: pages show what is stored, and how much is new.
 *
 * A worker with a connection of its own catches up in the file, some thousand operations at a time; between two parts
 * other processes, such as an import, can write. Where the file cannot be written, or no worker can be started, the
 * page's own thread does it in parts that take some milliseconds.
 *
 * @module
 */

import { LogError, type LogErrorCode } from "../errors.ts";
import { mayStart } from "../ingest/pool.ts";
import type { Projections } from "../derived/engine.ts";
import type { TableProjection } from "../derived/table_projection.ts";
import { advance, behindOf } from "./behind.ts";
import type { CatchUpMessage, CatchUpRequest } from "./catch_up_worker.ts";

const WORKER = new URL("./catch_up_worker.ts", import.meta.url);
/** Operations of a part on the page's own thread. */
const PART = 500;
/** How long to wait after a part failed, as when the file is locked. */
const RETRY_MS = 250;
/** With these, the worker cannot write to the file: copies in memory are caught up. */
const NOT_WRITABLE: ReadonlySet<string> = new Set(["read-only", "not-a-log", "disk-full"]);

/** Catches up one log. */
export class CatchUp {
  readonly #projections: Projections;
  readonly #onProgress: () => void;
  readonly #waiting = new Set<() => void>();
  /** The file for the worker; undefined where this thread does it. */
  #path?: string;
  #worker?: Worker;
  /** Resolved when the worker has closed the file. */
  #ended?: PromiseWithResolvers<void>;
  #timer?: ReturnType<typeof setTimeout>;
  #isRunning = false;
  #isClosed = false;
  #failure?: string;

  /**
   * @param projections Those of the connection that the pages read.
   * @param path The file, where another connection can write to it.
   * @param onProgress Called after each part.
   */
  constructor(projections: Projections, path: string | undefined, onProgress: () => void) {
    this.#projections = projections;
    this.#path = path !== undefined && mayStart(WORKER) ? path : undefined;
    this.#onProgress = onProgress;
  }

  /** How many operations a projection, and what it needs, has not seen yet. */
  behind(projection: TableProjection): number {
    return this.#projections.behind(projection);
  }

  /** Why it cannot catch up, as when what is stored is damaged; undefined while it can. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Starts to catch up everything that is behind, unless it runs already. */
  start(): void {
    if (this.#isRunning || this.#isClosed || behindOf(this.#projections) === undefined) return;
    this.#isRunning = true;
    if (this.#path === undefined) this.#timer = setTimeout(() => this.#part());
    else this.#ask(this.#path);
  }

  /**
   * Catches a projection up, and waits for it a while.
   *
   * @param projection Which.
   * @param ms How long, in milliseconds.
   * @returns How many operations it has not seen then.
   */
  async within(ms: number, projection: TableProjection): Promise<number> {
    const until = performance.now() + ms;
    for (let left = this.behind(projection);; left = this.behind(projection)) {
      const rest = until - performance.now();
      if (left === 0 || rest <= 0 || this.#isClosed) return left;
      this.start();
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, rest);
      this.#waiting.add(resolve);
      await promise;
      clearTimeout(timer);
      this.#waiting.delete(resolve);
      if (this.#failure !== undefined) return this.behind(projection);
    }
  }

  /** Ends it, and waits until its worker has closed the file. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#wake();
    this.#worker?.postMessage("close" satisfies CatchUpRequest);
    await this.#ended?.promise;
    this.#worker?.terminate();
  }

  #part(): void {
    try {
      advance(this.#projections, PART);
      const goesOn = behindOf(this.#projections) !== undefined;
      if (goesOn && !this.#isClosed) this.#timer = setTimeout(() => this.#part());
      this.#failure = undefined;
      this.#progressed(goesOn);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      this.#failed(error);
    }
  }

  #ask(path: string): void {
    if (this.#worker !== undefined) return this.#worker.postMessage({ path } satisfies CatchUpRequest);
    const worker = this.#worker = new Worker(WORKER, { type: "module" });
    const ended = this.#ended = Promise.withResolvers<void>();
    let hasStarted = false;
    worker.onmessage = ({ data }: MessageEvent<CatchUpMessage>) => {
      if (data.kind === "started") {
        if (!hasStarted) worker.postMessage(this.#isClosed ? "close" : { path } satisfies CatchUpRequest);
        hasStarted = true;
      } else if (data.kind === "closed") ended.resolve();
      else if (data.kind === "failed") this.#failed(data);
      else {
        this.#failure = undefined;
        this.#progressed(data.kind === "part");
      }
    };
    worker.onerror = (event) => {
      event.preventDefault();
      ended.resolve();
      this.#withoutWorker(); // it cannot be loaded here
    };
  }

  #progressed(goesOn: boolean): void {
    this.#isRunning = goesOn;
    this.#onProgress();
    this.#wake();
  }

  #failed({ message, code }: { message: string; code?: LogErrorCode }): void {
    if (code === "locked") this.#again();
    else if (this.#worker !== undefined && code !== undefined && NOT_WRITABLE.has(code)) this.#withoutWorker();
    else {
      this.#failure = message;
      this.#progressed(false);
    }
  }

  /** Goes on without the worker. */
  #withoutWorker(): void {
    this.#worker?.terminate();
    this.#worker = this.#path = undefined;
    if (!this.#isClosed) this.#timer = setTimeout(() => this.#part());
  }

  /** Tries again in a while. */
  #again(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#isRunning = false;
      this.start();
    }, RETRY_MS);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}
