/**
 * Measures the log, and in the same run the limits it is up against, and prints a table of medians and ratios.
 *
 * `deno task bench [--sizes 10000,100000,1000000] [--runs 3] [--original FOLDER]`, where FOLDER holds the Python
 * original with its `make_ops.py` and `bench_seed.py`.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { Operation, OpLog } from "../mod.ts";
import { readLines } from "../src/ingest/lines.ts";
import { INSERT_RECORDS, TableBuilder } from "../src/log/records.ts";
import { openLog } from "../src/log/open.ts";
import { definitionOf } from "../src/audit/expected_schema.ts";
import { verifySignature } from "../src/keys/native.ts";
import { measureClaims } from "./claims.ts";
import { refuseUnknown } from "./options.ts";
import { measureProofs } from "./proof.ts";
import { median, printColumns } from "./figures.ts";
import { generate, writeLines } from "./generate.ts";
import { measureOriginal, readWithOriginal } from "./original.ts";
import type { Taken } from "./ingest.ts";
import { inChild } from "./process.ts";
import { signatureJobs } from "./signature_worker.ts";

const options = parseArgs(Deno.args, {
  unknown: refuseUnknown,
  string: ["sizes", "runs", "original"],
  default: { sizes: "10000,100000,1000000", runs: "3" },
});
const sizes = options.sizes.split(",").map(Number);
const runs = Number(options.runs);
const cores = navigator.hardwareConcurrency;
/** A placeholder for the hashes of a tree, which this measurement does not store. */
const NO_LEAF = new Uint8Array(32);
const GET = "get by id";
const ENTRIES = "entries, decoded";
/** What is asked of single operations is asked so often. */
const SAMPLE = Math.min(20_000, ...sizes);

const folder = Deno.makeTempDirSync({ prefix: "mnema-bench-" });
const rates = new Map<string, Map<number, number>>();
/** What a process took to ingest so many operations. */
const taken = new Map<number, Taken>();

try {
  console.log(`${cores} cores, medians of ${runs} runs, operations a second\n`);
  const limits = { one: await signaturesOnOneCore(), all: await signaturesOnAllCores() };
  for (const size of sizes) await measure(size);
  const original = options.original ? await measureOriginal(options.original, folder) : undefined;
  printTable(limits, original);
  printIngest();
  await measureStart(sizes.at(-1)!);
  const size = sizes.at(-1)!;
  await measureProofs(`${folder}/kept-${size}.db`, size, rates.get("ingest, file, FULL")!.get(size)!);
  await measureClaims(folder, sizes.at(-1)!);
} finally {
  Deno.removeSync(folder, { recursive: true });
}

function printIngest(): void {
  const each = (what: (taken: Taken) => string) => sizes.map((size) => what(taken.get(size)!)).join(", ");
  console.log(`\nmemory of ingest, at most: ${each(({ peakMegabytes }) => `${peakMegabytes} MB`)}`);
  console.log(`processor time of an operation: ${each(({ cpu }) => `${cpu.toFixed(1)} µs`)}`);
  console.log(`of these, the thread that writes: ${each(({ writer }) => `${writer.toFixed(1)} µs`)}`);
}

async function measure(size: number): Promise<void> {
  const lines = `${folder}/ops.jsonl`;
  writeLines(lines, generate(size));
  await rate("sqlite alone, file, FULL", size, () => sqliteAlone(lines, size));
  await rate("ingest, file, FULL", size, () =>
    withFreshLog(async (path) => {
      using log = OpLog.open(path);
      const { seconds } = await timed(async () => {
        const report = await log.ingest((await Deno.open(lines)).readable);
        if (report.new !== size) throw new Error(`${report.new} of ${size} entered`);
      });
      return size / seconds;
    }));
  const more: string[] = [];
  let made = 0;
  for (const op of generate(size + SAMPLE)) if (++made > size) more.push(op.wire);
  await rate("append one at a time, memory", size, async () => {
    using log = OpLog.open();
    await log.ingest((await Deno.open(lines)).readable);
    const ops = more.map((wire) => Operation.parse(wire));
    const { seconds } = await timed(() => {
      for (const op of ops) log.append(op);
    });
    return SAMPLE / seconds;
  });

  const path = `${folder}/kept-${size}.db`;
  taken.set(size, await inChild<Taken>("ingest.ts", path, lines));
  Deno.removeSync(lines);
  using log = OpLog.open(path);
  const asked = scattered(log, size);
  await rate(GET, size, async () => {
    const { seconds } = await timed(() => {
      for (const id of asked) log.get(id);
    });
    return SAMPLE / seconds;
  });
  await rate(ENTRIES, size, async () => {
    let read = 0;
    const { seconds } = await timed(() => {
      for (const { op } of log.entries()) if (op.body.kind === "event") read++;
    });
    if (read !== size) throw new Error(`${read} of ${size} read`);
    return size / seconds;
  });
  if (!options.original) return;
  const original = await readWithOriginal(options.original, { path, ids: asked, runs });
  await rate(`${GET}, the original`, size, () => Promise.resolve(original.get));
  await rate(`${ENTRIES}, the original`, size, () => Promise.resolve(original.entries));
}

/** Ids of operations of which neighbours in time are not asked for together. */
function scattered(log: OpLog, size: number): string[] {
  const places = new Map(Array.from({ length: SAMPLE }, (_, i) => [i * 7919 % size, i])); // a prime
  const ids: string[] = [];
  let index = 0;
  for (const { op } of log.entries()) {
    const place = places.get(index++);
    if (place !== undefined) ids[place] = op.opId;
  }
  return ids;
}

