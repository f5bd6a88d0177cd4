/**
 * `ingest_cpu.ts PATH LINES with|without`: makes a log of JSON lines, with or without the sums of ranges, and says how much
 * processor time that took.
 *
 * @module
 */

import process from "node:process";
import { OpLog } from "../mod.ts";
import { BULK_FOLLOWERS } from "../src/built_in.ts";
import type { TableProjection } from "../src/derived/table_projection.ts";

const [path, lines, mode] = Deno.args;
if (mode === "without") (BULK_FOLLOWERS as TableProjection[]).length = 0;
using log = OpLog.open(path);
const before = process.cpuUsage();
await log.ingest((await Deno.open(lines)).readable);
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ cpuSeconds: (user + system) / 1e6 }));
