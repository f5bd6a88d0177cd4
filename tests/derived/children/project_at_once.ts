/**
 * `project_at_once.ts PATH COUNT`: says "ready", waits until its input ends, records so many operations, claims among
 * them, and asks after each for state that is derived from them.
 */

import { OpLog } from "../../../mod.ts";
import { report } from "../../log/children/report.ts";
import { alice } from "../../operations.ts";
import { counts, depthsById } from "../projections.ts";

const [path, count] = Deno.args;
console.log("ready");
for await (const _ of Deno.stdin.readable);

report(() => {
  using log = OpLog.open(path, { durability: "normal", busyTimeoutMs: 30_000 });
  for (let n = 0; n < Number(count); n++) {
    const { opId } = log.record(alice, "note", { process: Deno.pid, n });
    if (log.project(depthsById)[opId] === undefined) throw new Error(`${opId} is not in the state`);
    const claim = log.claims.assert(alice, { key: `${Deno.pid}`, value: n, inputs: [opId] });
    log.project(counts);
    if (log.claims.current(`${Deno.pid}`)?.opId !== claim.opId) throw new Error(`${claim.opId} does not hold`);
  }
  return "done";
});
