/** `traced.ts PATH`: uses a log, and prints every call that the layer has told of, a line each. */

import { OpLog } from "../../mod.ts";
import { note } from "../operations.ts";
import { type Call, installLayer } from "./layer.ts";

const [path] = Deno.args;
const lines: string[] = [];
/** Journals that were opened and not yet synced: the first sync also syncs the folder. */
const opened = new Set<string>();

function tell(call: Call): undefined {
  const name = call.path.slice(path.lastIndexOf("/") + 1);
  switch (call.kind) {
    case "open":
      if (call.isCreating && call.isJournal) opened.add(name);
      break;
    case "write":
      lines.push(`write ${name} ${call.bytes.length} at ${call.offset}`);
      break;
    case "truncate":
      lines.push(`truncate ${name} ${call.size}`);
      break;
    case "sync":
      lines.push(`sync ${name}`);
      if (opened.delete(name)) lines.push("sync folder");
      break;
    case "delete":
      lines.push(`delete ${name}`);
      if (call.syncsFolder) lines.push("sync folder");
  }
}

{
  using _ = installLayer(tell);
  for (let n = 0; n < 2; n++) {
    using log = OpLog.open(path);
    log.append(note(`${n}`));
    log.appendAll([note(`${n} ${"x".repeat(10_000)}`), note(`${n} again`)]);
    log.heads();
  }
}
console.log(lines.join("\n"));
