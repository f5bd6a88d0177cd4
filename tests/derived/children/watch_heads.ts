/** `watch_heads.ts PATH LAST`: says "ready", asks for the heads until LAST is in the log, reports how many at most. */

import { OpLog } from "../../../mod.ts";
import { report } from "../../log/children/report.ts";

const [path, last] = Deno.args;

report(() => {
  using log = OpLog.open(path, { readonly: true });
  console.log("ready");
  let most = 0;
  while (!log.has(last)) most = Math.max(most, log.heads().length);
  return most;
});
