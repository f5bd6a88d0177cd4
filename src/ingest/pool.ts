/**
 * A pool of workers that check blocks; without workers, blocks are checked on the calling thread.
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
  /** Resolved when it can be sent blocks. */
  started: PromiseWithResolvers<void>;
  /** The unanswered requests, oldest first. */
  pending: PromiseWithResolvers<CheckedBlock>[];
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
   * @param maxBytes The limit of a wire text, in bytes.
   * @param url The worker's module.
   * @param bodies Whether bodies are checked, too.
   */
  constructor(size: number, maxBytes: number, url: URL = WORKER, bodies = true) {
    this.#size = mayStart(url) ? size : 0;
    this.#limits = { maxBytes, bodies };
    this.#url = url;
  }

  /** The number of blocks to have in progress, so that no worker waits for the next. */
  get depth(): number {
    return 15 * this.#size;
  }

  /**
   * Checks a block. Bytes are handed over: the caller must not use them afterwards.
   *
   * @throws {LogError} `worker-failed` when a worker died; nothing is lost: what it was checking was not appended.
   */
  check(block: Block): Promise<CheckedBlock> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    // A few operations are checked faster than a worker starts.
    const isSmall = this.#members.length === 0 &&
      ("bytes" in block ? block.bytes.length : block.texts.length * 512) < SMALL_BYTES;
    if (this.#size === 0 || isSmall) return Promise.resolve(checkBlock(block, this.#limits));
    const member = this.#leastBusy();
    const answer = Promise.withResolvers<CheckedBlock>();
    member.pending.push(answer);
    const request: CheckRequest = { block, limits: this.#limits };
    const transfer = "bytes" in block ? [block.bytes.buffer] : [];
    member.started.promise.then(
      () => member.worker.postMessage(request, transfer),
      // Without workers it takes longer; the result is the same.
      () => answer.resolve(checkBlock(block, this.#limits)),
    );
    return answer.promise;
  }

  /** Ends the workers. */
  close(): void {
    for (const { worker } of this.#members) worker.terminate();
  }

  #leastBusy(): Member {
    const idle = this.#members.find(({ pending }) => pending.length === 0);
    if (idle !== undefined) return idle;
    if (this.#members.length < this.#size) return this.#start();
    return this.#members.reduce((a, b) => b.pending.length < a.pending.length ? b : a);
  }

  #start(): Member {
    const worker = new Worker(this.#url, { type: "module" });
    const member: Member = { worker, started: Promise.withResolvers(), pending: [] };
    let hasStarted = false;
    worker.onmessage = ({ data }: MessageEvent<CheckedBlock | "started">) => {
      if (data !== "started") return member.pending.shift()!.resolve(data);
      hasStarted = true;
      member.started.resolve(); // repeated until the first block arrives
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (hasStarted) return this.#fail(event.message);
      this.#size = 0; // workers cannot be started here
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
    for (const { pending } of this.#members) {
      for (const answer of pending.splice(0)) answer.reject(this.#failure);
    }
  }
}

/** Deno lets a worker start from a local file only when that may be read. */
export function mayStart(url: URL): boolean {
  return url.protocol !== "file:" || Deno.permissions.querySync({ name: "read", path: url }).state === "granted";
}
