/**
 * Watches over inputs: one that takes too long is reported from another thread, through shared memory.
 *
 * @module
 */

import type { Guard } from "./fuzzer.ts";

/** Words of the shared memory: whether an input is running, its number, and its length. */
export const [RUNNING, NUMBER, LENGTH] = [0, 1, 2];
/** Where the input is in the shared memory, in bytes. */
export const INPUT_AT = 16;
const MAX_INPUT = 1 << 20;

/** What the worker is told. */
export interface WatchRequest {
  /** The shared memory. */
  memory: SharedArrayBuffer;
  /** After so long, an input hangs. */
  hangMs: number;
}

/** Tells another thread which input is running. */
export class Watch implements Guard, Disposable {
  readonly #memory = new SharedArrayBuffer(INPUT_AT + MAX_INPUT);
  readonly #words = new Int32Array(this.#memory, 0, INPUT_AT / 4);
  readonly #input = new Uint8Array(this.#memory, INPUT_AT);
  readonly #worker = new Worker(new URL("./watchdog.ts", import.meta.url), { type: "module" });

  private constructor() {}

  /**
   * Starts the other thread.
   *
   * @param hangMs After so long, an input hangs.
   */
  static async start(hangMs: number): Promise<Watch> {
    const watch = new Watch();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    watch.#worker.onmessage = () => resolve();
    watch.#worker.onerror = (event) => reject(new Error(event.message));
    await promise;
    const request: WatchRequest = { memory: watch.#memory, hangMs };
    watch.#worker.postMessage(request);
    return watch;
  }

  /** An input is about to be run. */
  begin(input: Uint8Array): void {
    const length = Math.min(input.length, MAX_INPUT);
    this.#input.set(input.subarray(0, length));
    this.#words[LENGTH] = length;
    Atomics.add(this.#words, NUMBER, 1);
    Atomics.store(this.#words, RUNNING, 1);
  }

  /** It was run. */
  end(): void {
    Atomics.store(this.#words, RUNNING, 0);
  }

  /** Ends the worker. */
  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
