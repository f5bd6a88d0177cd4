/**
 * Runs audits of one log, one at a time, and has the last report.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { AuditReport, Finding } from "../audit/audit.ts";
import type { AuditProgress } from "../audit/rows.ts";
import { mayStart } from "../ingest/pool.ts";
import type { AuditWorkerMessage, AuditWorkerRequest } from "./audit_worker.ts";

const WORKER = new URL("./audit_worker.ts", import.meta.url);
/** Limit of the findings that are shown while an audit runs. */
const MAX_SHOWN = 100;
/** How long an audit has to end by itself. */
const END_TIMEOUT_MS = 2000;

/** The state of the audits of a log: none was run, one runs, or the last has ended. */
export type AuditState =
  | { readonly is: "none" }
  | { readonly is: "running"; readonly since: number; readonly progress: AuditProgress; readonly findings: Finding[] }
  | { readonly is: "done"; readonly at: number; readonly seconds: number; readonly report: AuditReport }
  | { readonly is: "failed"; readonly at: number; readonly message: string };

/** Audits one log. */
export class Audits {
  readonly #path?: string;
  readonly #onChange: () => void;
  #worker?: Worker;
  #state: AuditState = { is: "none" };
  #ended = Promise.withResolvers<void>();

  /**
   * @param path The file; undefined for a log in memory, which cannot be audited.
   * @param onChange Called as the state changes.
   */
  constructor(path: string | undefined, onChange: () => void) {
    this.#path = path;
    this.#onChange = onChange;
  }

  /** The state. */
  get state(): AuditState {
    return this.#state;
  }

  /** Whether there is a file, and a worker can be started. */
  get isPossible(): boolean {
    return this.#path !== undefined && mayStart(WORKER);
  }

  /**
   * Starts an audit, unless one runs.
   *
   * @throws {LogError} `invalid-argument` for a log in memory; `worker-failed` when no worker can be started.
   */
  start(): void {
    if (this.#state.is === "running") return;
    const path = this.#path;
    if (path === undefined) throw new LogError("invalid-argument", "a log in memory has no file to audit");
    if (!this.isPossible) {
      throw new LogError("worker-failed", "the modules of mnema may not be read, so that no worker can run the audit");
    }
    this.#ended = Promise.withResolvers();
    this.#set({ is: "running", since: Date.now(), progress: { checked: 0, total: 0 }, findings: [] });
    this.#ask(path);
  }

  /** Ends an audit that runs, and its worker. */
  async close(): Promise<void> {
    if (this.#worker === undefined) return;
    this.#worker.postMessage("end" satisfies AuditWorkerRequest);
    if (this.#state.is === "running") {
      const timer = setTimeout(this.#ended.resolve, END_TIMEOUT_MS);
      await this.#ended.promise;
      clearTimeout(timer);
    }
    this.#worker.terminate();
  }

  #ask(path: string): void {
    if (this.#worker !== undefined) return this.#worker.postMessage({ path } satisfies AuditWorkerRequest);
    // It is kept for the next audit: its end would close the file, and drop the locks of this process on it.
    const worker = this.#worker = new Worker(WORKER, { type: "module" });
    let hasStarted = false;
    worker.onmessage = ({ data }: MessageEvent<AuditWorkerMessage>) => {
      if (data.kind === "started") {
        if (!hasStarted) worker.postMessage({ path } satisfies AuditWorkerRequest);
        hasStarted = true;
      } else this.#take(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#worker = undefined;
      this.#end({ is: "failed", at: Date.now(), message: event.message });
    };
  }

  #take(message: Exclude<AuditWorkerMessage, { kind: "started" }>): void {
    if (this.#state.is !== "running") return;
    switch (message.kind) {
      case "progress":
        return this.#set({ ...this.#state, progress: message.progress });
      case "finding":
        if (this.#state.findings.length < MAX_SHOWN) this.#state.findings.push(message.finding);
        return this.#onChange();
      case "done": {
        const at = Date.now();
        return this.#end({ is: "done", at, seconds: (at - this.#state.since) / 1000, report: message.report });
      }
      case "failed":
        return this.#end({ is: "failed", at: Date.now(), message: message.message });
    }
  }

  #end(state: AuditState): void {
    this.#set(state);
    this.#ended.resolve();
  }

  #set(state: AuditState): void {
    this.#state = state;
    this.#onChange();
  }
}
