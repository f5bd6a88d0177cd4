/** `read_late.ts PATH`: opens a log to read it, says "ready", waits until its input ends, and reads it. */

import { OpLog } from "../../../mod.ts";
import { report } from "./report.ts";

const [path] = Deno.args;
using log = OpLog.open(path, { readonly: true });
console.log("ready");
for await (const _ of Deno.stdin.readable);

report(() => ({ entries: [...log.entries()].length, heads: log.heads().length }));
