/**
 * `project_claims.ts PATH`: brings the claims of a log up, and says how long it took and how much memory at most.
 *
 * @module
 */

import { OpLog } from "../mod.ts";

using log = OpLog.open(Deno.args[0]);
const start = performance.now();
log.claims.current("any");
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ seconds, peakMegabytes: peakMegabytes() }));

/** Linux keeps the greatest size of a process; elsewhere there is the present one. */
function peakMegabytes(): number {
  if (Deno.build.os !== "linux") return Math.round(Deno.memoryUsage().rss / 1e6);
  // Deno itself reads nothing under /proc without --allow-all.
  const { stdout } = new Deno.Command("grep", { args: ["VmHWM", `/proc/${Deno.pid}/status`] }).outputSync();
  return Math.round(parseInt(new TextDecoder().decode(stdout).slice("VmHWM:".length)) / 1000);
}
