/**
 * Reads a stream into a new log, in a process of its own, and reports the time and the most memory that it took.
 *
 * @module
 */

import { OpLog } from "../mod.ts";
import { stream } from "../stream.ts";
import { cpuSeconds, peakMegabytes } from "./process.ts";

const [url, name, path, size] = Deno.args;
using log = OpLog.open(path);
const start = performance.now();
await using node = await stream(log, { servers: url, stream: name });
await node.settled();
const seconds = (performance.now() - start) / 1000;
if (log.size !== Number(size)) throw new Error(`${log.size} of ${size} were read`);
console.log(JSON.stringify({ seconds, cpuSeconds: cpuSeconds(), megabytes: peakMegabytes() }));
