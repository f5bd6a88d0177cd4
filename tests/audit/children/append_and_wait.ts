/** Appends notes to the log at a path, says so, and waits to be killed. */

import { OpLog } from "../../../mod.ts";
import { note } from "../../operations.ts";

using log = OpLog.open(Deno.args[0]);
for (let n = 0; n < Number(Deno.args[1]); n++) log.append(note(`${n}`, log.heads()));
console.log("appended");
await new Promise(() => setInterval(() => {}, 1000));
