/**
 * Appends an operation twice to a log with a rollback journal, and prints a line for each commit: `again.ts PATH`.
 *
 * @module
 */

import { OpLog } from "../../mod.ts";
import { note } from "../operations.ts";
import { installLayer } from "../torture/layer.ts";

if (import.meta.main) {
  const op = note("again");
  let name = "";
  using _layer = installLayer((call) => {
    if (name !== "" && call.kind === "delete" && call.syncsFolder) console.log(`${name} is committed`);
    return undefined;
  }, { sharesMemory: false });
  using log = OpLog.open(Deno.args[0]);
  name = "the first";
  log.append(op);
  name = "the second";
  log.append(op);
  name = "the batch";
  await log.ingest([op], { workers: 0 });
  name = "";
}
