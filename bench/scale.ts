/**
 * Measures the log at several sizes, up to ten million operations, and prints how each figure grows.
 *
 * `deno task bench:scale [--sizes 10000,100000,1000000,10000000] [--source FOLDER] [--prepare] [--no-audit]`. What is
 * ingested is kept in FOLDER and used again by the next run; `--prepare` makes it, and measures nothing. Each figure is
 * printed as soon as it is known, and the table after each size, so that a run that is stopped has the rows before.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { median, printColumns } from "./figures.ts";
import { refuseUnknown } from "./options.ts";
import { inChild, V8_FLAGS } from "./process.ts";
import { provide } from "./scale/source.ts";

const options = parseArgs(Deno.args, {
  unknown: refuseUnknown,
  string: ["sizes", "source"],
  boolean: ["audit", "prepare"],
  negatable: ["audit"],
  default: { sizes: "10000,100000,1000000,10000000", audit: true },
});
const sizes = options.sizes.split(",").map(Number).sort((a, b) => a - b);
if (options.prepare && options.source === undefined) throw new Error("--prepare needs --source FOLDER");
if (!sizes.every((size) => Number.isSafeInteger(size) && size >= 2000)) {
  throw new Error("each of --sizes is an integer of at least 2000");
}

const CLI = decodeURIComponent(new URL("../cli.ts", import.meta.url).pathname);
const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-ffi", "--allow-env"];
/** How often a command is started; the median is reported. */
const STARTS = 7;
/** Steps that last less than this are repeated, and the median is reported. */
const LONG_MS = 20_000;
const RUNS = 3;

const began = performance.now();
/** The values of each row, by size. */
const rows = new Map<string, Map<number, number>>();
const folder = Deno.makeTempDirSync({ prefix: "mnema-bench-" });
Deno.addSignalListener("SIGINT", () => {
  printTable();
  Deno.removeSync(folder, { recursive: true });
  Deno.exit(130);
});
try {
  const source = options.source ?? folder;
  Deno.mkdirSync(source, { recursive: true });
  const lines = `${source}/history.jsonl`;
  const ends = await provide(lines, sizes, (written) => {
    if (written % 1_000_000 === 0 || written === sizes.at(-1)) say(`${count(written)} operations made and signed`);
  });
  for (const [i, size] of options.prepare ? [] : sizes.entries()) {
    await measure(size, lines, ends[i]);
    printTable();
  }
} finally {
  Deno.removeSync(folder, { recursive: true });
}

async function measure(size: number, lines: string, bytes: number): Promise<void> {
  const path = `${folder}/log.db`;
  const note = (row: string, value: number) => {
    const values = rows.get(row) ?? new Map<number, number>();
    rows.set(row, values.set(size, value));
    say(`${count(size)}: ${row} ${shown(value)}`);
  };
  say(`${count(size)} operations`);
  const ingest = await repeated(async () => {
    remove(path);
    return await step<{ rate: number; megabytes: number }>("ingest", path, lines, String(bytes), String(size));
  });
  note("ingest, operations/s", ingest.rate);
  note("ingest, memory, MB", ingest.megabytes);
  note("size of the log, MB", Deno.statSync(path).size / 1e6);

  note("open, to the heads, ms", (await step<{ ms: number }>("open", path)).ms);
  const get = await step<{ rate: number; id: string }>("get", path, String(size));
  note("mnema --help, ms", await start("--help"));
  for (const [command, ...args] of [["heads"], ["stats"], ["show", get.id]]) {
    const once = await start(command, "--log", path, ...args);
    note(`mnema ${command}, the first time, ms`, once);
    note(`mnema ${command}, ms`, await medianStart(command, "--log", path, ...args));
  }
  note("get by id, operations/s", get.rate);
  const proofs = await step<{ checkpoint: number; proof: number }>("proofs", path, String(size));
  note("a checkpoint, ms", proofs.checkpoint);
  note("an inclusion proof, ms", proofs.proof);
  const append = await step<{ median: number; mean: number }>("append", path, String(size));
  note("append one, FULL, median, µs", append.median);
  note("append one, FULL, mean, µs", append.mean);

  const claims = await step<{ rate: number; megabytes: number }>("claims", path, String(size));
  note("claims from nothing, operations/s", claims.rate);
  note("claims from nothing, memory, MB", claims.megabytes);
  const keys = await step<{ warm: number; after: number }>("keys", path, String(size));
  note("claims of one key, ms", keys.warm);
  note("the same, after one new operation, ms", keys.after);
  note("size with claims, MB", Deno.statSync(path).size / 1e6);

  if (options.audit) {
    const audit = await repeated(() => step<{ rate: number; megabytes: number }>("audit", path));
    note("audit, operations/s", audit.rate);
    note("audit, memory, MB", audit.megabytes);
  }
  remove(path);
}

function step<T>(...args: string[]): Promise<T> {
  return inChild<T>("scale/step.ts", ...args);
}

/** The run of the median rate, of several where one is short. */
async function repeated<T extends { rate: number }>(run: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const results = [await run()];
  if (performance.now() - start < LONG_MS) { for (let n = 1; n < RUNS; n++) results.push(await run()); }
  return results.toSorted((a, b) => a.rate - b.rate)[results.length >> 1];
}

/** How long a command takes, from its start to its end, in milliseconds. */
async function start(...args: string[]): Promise<number> {
  const begin = performance.now();
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", V8_FLAGS, ...PERMISSIONS, CLI, ...args],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return performance.now() - begin;
}

async function medianStart(...args: string[]): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < STARTS; n++) times.push(await start(...args));
  return median(times);
}

function remove(path: string): void {
  for (const suffix of ["", "-wal", "-shm"]) {
    try {
      Deno.removeSync(path + suffix);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Prints a line with the time since the start. */
function say(line: string): void {
  console.log(`${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s  ${line}`);
}

/** Prints what is known, and how it grows: from the first size to the last, and between the two last. */
function printTable(): void {
  const known = sizes.filter((size) => [...rows.values()].some((row) => row.has(size)));
  const growth = (row: Map<number, number>, from?: number) => {
    const [last, first] = [row.get(known.at(-1)!), row.get(from!)];
    return known.length < 2 || last === undefined || first === undefined ? "" : (last / first).toFixed(2);
  };
  const cells = [
    ["", ...known.map(count), "last/first", "of the last two"],
    ...[...rows].map(([name, row]) => [
      name,
      ...known.map((size) => row.has(size) ? shown(row.get(size)!) : ""),
      growth(row, known[0]),
      growth(row, known.at(-2)),
    ]),
  ];
  console.log();
  printColumns(cells);
  console.log();
}

function shown(value: number): string {
  return value >= 100 ? count(Math.round(value)) : value.toPrecision(3);
}

function count(value: number): string {
  return value.toLocaleString("en");
}
