/**
 * `ingest.ts PATH LINES`: makes a log of JSON lines, and says how much memory it took at most.
 *
 * @module
 */

import { OpLog } from "../mod.ts";
import { peakMegabytes } from "./process.ts";

const [path, lines] = Deno.args;
using log = OpLog.open(path);
await log.ingest((await Deno.open(lines)).readable);
console.log(JSON.stringify({ peakMegabytes: peakMegabytes() }));
