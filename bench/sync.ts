/**
 * Measures synchronization, and prints each figure with its limit beside it.
 *
 * `deno task bench:sync [SIZE]`: with logs of SIZE operations, 200,000 by default.
 *
 * @module
 */

import { Identity, Operation, OpLog } from "../mod.ts";
import { connect, serve, sync } from "../sync.ts";
import { median } from "./figures.ts";
import { author, generate, writeLines } from "./generate.ts";
import type { Taken } from "./ingest.ts";
import { inChild } from "./process.ts";

const size = Number(Deno.args[0] ?? 200_000);
if (!Number.isSafeInteger(size) || size < 1000) throw new Error("SIZE is an integer of at least 1000");

/** Operations that one of two logs lacks. */
const DIFFERENCES = 100;
/** What the reference implementation needs, both directions together, for 100,000 records with 100 scattered differences. */
const REFERENCE = { rounds: 2, bytes: 111_000 };
const FOLLOWERS = 100;
const FOLLOWED_OPERATIONS = 100;
const APPENDS = 50;
/** Runs of what is noisy; the medians are compared. */
const RUNS = 3;
const FIRST_TS = 1_718_000_000_000;

const folder = Deno.makeTempDirSync({ prefix: "mnema-bench-" });
const lines = `${folder}/ops.jsonl`;
try {
  console.log(`${size} operations\n`);
  writeLines(lines, generate(size));
  const rate = await measureIngest(`${folder}/full.db`);
  await measureDifference();
  await measureFirst(rate);
  await measureFollower();
  await measureMemory();
  await measureSums();
} finally {
  Deno.removeSync(folder, { recursive: true });
}

/** Prints a figure, its limit, and whether it keeps to it. */
function report(what: string, figure: number, limit: number, unit: string, isLeast = false): void {
  const keeps = isLeast ? figure >= limit : figure <= limit;
  const shown = Number.isInteger(figure) ? String(figure) : figure.toFixed(2);
  const bound = limit === Infinity ? "no limit" : `limit ${isLeast ? ">=" : "<="} ${limit}${unit}`;
  console.log(`${what.padEnd(62)} ${`${shown}${unit}`.padStart(14)}  ${bound.padEnd(24)} ${keeps ? "kept" : "MISSED"}`);
}

/** Makes a log from a file, and returns its rate in operations a second. */
async function measureIngest(path: string): Promise<number> {
  using log = OpLog.open(path);
  const start = performance.now();
  const { new: added } = await log.ingest((await Deno.open(lines)).readable);
  if (added !== size) throw new Error(`${added} of ${size} entered`);
  const rate = size / (performance.now() - start) * 1000;
  console.log(`${"ingest from a file".padEnd(62)} ${`${Math.round(rate)}/s`.padStart(14)}`);
  return rate;
}

/** Two logs that differ by some operations, which are scattered over time. */
async function measureDifference(): Promise<void> {
  const [a, b] = [`${folder}/a.db`, `${folder}/b.db`];
  for (const path of [a, b]) Deno.copyFileSync(`${folder}/full.db`, path);
  const scattered = Array.from({ length: DIFFERENCES }, (_, n) =>
    Operation.create({
      type: "note",
      body: { n },
      prev: [],
      ts: FIRST_TS + Math.floor((n + 0.5) / DIFFERENCES * size * 137),
    }, author(n % 8)));
  for (const [i, path] of [a, b].entries()) {
    using log = OpLog.open(path);
    await log.ingest(scattered.filter((_, n) => n % 2 === i));
  }
  {
    using here = OpLog.open(a);
    using there = OpLog.open(b);
    const { rounds, bytesSent, bytesReceived, missingHere = 0, missingThere = 0 } = await sync(here, there, {
      dryRun: true,
    });
    if (missingHere + missingThere !== DIFFERENCES) throw new Error(`${missingHere} and ${missingThere} are missing`);
    report(`${DIFFERENCES} scattered differences, round trips`, rounds, REFERENCE.rounds * 1.2, "");
    // The figure of the reference is for 100,000; with a million, each difference costs more.
    const most = size > 200_000 ? Infinity : REFERENCE.bytes * 1.2;
    report("the same, bytes both ways", bytesSent + bytesReceived, most, " B");
  }
  const start = performance.now();
  using here = OpLog.open(a);
  using there = OpLog.open(b);
  const { sent, received } = await sync(here, there);
  const ms = performance.now() - start;
  if (sent.new + received.new !== DIFFERENCES) throw new Error("the logs are not equal");
  report("the same, from opening both to the end", Math.round(ms), size > 200_000 ? 600 : 300, " ms");
}

