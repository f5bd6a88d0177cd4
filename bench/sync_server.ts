/**
 * `sync_server.ts PATH`: serves a log, prints its address, and at the end of standard input how much memory it took at
 * most.
 *
 * @module
 */

import { Identity, OpLog } from "../mod.ts";
import { serve } from "../sync.ts";
import { peakMegabytes } from "./process.ts";

using log = OpLog.open(Deno.args[0]);
await using server = await serve(log, { signer: Identity.generate() });
console.log(server.url);
for await (const _ of Deno.stdin.readable);
console.log(peakMegabytes());
