/**
 * The other side of a {@linkcode Watch}: a worker that reports the input at which the main thread hangs. The thread that
 * hangs cannot say so itself.
 *
 * @module
 */

import { announceStart } from "../../../src/ingest/worker_scope.ts";
import { INPUT_AT, LENGTH, NUMBER, RUNNING, type WatchRequest } from "./watch.ts";

const INTERVAL_MS = 500;

const scope = self as unknown as { postMessage(message: "started"): void };

self.addEventListener("message", (event) => {
  stopAnnouncing();
  const { memory, hangMs } = (event as MessageEvent<WatchRequest>).data;
  const words = new Int32Array(memory, 0, INPUT_AT / 4);
  let number = -1;
  let since = performance.now();
  setInterval(() => {
    if (Atomics.load(words, RUNNING) === 0 || Atomics.load(words, NUMBER) !== number) {
      number = Atomics.load(words, NUMBER);
      since = performance.now();
    } else if (performance.now() - since > hangMs) {
      const input = new Uint8Array(memory, INPUT_AT, Atomics.load(words, LENGTH)).toBase64();
      const line = JSON.stringify({ kind: "hang", input });
      Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
      since = Infinity; // said once; the parent ends the process
    }
  }, INTERVAL_MS);
});

const stopAnnouncing = announceStart(() => scope.postMessage("started"));
