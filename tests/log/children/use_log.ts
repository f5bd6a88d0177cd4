/** `use_log.ts PATH [OPTIONS]`: opens a log, appends to it unless the options say `readonly`, and reads it. */

import { type OpenOptions, OpLog } from "../../../mod.ts";
import { note } from "../../operations.ts";
import { report } from "./report.ts";

const [path, json = "{}"] = Deno.args;
const options: OpenOptions = JSON.parse(json);

report(() => {
  using log = OpLog.open(path, options);
  if (!options.readonly) log.append(note("from a child"));
  return { entries: [...log.entries()].length, heads: log.heads().length };
});
