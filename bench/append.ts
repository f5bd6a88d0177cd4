/**
 * Measures appending one at a time to a file, with FULL, from one process and from several at once, in turn with SQLite
 * alone: the same rows, tables and settings on the same disk.
 *
 * `deno task bench:append [--count 2000] [--writers 1,8] [--runs 5] [--folder FOLDER]`: `count` operations are appended by
 * all writers together to a new file in FOLDER.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { OpLog } from "../mod.ts";
import type { Written } from "./append/writer.ts";
import { median, printColumns } from "./figures.ts";
import { refuseUnknown } from "./options.ts";

const options = parseArgs(Deno.args, {
  unknown: refuseUnknown,
  string: ["count", "writers", "runs", "folder"],
  default: { count: "2000", writers: "1,8", runs: "5" },
});
const [count, runs] = [Number(options.count), Number(options.runs)];
const WRITER = decodeURIComponent(new URL("./append/writer.ts", import.meta.url).pathname);

/** The ways to append, and what they are. */
const WAYS = {
  sqlite: "SQLite alone",
  transaction: "SQLite alone, BEGIN IMMEDIATE",
  append: "append",
  unverified: "append, verified before",
  record: "record: created and signed",
} as const;
type Way = keyof typeof WAYS;

/** One run of one way. */
interface Run {
  /** Operations a second. */
  rate: number;
  /** Microseconds: processor time of an append; how long one took. */
  cpu: number;
  median: number;
  p99: number;
  slowest: number;
}

const folder = Deno.makeTempDirSync({ prefix: "mnema-bench-", dir: options.folder });
try {
  measureSyncs();
  for (const writers of options.writers.split(",").map(Number)) {
    const results = new Map<Way, Run[]>();
    for (let run = 0; run < runs; run++) {
      // Another order in every second run: what one leaves on the disk's queue is not always the same one's burden.
      const ways = Object.keys(WAYS) as Way[];
      for (const way of run % 2 === 0 ? ways : ways.toReversed()) {
        results.set(way, [...results.get(way) ?? [], await measure(way, writers)]);
      }
    }
    printTable(writers, results);
  }
} finally {
  Deno.removeSync(folder, { recursive: true });
}

/** What the disk takes for a page and a sync, which is what a commit waits for. */
function measureSyncs(): void {
  using file = Deno.openSync(`${folder}/syncs`, { write: true, create: true });
  const times = Array.from({ length: 200 }, () => {
    file.writeSync(new Uint8Array(16_384));
    const start = performance.now();
    file.syncDataSync();
    return (performance.now() - start) * 1000;
  });
  console.log(`a sync of 16 KiB more of a file: median ${median(times).toFixed(0)} µs`);
}

/** Appends from so many processes at once. */
async function measure(way: Way, writers: number): Promise<Run> {
  const path = `${folder}/log.db`;
  OpLog.open(path).close();
  const each = Math.ceil(count / writers);
  const children = Array.from({ length: writers }, (_, number) => start(way, path, number, each));
  for (const child of children) await child.ready;
  for (const child of children) child.begin();
  const reports = await Promise.all(children.map(({ report }) => report));
  using log = OpLog.open(path);
  if (log.size !== each * writers) throw new Error(`${log.size} of ${each * writers} were appended`);
  log.close();
  Deno.removeSync(path);
  const seconds = (Math.max(...reports.map(({ end }) => end)) - Math.min(...reports.map(({ begin }) => begin))) / 1000;
  const times = reports.flatMap(({ times }) => times).sort((a, b) => a - b);
  return {
    rate: each * writers / seconds,
    cpu: reports.reduce((sum, { cpu }) => sum + cpu, 0) / writers,
    median: median(times),
    p99: times[Math.floor(times.length * 0.99)],
    slowest: times.at(-1)!,
  };
}

function start(way: Way, path: string, number: number, each: number) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", WRITER, way, path, String(number), String(each)],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const ready = Promise.withResolvers<void>();
  const input = child.stdin.getWriter();
  return {
    ready: ready.promise,
    begin: () => void input.write(new TextEncoder().encode("begin\n")).then(() => input.close()),
    report: (async (): Promise<Written> => {
      let text = "";
      for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
        text += part;
        if (text.startsWith("ready\n")) ready.resolve();
      }
      await child.status;
      if (text.split("\n").length < 3) ready.reject(new Error(`a writer failed: ${way}`));
      return JSON.parse(text.slice("ready\n".length));
    })(),
  };
}

function printTable(writers: number, results: ReadonlyMap<Way, Run[]>): void {
  const of = (way: Way, what: keyof Run) => median(results.get(way)!.map((run) => run[what]));
  const ratio = (way: Way) => median(results.get(way)!.map(({ rate }, i) => rate / results.get("sqlite")![i].rate));
  const rows = (Object.keys(WAYS) as Way[]).map((way) => [
    WAYS[way],
    ...(["rate", "median", "p99", "slowest", "cpu"] as const).map((what) => of(way, what).toFixed(0)),
    ratio(way).toFixed(2),
  ]);
  const title = `${writers} ${writers === 1 ? "process" : "processes"}`;
  const cells = [
    [title, "operations/s", "median, µs", "99 %, µs", "slowest, µs", "processor, µs", "of SQLite"],
    ...rows,
  ];
  console.log();
  printColumns(cells);
}
