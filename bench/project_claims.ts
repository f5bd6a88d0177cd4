/**
 * `project_claims.ts PATH`: brings the claims of a log up, and says how long it took and how much memory at most.
 *
 * @module
 */

import { OpLog } from "../mod.ts";
import { peakMegabytes } from "./process.ts";

using log = OpLog.open(Deno.args[0]);
const start = performance.now();
log.claims.current("any");
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ seconds, peakMegabytes: peakMegabytes() }));
