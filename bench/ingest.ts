/**
 * `ingest.ts PATH LINES [without]`: makes a log of JSON lines, or one without the sums of ranges, and says how much memory
 * it took at most, and how much processor time.
 *
 * @module
 */

import { OpLog } from "../mod.ts";
import { BULK_FOLLOWERS } from "../src/built_in.ts";
import type { TableProjection } from "../src/derived/table_projection.ts";
import { cpuSeconds, mainThreadSeconds, peakMegabytes } from "./process.ts";

/** What one ingest took. */
export interface Taken {
  /** Memory, in megabytes. */
  peakMegabytes: number;
  /** Processor time of an operation in microseconds: of all threads; of the thread that writes. */
  cpu: number;
  writer: number;
}

const [path, lines, mode] = Deno.args;
if (mode === "without") (BULK_FOLLOWERS as TableProjection[]).length = 0;
using log = OpLog.open(path);
const before = [cpuSeconds(), mainThreadSeconds()];
const { new: count } = await log.ingest((await Deno.open(lines)).readable);
const [cpu, writer] = [cpuSeconds(), mainThreadSeconds()].map((after, i) => (after - before[i]) / count * 1e6);
const taken: Taken = { peakMegabytes: peakMegabytes(), cpu, writer };
console.log(JSON.stringify(taken));