/** The first synchronization of a new log with a server in another process. */
async function measureFirst(ingestRate: number): Promise<void> {
  await using server = await startServer(`${folder}/full.db`);
  using log = OpLog.open(`${folder}/first.db`);
  const start = performance.now();
  const { received } = await connect(log, server.url, { signer: Identity.generate() }).done;
  if (received.new !== size) throw new Error(`${received.new} of ${size} arrived`);
  const rate = size / (performance.now() - start) * 1000;
  report("first synchronization over loopback, of the rate of ingest", rate / ingestRate, 0.8, "", true);
}

/** From an append on one node to its arrival on another, over loopback. */
async function measureFollower(): Promise<void> {
  using there = OpLog.open(`${folder}/there.db`);
  using here = OpLog.open(`${folder}/here.db`);
  await using server = await serve(there, { signer: Identity.generate() });
  const following = Promise.withResolvers<void>();
  await using _connection = connect(here, server.url, {
    signer: Identity.generate(),
    follow: true,
    onStatus: ({ phase }) => phase === "follow" && following.resolve(),
  });
  await following.promise;
  const entries = here.follow();
  const waits: number[] = [];
  for (let n = 0; n < APPENDS; n++) {
    const start = performance.now();
    there.record(author(0), "note", { n });
    await entries.next();
    waits.push(performance.now() - start);
  }
  await entries.return(undefined);
  report("a follower sees an appended operation, median", Math.round(median(waits)), 50, " ms");
}

/** The memory of a server with many followers. */
async function measureMemory(): Promise<void> {
  const path = `${folder}/followed.db`;
  {
    using log = OpLog.open(path);
    await log.ingest([...generate(FOLLOWED_OPERATIONS)]);
  }
  const server = await startServer(path);
  const logs = Array.from({ length: FOLLOWERS }, () => OpLog.open());
  let followers = 0;
  const all = Promise.withResolvers<void>();
  const connections = logs.map((log) => {
    let isCounted = false;
    return connect(log, server.url, {
      signer: Identity.generate(),
      follow: true,
      onStatus: ({ phase }) => {
        if (phase !== "follow" || isCounted) return;
        isCounted = true;
        if (++followers === FOLLOWERS) all.resolve();
      },
    });
  });
  await all.promise;
  const op = logs[0].record(author(0), "note", { text: "to all" });
  await Promise.all(logs.map((log) => arrival(log, op.opId)));
  const { peakMegabytes } = await server.stop();
  await Promise.all(connections.map((connection) => connection.close()));
  for (const log of logs) log.close();
  report(`memory of a server with ${FOLLOWERS} followers`, peakMegabytes, 300, " MB");
}

async function arrival(log: OpLog, opId: string): Promise<void> {
  for await (const { op } of log.follow({ sinceSeq: 0 })) if (op.opId === opId) return;
}

/** What keeping the sums of ranges costs an ingest, in processor time. */
async function measureSums(): Promise<void> {
  const cpu: Record<string, number[]> = { with: [], without: [] };
  for (let run = 0; run < RUNS; run++) {
    for (const mode of Object.keys(cpu)) {
      const path = `${folder}/${mode}-${run}.db`;
      cpu[mode].push((await inChild<Taken>("ingest.ts", path, lines, mode)).cpu);
      Deno.removeSync(path);
    }
  }
  const cost = (median(cpu.with) / median(cpu.without) - 1) * 100;
  report("sums of ranges, of the processor time of ingest", cost, 5, " %");
}

/** A server in another process. */
interface ServerProcess extends AsyncDisposable {
  url: string;
  /** Ends it; it says how much memory it took at most. */
  stop(): Promise<{ peakMegabytes: number }>;
}

async function startServer(path: string): Promise<ServerProcess> {
  const script = decodeURIComponent(new URL("sync_server.ts", import.meta.url).pathname);
  const permissions = [
    "--allow-read",
    "--allow-write",
    "--allow-ffi",
    "--allow-env",
    "--allow-run=grep",
    "--allow-net",
  ];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...permissions, script, path],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value: url = "" } = await output.read();
  let stopped: Promise<{ peakMegabytes: number }> | undefined;
  const stop = async () => {
    await child.stdin.close();
    let text = "";
    for (let part = await output.read(); !part.done; part = await output.read()) text += part.value;
    await child.status;
    return { peakMegabytes: Number(text) };
  };
  return {
    url: url.trim(),
    stop: () => stopped ??= stop(),
    async [Symbol.asyncDispose]() {
      await (stopped ??= stop());
    },
  };
}
