/**
 * Appends an operation twice to a log with a rollback journal, and ingests it once more; prints a line for each sync:
 * `journal.ts PATH DURABILITY`.
 *
 * @module
 */

import { OpLog } from "../../mod.ts";
import { note } from "../operations.ts";
import { installLayer } from "../torture/layer.ts";

if (import.meta.main) {
  const [path, durability] = Deno.args;
  const op = note("again");
  let name = "open";
  using _layer = installLayer((call) => {
    if (call.kind === "sync") console.log(`${name}: sync ${call.path.endsWith("-journal") ? "journal" : "log"}`);
    if (call.kind === "delete" && call.syncsFolder) console.log(`${name}: sync folder`);
    return undefined;
  }, { sharesMemory: false });
  using log = OpLog.open(path, { durability: durability === "normal" ? "normal" : "full" });
  name = "first";
  log.append(op);
  name = "second";
  log.append(op);
  name = "ingest";
  await log.ingest([op], { workers: 0 });
  name = "close";
}
