/**
 * The workers that check blocks, or, where there are to be none, the same work done here.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { Block } from "./blocks.ts";
import { checkBlock, type CheckedBlock, type Limits } from "./check.ts";
import type { CheckRequest } from "./worker.ts";

const WORKER = new URL("./worker.ts", import.meta.url);

/** Blocks of fewer bytes do not start the first worker. */
const SMALL_BYTES = 1 << 17;

interface Member {
  worker: Worker;
  /** Resolved when it listens. */
  started: PromiseWithResolvers<void>;
  /** Those who wait for an answer, in the order of their requests. */
  waiting: PromiseWithResolvers<CheckedBlock>[];
}

/** Checks blocks, several at a time. */
export class CheckPool {
  readonly #members: Member[] = [];
  #size: number;
  readonly #limits: Limits;
  readonly #url: URL;
  #failure?: LogError;

  /**
   * @param size How many workers; 0 checks on the calling thread.
   * @param maxBytes The greatest wire text that may enter.
   * @param url The worker's module.
   * @param bodies Whether bodies are checked, too.
   */
  constructor(size: number, maxBytes: number, url: URL = WORKER, bodies = true) {
    this.#size = mayStart(url) ? size : 0;
    this.#limits = { maxBytes, bodies };
    this.#url = url;
  }

  /** How many blocks to have under way, so that no worker waits for the next. */
  get depth(): number {
    return 15 * this.#size;
  }

  /**
   * Checks a block. Bytes are handed over: the caller must not use them afterwards.
   *
   * @throws {LogError} `worker-failed` when a worker died; nothing that it had under way is lost, it was not appended.
   */
  check(block: Block): Promise<CheckedBlock> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    // A few operations are checked sooner than a worker starts.
    const isSmall = this.#members.length === 0 &&
      ("bytes" in block ? block.bytes.length : block.texts.length * 512) < SMALL_BYTES;
    if (this.#size === 0 || isSmall) return Promise.resolve(checkBlock(block, this.#limits));
    const member = this.#leastBusy();
    const answer = Promise.withResolvers<CheckedBlock>();
    member.waiting.push(answer);
    const request: CheckRequest = { block, limits: this.#limits };
    const transfer = "bytes" in block ? [block.bytes.buffer] : [];
    member.started.promise.then(
      () => member.worker.postMessage(request, transfer),
      // Without workers it takes longer, and comes out the same.
      () => answer.resolve(checkBlock(block, this.#limits)),
    );
    return answer.promise;
  }

  /** Ends the workers. */
  close(): void {
    for (const { worker } of this.#members) worker.terminate();
  }

  #leastBusy(): Member {
    const idle = this.#members.find(({ waiting }) => waiting.length === 0);
    if (idle !== undefined) return idle;
    if (this.#members.length < this.#size) return this.#start();
    return this.#members.reduce((a, b) => b.waiting.length < a.waiting.length ? b : a);
  }

  #start(): Member {
    const worker = new Worker(this.#url, { type: "module" });
    const member: Member = { worker, started: Promise.withResolvers(), waiting: [] };
    let hasStarted = false;
    worker.onmessage = ({ data }: MessageEvent<CheckedBlock | "started">) => {
      if (data !== "started") return member.waiting.shift()!.resolve(data);
      hasStarted = true;
      member.started.resolve();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (hasStarted) return this.#fail(event.message);
      this.#size = 0; // workers cannot be had here
      member.started.reject();
    };
    worker.onmessageerror = () => this.#fail("its answer could not be read");
    this.#members.push(member);
    return member;
  }

  #fail(reason: string): void {
    this.#failure = new LogError(
      "worker-failed",
      `a worker that checks operations died: ${reason}; what was committed is kept; try again`,
    );
    for (const { waiting } of this.#members) {
      for (const answer of waiting.splice(0)) answer.reject(this.#failure);
    }
  }
}

/** Deno lets a worker start from a local file only when that may be read. */
export function mayStart(url: URL): boolean {
  return url.protocol !== "file:" || Deno.permissions.querySync({ name: "read", path: url }).state === "granted";
}
