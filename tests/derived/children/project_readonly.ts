/** `project_readonly.ts PATH`: opens a log for reading, and reports all state that is derived from it. */

import { OpLog } from "../../../mod.ts";
import { report } from "../../log/children/report.ts";
import { counts } from "../projections.ts";

const [path] = Deno.args;

report(() => {
  using log = OpLog.open(path, { readonly: true });
  const ask = () => [log.project(counts), log.heads().length, [...log.claims.query()].map(({ status }) => status)];
  const [first, second] = [ask(), ask()];
  if (JSON.stringify(first) !== JSON.stringify(second)) throw new Error("asked again, the answer is another");
  return first;
});
