/**
 * Fuzzes targets in a process of its own: `child.ts REQUESTS`, where REQUESTS is JSON. It prints what it does, a JSON
 * object a line.
 *
 * @module
 */

import { collectGarbage } from "../garbage.ts";
import { Random } from "../random.ts";
import { Choices } from "./choices.ts";
import { Coverage } from "./coverage.ts";
import { Fuzzer, type FuzzReport } from "./fuzzer.ts";
import type { Target } from "./target.ts";
import { Watch } from "./watch.ts";

/** What to fuzz. */
export interface FuzzRequest {
  /** The name of the target. */
  name: string;
  /** The URL of its module. */
  module: string;
  /** Sources whose URL begins with this are those of which new parts are to be reached. */
  source: string;
  /** Repeats a run. */
  seed: string;
  /** How many inputs. */
  inputs: number;
  /** An empty folder. */
  folder: string;
  /** After so long, an input hangs, in milliseconds. */
  hangMs: number;
}

/** What the process prints. */
export type FuzzMessage =
  | { kind: "hang"; input: string }
  | (Omit<FuzzReport, "failures"> & {
    kind: "done";
    /** The name of the target. */
    name: string;
    failures: { input: string; message: string }[];
    functions: number;
    unreached: number;
    /** How much more memory is in use at the end than after the first tenth, in bytes. */
    growth: number;
    /** Memory of the process, in bytes. */
    rss: number;
  });

function print(message: FuzzMessage): void {
  console.log(JSON.stringify(message));
}

/** Memory that is in use after everything else was given back. */
async function heapInUse(): Promise<number> {
  await collectGarbage();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

async function fuzz(request: FuzzRequest, coverage: Coverage): Promise<void> {
  const { target }: { target: Target } = await import(request.module);
  const harness = await target.start(request.folder);
  using watch = await Watch.start(request.hangMs);
  const fuzzer = new Fuzzer(harness, new Choices(new Random(request.seed)), watch, coverage);
  let early = await heapInUse();
  const report = await fuzzer.run(request.inputs, async () => void (early = await heapInUse()));
  const growth = await heapInUse() - early;
  await harness.close?.();
  const failures = report.failures.map(({ input, message }) => ({ input: input.toBase64(), message }));
  const { rss } = Deno.memoryUsage();
  print({ kind: "done", name: request.name, ...report, failures, ...coverage.figures, growth, rss });
}

if (import.meta.main) {
  const requests: FuzzRequest[] = JSON.parse(Deno.args[0]);
  const coverage = await Coverage.start(requests[0].source);
  for (const request of requests) await fuzz(request, coverage);
}
