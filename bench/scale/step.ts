/**
 * `step.ts NAME PATH ...`: one step of the measurement at several sizes, in a process of its own; prints its figures as JSON.
 *
 * @module
 */

import { audit, Identity, Operation, OpLog } from "../../mod.ts";
import { internalsOf } from "../../src/oplog.ts";
import { opIdAt } from "../../src/log/entries.ts";
import { median } from "../figures.ts";
import { seeded } from "../generate.ts";
import { peakMegabytes } from "../process.ts";
import { BLOCK, keyOf, LANES } from "./source.ts";

/** How many operations are read or appended one at a time. */
const SAMPLE = 20_000;
/** More than are appended between two catch-ups of what follows appending. */
const APPENDS = 5_000;
/** How often something slower is done; the median is reported. */
const TIMES = 21;
/** How many proofs, and how many keys are asked for. */
const ASKED = 200;
const ORIGIN = "example.org/bench";

const alice = Identity.fromSeed(new Uint8Array(32).fill(1));

/** The steps: each prints what it returns. */
const steps: Record<string, (path: string, ...args: string[]) => object | Promise<object>> = {
  /** Makes a log of the first bytes of a file of JSON lines. */
  async ingest(path, lines, bytes, size) {
    using log = OpLog.open(path);
    const start = performance.now();
    const report = await log.ingest(beginning(lines, Number(bytes)));
    const seconds = (performance.now() - start) / 1000;
    if (report.new !== Number(size)) throw new Error(`${report.new} of ${size} entered`);
    return { rate: report.new / seconds, megabytes: peakMegabytes() };
  },

  /** Opens a log and reads its heads. */
  open: (path) => ({
    ms: medianOf(TIMES, () => {
      using log = OpLog.open(path);
      log.heads();
    }),
  }),

  /** Reads operations by their ids, which are scattered. */
  get(path, size) {
    using log = OpLog.open(path);
    const ids = scattered(log, Math.min(SAMPLE, Number(size)), Number(size));
    return { rate: ids.length / (timed(() => ids.forEach((id) => log.get(id))) / 1000), id: ids[0] };
  },

  /** Makes checkpoints, and proofs of scattered operations. */
  proofs(path, size) {
    using log = OpLog.open(path);
    const ids = scattered(log, ASKED, Number(size));
    let checkpoint = "";
    return {
      checkpoint: medianOf(TIMES, () => checkpoint = log.proofs.checkpoint(alice, { origin: ORIGIN })),
      proof: medianOf(ids.length, (n) => log.proofs.prove(ids[n], checkpoint)),
    };
  },

  /** Catches the claims of a log up from nothing. */
  claims(path, size) {
    using log = OpLog.open(path);
    const seconds = timed(() => log.claims.current("any")) / 1000;
    return { rate: Number(size) / seconds, megabytes: peakMegabytes() };
  },

  /** Asks for the claims of single keys: of scattered keys, and of one key after each of some new operations. */
  keys(path, size) {
    using log = OpLog.open(path);
    const random = seeded(20261128);
    // Of whole rounds of blocks, so that the key is surely used.
    const perLane = Math.max(BLOCK, Math.floor(Number(size) / LANES / BLOCK) * BLOCK);
    const keys = Array.from({ length: ASKED }, () => keyOf(random(LANES), random(perLane), random(2 ** 31)));
    let found = 0;
    const warm = medianOf(ASKED, (n) => found += [...log.claims.query({ key: keys[n] })].length);
    if (found < ASKED) throw new Error(`${ASKED} keys have ${found} claims`);
    const times: number[] = [];
    for (let n = 0; n < TIMES; n++) {
      log.claims.assert(alice, { key: "bench.new", value: n });
      times.push(timed(() => [...log.claims.query({ key: keys[n] })]));
    }
    return { warm, after: median(times) };
  },

  /** Appends operations one at a time, with FULL. */
  append(path, size) {
    using log = OpLog.open(path);
    let prev = log.heads();
    const wires = Array.from({ length: Math.min(APPENDS, Number(size)) }, (_, n) => {
      const op = Operation.create({ type: "note", body: { n, text: "x".repeat(200) }, prev }, alice);
      prev = [op.opId];
      return op.wire;
    });
    const ops = wires.map((wire) => Operation.parse(wire)); // not yet verified, as from a peer
    const times = ops.map((op) => timed(() => log.append(op)));
    return { median: median(times) * 1000, mean: times.reduce((sum, ms) => sum + ms, 0) / ops.length * 1000 };
  },

  /** Audits a log. */
  async audit(path) {
    const start = performance.now();
    const { found, operations } = await audit(path);
    if (found > 0) throw new Error(`${found} found in ${operations} operations`);
    return { rate: operations / ((performance.now() - start) / 1000), megabytes: peakMegabytes() };
  },
};

const [name, ...args] = Deno.args;
const [path, ...rest] = args;
console.log(JSON.stringify(await steps[name](path, ...rest)));

/** The first bytes of a file, read as a file's own stream is. */
function beginning(path: string, bytes: number): ReadableStream<Uint8Array> {
  const file = Deno.openSync(path);
  let left = bytes;
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: 1 << 16,
    async pull(controller) {
      const request = controller.byobRequest!;
      const { buffer, byteOffset, byteLength } = request.view!;
      const length = left > 0 ? await file.read(new Uint8Array(buffer, byteOffset, Math.min(left, byteLength))) : null;
      if (length === null) {
        file.close();
        controller.close();
      } else left -= length;
      request.respond(length ?? 0);
    },
  });
}

/** Ids of operations anywhere in a log. */
function scattered(log: OpLog, count: number, size: number): string[] {
  const random = seeded(20261127);
  const { connection } = internalsOf(log);
  return Array.from({ length: count }, () => opIdAt(connection, 1 + random(size))!);
}

function timed(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function medianOf(times: number, work: (n: number) => unknown): number {
  return median(Array.from({ length: times }, (_, n) => timed(() => work(n))));
}
