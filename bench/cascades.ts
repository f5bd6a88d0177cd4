/**
 * Measures how cascades grow: a refute at the root of a chain of claims, and of a chain with claims that are each derived
 * from all of it; a rebuild with the refute at the end of the log; and the catch-up of claims with many inputs.
 *
 * By itself: `deno run -A bench/cascades.ts`.
 *
 * @module
 */

import { Operation, OpLog } from "../mod.ts";
import { author, generateChain, ROOT_KEY } from "./generate.ts";
import { inChild } from "./process.ts";

const CHAINS = [1_000, 10_000, 40_000];
const SUMMARIES = [100, 400, 1_600];
const WIDE = [500, 2_000];
const INPUTS = 1_024;
/** A row is the best of these many runs: others use the machine too. */
const RUNS = 3;

/** What a refute and a rebuild took, in milliseconds. */
interface Run {
  felled: number;
  refute: number;
  /** Of the refute: what it takes to sign as many and as long messages. */
  signing: number;
  /** Of the refute: what it takes to make as many operations of the same content: encoded, hashed, signed. */
  making: number;
  rebuild: number;
}

/**
 * Prints what cascades cost, for each edge between claims, and how that grows from row to row.
 *
 * @param folder Where to put logs meanwhile.
 * @param most The most claims that fall in a row, but for the first of each kind.
 */
export async function measureCascades(folder: string, most = Infinity): Promise<void> {
  const upTo = (lengths: number[], times = 1) => lengths.filter((length, i) => i === 0 || length * times <= most);
  console.log(
    "\ncascades, milliseconds: the rest is without making what is signed; growth is that of the time for an edge",
  );
  row(
    "",
    "felled",
    "edges",
    "refute",
    "signing",
    "making",
    "the rest",
    "µs an edge",
    "growth",
    "rebuild",
    "µs an edge",
    "growth",
  );
  measure(":memory:", 100, 100); // warms up
  const path = `${folder}/cascades.db`;
  printRows("a chain, in a file", upTo(CHAINS).map((length) => ({ path, length, summaries: 0 })));
  printRows("a chain, in memory", upTo(CHAINS).map((length) => ({ path: ":memory:", length, summaries: 0 })));
  printRows("a chain, and as many on all of it", upTo(SUMMARIES, 10).map((n) => ({ path, length: n, summaries: n })));
  await measureWide(folder, upTo(WIDE, 10));
}

function printRows(what: string, cases: { path: string; length: number; summaries: number }[]): void {
  const before: number[] = [];
  for (const { path, length, summaries } of cases) {
    const runs = Array.from({ length: RUNS }, () => measure(path, length, summaries));
    const best = (of: (run: Run) => number) => Math.min(...runs.map(of));
    const [refute, signing, making, rebuild] = [
      best((run) => run.refute),
      best((run) => run.signing),
      best((run) => run.making),
      best((run) => run.rebuild),
    ];
    const rest = refute - making;
    const edges = length - 1 + length * summaries;
    const perEdge = [rest, rebuild].map((ms) => ms * 1000 / edges);
    const growth = perEdge.map((now, i) => before[i] === undefined ? "" : (now / before[i]).toFixed(2));
    before.splice(0, 2, ...perEdge);
    const [ofRefute, ofRebuild] = perEdge.map((microseconds) => microseconds.toFixed(2));
    const counts = [runs[0].felled, edges].map((count) => count.toLocaleString("en"));
    const times = [refute, signing, making, rest].map((ms) => ms.toFixed(0));
    row(what, ...counts, ...times, ofRefute, growth[0], rebuild.toFixed(0), ofRebuild, growth[1]);
  }
}

function measure(path: string, length: number, summaries: number): Run {
  const signer = author(1);
  using log = OpLog.open(path);
  let ops: Operation[] = [];
  for (const op of generateChain(length, summaries)) {
    if (ops.push(op) < 1000) continue;
    log.appendAll(ops);
    ops = [];
  }
  log.appendAll(ops);
  log.claims.current(ROOT_KEY);
  let invalidations: Operation[] = [];
  const refute = time(() => invalidations = log.claims.refute(signer, ROOT_KEY).invalidations);
  const messages = invalidations.map(({ wire }) => new TextEncoder().encode(wire));
  const signing = time(() => messages.forEach((message) => signer.sign(message)));
  const making = time(() => invalidations.forEach((draft) => Operation.create(draft, signer)));
  if (invalidations.length !== length + summaries) throw new Error(`${invalidations.length} claims fell`);
  const run = { felled: invalidations.length, refute, signing, making, rebuild: time(() => log.rebuild()) };
  log.close();
  if (path !== ":memory:") Deno.removeSync(path);
  return run;
}

/** The catch-up of claims that are each derived from as many others. */
async function measureWide(folder: string, counts: readonly number[]): Promise<void> {
  console.log(`\nthe catch-up of claims with ${INPUTS.toLocaleString("en")} inputs each, after a chain of as many`);
  row("", "claims", "ms", "µs an edge", "memory, MB");
  for (const count of counts) {
    const path = `${folder}/wide.db`;
    {
      using log = OpLog.open(path);
      for (const op of generateChain(INPUTS, count)) log.append(op);
    }
    const { seconds, peakMegabytes } = await inChild<{ seconds: number; peakMegabytes: number }>(
      "project_claims.ts",
      path,
    );
    const edges = INPUTS - 1 + INPUTS * count;
    row("", `${count}`, (seconds * 1000).toFixed(0), (seconds * 1e6 / edges).toFixed(2), `${peakMegabytes}`);
    Deno.removeSync(path);
  }
}

function row(what: string, ...cells: string[]): void {
  console.log(what.padEnd(36) + cells.map((cell) => cell.padStart(11)).join(""));
}

function time(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

if (import.meta.main) {
  const folder = Deno.makeTempDirSync({ prefix: "mnema-bench-" });
  try {
    await measureCascades(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
