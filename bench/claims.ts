/**
 * Measures replay: bringing claims up from nothing, asking after them, and felling ten thousand of them.
 *
 * @module
 */

import { Identity, OpLog } from "../mod.ts";
import { measureCascades } from "./cascades.ts";
import { generateClaims, itemKey, ROOT_KEY, writeLines } from "./generate.ts";
import { inChild } from "./process.ts";

const DEPENDENTS = 10_000;
const QUERIES = 200;

/** Prints what claims cost on a log of so many operations. */
export async function measureClaims(folder: string, size: number): Promise<void> {
  const [lines, path] = [`${folder}/claims.jsonl`, `${folder}/claims.db`];
  const dependents = Math.min(DEPENDENTS, size / 10);
  writeLines(lines, generateClaims(size, dependents));
  {
    using log = OpLog.open(path);
    const { refused } = await log.ingest((await Deno.open(lines)).readable);
    if (refused > 0) throw new Error(`${refused} were refused`);
  }
  Deno.removeSync(lines);

  const { seconds, peakMegabytes } = await inChild<{ seconds: number; peakMegabytes: number }>(
    "project_claims.ts",
    path,
  );
  const say = (what: string, figure: string) => console.log(`${what.padEnd(44)}${figure}`);
  console.log(`\nclaims, on ${size.toLocaleString("en")} operations`);
  say("caught up from nothing", `${Math.round(size / seconds).toLocaleString("en")} operations a second`);
  say("memory of that process, at most", `${peakMegabytes} MB`);

  const alice = Identity.fromSeed(new Uint8Array(32).fill(1));
  {
    using log = OpLog.open(path);
    log.record(alice, "claim.assert", newClaim);
  }
  const afterOne = time(() => {
    using log = OpLog.open(path);
    if (log.claims.current(newClaim.key)?.value !== newClaim.value) throw new Error("the new claim is not there");
  });
  say("opening and asking after one new operation", milliseconds(afterOne));

  using log = OpLog.open(path);
  const queries = Array.from(
    { length: QUERIES },
    (_, n) => time(() => [...log.claims.query({ key: itemKey(n % 50, n) })]),
  );
  queries.sort((a, b) => a - b);
  say(
    "the claims of one key, median and slowest",
    `${milliseconds(queries[QUERIES / 2])}, ${milliseconds(queries.at(-1)!)}`,
  );
  let felled = 0;
  const refuting = time(() => felled = log.claims.refute(alice, ROOT_KEY).invalidations.length);
  if (felled < dependents * 0.9) throw new Error(`only ${felled} claims fell`);
  say(`a refute that fells ${felled.toLocaleString("en")} claims`, milliseconds(refuting));
  await measureCascades(folder, size);
}

const newClaim = {
  key: "bench.new",
  value: "new",
  confidence_ppm: 1,
  deriver: { id: "bench", version: "1" },
  inputs: [] as string[],
};

function time(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function milliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
}