/** Takes the median of several runs. */
async function rate(name: string, size: number, run: () => Promise<number>): Promise<void> {
  const results: number[] = [];
  for (let i = 0; i < runs; i++) results.push(await run());
  const row = rates.get(name) ?? new Map<number, number>();
  rates.set(name, row.set(size, median(results)));
}

async function timed(work: () => void | Promise<void>): Promise<{ seconds: number }> {
  const start = performance.now();
  await work();
  return { seconds: (performance.now() - start) / 1000 };
}

async function withFreshLog<T>(use: (path: string) => Promise<T>): Promise<T> {
  const path = `${folder}/fresh.db`;
  try {
    return await use(path);
  } finally {
    for (const suffix of ["", "-wal", "-shm"]) {
      try {
        Deno.removeSync(path + suffix);
      } catch {
        // closed in good order: there is none
      }
    }
  }
}

/** The same rows, without a check of any kind: what writing costs by itself. */
async function sqliteAlone(path: string, size: number): Promise<number> {
  return await withFreshLog(async (fresh) => {
    const { connection } = openLog(fresh, {}, definitionOf);
    const encoder = new TextEncoder();
    let seconds = 0;
    let bytes = new Uint8Array(1 << 24);
    let table = new TableBuilder();
    let length = 0;
    let held = 0;
    const write = async () => {
      const rows = table.finish();
      const insert = () => void connection.query(INSERT_RECORDS).run(bytes, rows, rows.length);
      if (held > 0) seconds += (await timed(() => connection.transaction(insert))).seconds;
      bytes = new Uint8Array(1 << 24);
      table = new TableBuilder();
      length = held = 0;
    };
    for await (const lines of readLines((await Deno.open(path)).readable, 1 << 20)) {
      for (const line of lines) {
        if ("error" in line) throw line.error;
        const { written } = encoder.encodeInto(line.text, bytes.subarray(length));
        table.add(length, length += written, Operation.parse(line.text), NO_LEAF);
        if (++held === 12_000) await write();
      }
    }
    await write();
    connection.close();
    return size / seconds;
  });
}

async function signaturesOnOneCore(): Promise<number> {
  const jobs = signatureJobs(SAMPLE);
  const results: number[] = [];
  for (let i = 0; i < runs; i++) {
    const { seconds } = await timed(() => {
      for (const job of jobs) if (!verifySignature(...job)) throw new Error("a signature does not verify");
    });
    results.push(SAMPLE / seconds);
  }
  return median(results);
}

async function signaturesOnAllCores(): Promise<number> {
  const url = new URL("./signature_worker.ts", import.meta.url);
  const workers = Array.from({ length: cores }, () => new Worker(url, { type: "module" }));
  const answers = () => Promise.all(workers.map((worker) => new Promise((resolve) => worker.onmessage = resolve)));
  const ask = () => {
    const all = answers();
    for (const worker of workers) worker.postMessage(SAMPLE);
    return all;
  };
  await answers();
  await ask();
  const results: number[] = [];
  for (let i = 0; i < runs; i++) {
    const { seconds } = await timed(async () => void await ask());
    results.push(cores * SAMPLE / seconds);
  }
  for (const worker of workers) worker.terminate();
  return median(results);
}

function printTable(
  limits: { one: number; all: number },
  original?: Record<"ingest" | "get" | "replay", number>,
): void {
  const columns = ["", ...sizes.map((size) => size.toLocaleString("en")), "last/first", "against"];
  const rows = [...rates].map(([name, row]) => {
    const values = sizes.map((size) => row.get(size)!);
    const [last, first] = [values.at(-1)!, values[0]];
    const against = [
      name.startsWith("ingest") ? `${(last / limits.all).toFixed(2)} of signature checks on all cores` : "",
      name.startsWith("ingest") && original ? `${(last / original.ingest).toFixed(1)} times the original` : "",
      name.startsWith("append") ? `${(last / limits.one).toFixed(2)} of signature checks on one core` : "",
      rates.has(`${name}, the original`) ? `${ratios(name).join(", ")} times the original` : "",
    ];
    const numbers = values.map((value) => Math.round(value).toLocaleString("en"));
    return [name, ...numbers, (last / first).toFixed(2), against.filter(Boolean).join(", ")];
  });
  const fixed = (value: number) => Math.round(value).toLocaleString("en");
  console.log(`signature checks alone: ${fixed(limits.one)} on one core, ${fixed(limits.all)} on all`);
  if (original) console.log(`the original, by its own measure: ${JSON.stringify(original)}`);
  console.log();
  printColumns([columns, ...rows]);
}

/** How many times as fast as the original, at each size. */
function ratios(name: string): string[] {
  const [ours, theirs] = [rates.get(name)!, rates.get(`${name}, the original`)!];
  return sizes.map((size) => (ours.get(size)! / theirs.get(size)!).toFixed(2));
}

/** How soon the command line answers, on the largest log. */
async function measureStart(size: number): Promise<void> {
  const cli = decodeURIComponent(new URL("../cli.ts", import.meta.url).pathname);
  const start = async (...args: string[]) => {
    const results: number[] = [];
    for (let i = 0; i < Math.max(5, runs); i++) {
      const command = new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--quiet",
          "--no-prompt",
          "--allow-read",
          "--allow-write",
          "--allow-ffi",
          "--allow-env",
          cli,
          ...args,
        ],
      });
      const { seconds } = await timed(async () => void await command.output());
      results.push(seconds * 1000);
    }
    return median(results);
  };
  const help = await start("--help");
  const heads = await start("heads", "--log", `${folder}/kept-${size}.db`);
  const ratio = (heads / help).toFixed(2);
  console.log(`mnema --help ${help.toFixed(0)} ms, mnema heads on ${size} ${heads.toFixed(0)} ms: ${ratio} times`);
}
