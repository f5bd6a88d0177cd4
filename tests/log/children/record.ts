/** `record.ts PATH COUNT`: says "ready", waits until its input ends, opens a log and records so many operations. */

import { OpLog } from "../../../mod.ts";
import { alice } from "../../operations.ts";
import { report } from "./report.ts";

const [path, count] = Deno.args;
console.log("ready");
for await (const _ of Deno.stdin.readable);

report(() => {
  using log = OpLog.open(path);
  for (let n = 0; n < Number(count); n++) log.record(alice, "note", { process: Deno.pid, n });
  return "done";
});
