/**
 * The operations of the measurement at several sizes, as JSON lines: seeded, so that every run has the same, and a smaller
 * size is the beginning of a larger one.
 *
 * They are a history of claims in eight lanes, which are eight authors who do not synchronize: in a lane, each operation
 * follows the one before it. So the lanes are made and signed on all cores at once. The file has a block of each lane in
 * turn.
 *
 * Half of the operations are evidence; 480 of 1,000 are claims, derived from up to three of the last thousand operations of
 * the lane; one in a hundred refutes or corrects; the others are notes. A key has about ten claims, whatever the size.
 *
 * @module
 */

import { Operation } from "../../mod.ts";
import { author, itemKey, seeded, WORDS } from "../generate.ts";
import type { BlockRequest } from "./lane_worker.ts";

/** How many lanes there are, whatever the number of cores. */
export const LANES = 8;
/** How many operations of a lane are one block. */
export const BLOCK = 250;
/** How many operations of a lane use the same keys, and how many keys these are. */
const ERA = 2_500;
const KEYS_OF_AN_ERA = 125;
/** A claim is derived from some of the last so many operations. */
const RECENT = 1_000;
/** `ts` of the first operation, and milliseconds between two. */
const [FIRST_TS, INTERVAL] = [1_718_000_000_000, 137];

/** A key that the nth operation of a lane may have: `choice` is below {@linkcode KEYS_OF_AN_ERA}. */
export function keyOf(lane: number, n: number, choice: number): string {
  return itemKey(lane, Math.floor(n / ERA) * KEYS_OF_AN_ERA + choice % KEYS_OF_AN_ERA);
}

/** The operations of a lane, without end. */
export function* lane(number: number): Generator<Operation, never> {
  const random = seeded(20261126 + number * 7919);
  const signer = author(number);
  const recent: string[] = [];
  let prev: string[] = [];
  for (let n = 0;; n++) {
    const inputs = new Set<string>();
    for (let i = random(3); i >= 0 && recent.length > 0; i--) inputs.add(recent[random(recent.length)]);
    const key = keyOf(number, n, random(KEYS_OF_AN_ERA));
    const value = ["green tea", "coffee", true, 42, { cups: [1, 2, 3] }][random(5)];
    const rest = { confidence_ppm: random(1_000_001), deriver: { id: `deriver${random(10)}`, version: "1" } };
    const title = Array.from({ length: 6 + random(26) }, () => WORDS[random(WORDS.length)]).join(" ");
    const chance = random(1_000);
    const [type, body] = chance < 500
      ? ["evidence.add", { source: "calendar", kind: "event", content: { title, n } }]
      : chance < 980
      ? ["claim.assert", { key, value, ...rest, inputs: [...inputs] }]
      : chance < 985
      ? ["claim.refute", { key, scope: "value", value }]
      : chance < 990
      ? ["claim.correct", { key, value }]
      : ["note", { title, n }];
    const op = Operation.create({ type, body, prev, ts: FIRST_TS + (n * LANES + number) * INTERVAL }, signer);
    yield op;
    prev = [op.opId];
    if (recent.length < RECENT) recent.push(op.opId);
    else recent[n % RECENT] = op.opId;
  }
}

/**
 * Makes sure that a file holds so many operations, and makes it when it does not.
 *
 * @param path The file.
 * @param sizes Ascending.
 * @param onProgress Receives how many operations were written.
 * @returns How many bytes the operations of each size are.
 */
export async function provide(
  path: string,
  sizes: readonly number[],
  onProgress: (operations: number) => void,
): Promise<number[]> {
  try {
    return bytesOfLines(path, sizes);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof RangeError)) throw error;
  }
  await write(path, sizes.at(-1)!, onProgress);
  return bytesOfLines(path, sizes);
}

/** How many bytes the first lines of a file are: a `RangeError` when it has fewer. */
function bytesOfLines(path: string, counts: readonly number[]): number[] {
  using file = Deno.openSync(path);
  const buffer = new Uint8Array(1 << 20);
  const ends: number[] = [];
  let [before, lines] = [0, 0];
  for (let length = file.readSync(buffer); length !== null; length = file.readSync(buffer)) {
    const chunk = buffer.subarray(0, length);
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) {
      if (++lines === counts[ends.length]) ends.push(before + at + 1);
      if (ends.length === counts.length) return ends;
    }
    before += length;
  }
  throw new RangeError(`${path} has ${lines} operations`);
}

/** Makes the lanes in workers, and writes a block of each in turn. Each worker is one block of each of its lanes ahead. */
async function write(path: string, count: number, onProgress: (operations: number) => void): Promise<void> {
  const url = new URL("./lane_worker.ts", import.meta.url);
  const workers = Array.from(
    { length: Math.min(LANES, navigator.hardwareConcurrency) },
    () => new Worker(url, { type: "module" }),
  );
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.onmessage = resolve)));
  const blocks = Array.from({ length: LANES }, (_, number) => new Blocks(number, workers[number % workers.length]));
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  try {
    for (let written = 0; written < count;) {
      for (const lane of blocks) {
        let block = await lane.next();
        if (count - written < BLOCK) block = firstLines(block, count - written);
        for (let rest = block; rest.length > 0;) rest = rest.subarray(file.writeSync(rest));
        written = Math.min(count, written + BLOCK);
      }
      onProgress(written);
    }
  } finally {
    for (const worker of workers) worker.terminate();
  }
}

/** The blocks of one lane, which a worker makes. */
class Blocks {
  readonly #number: number;
  readonly #worker: Worker;
  #next: Promise<Uint8Array>;

  constructor(number: number, worker: Worker) {
    this.#number = number;
    this.#worker = worker;
    this.#next = this.#ask();
  }

  async next(): Promise<Uint8Array> {
    const block = await this.#next;
    this.#next = this.#ask();
    return block;
  }

  #ask(): Promise<Uint8Array> {
    const { port1, port2 } = new MessageChannel();
    const request: BlockRequest = { lane: this.#number, port: port2 };
    this.#worker.postMessage(request, [port2]);
    return new Promise((resolve) => {
      port1.onmessage = ({ data }: MessageEvent<Uint8Array>) => {
        port1.close();
        resolve(data);
      };
    });
  }
}

function firstLines(block: Uint8Array, count: number): Uint8Array {
  let end = 0;
  for (let n = 0; n < count; n++) end = block.indexOf(10, end) + 1;
  return block.subarray(0, end);
}
