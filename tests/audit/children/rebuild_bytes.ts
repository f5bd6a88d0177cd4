/**
 * `rebuild_bytes.ts PATH COUNT`: makes a log of so many operations, and reports how many bytes an audit reads from its
 * file to rebuild what is derived.
 */

import { OpLog } from "../../../mod.ts";
import { openToAudit } from "../../../src/audit/open.ts";
import { withRebuilt } from "../../../src/audit/derived.ts";
import { BUILT_IN } from "../../../src/built_in.ts";
import { report } from "../../log/children/report.ts";
import { chain } from "../tamper.ts";

const [path, count] = Deno.args;

function bytesRead(): number {
  return Number(/^rchar: (\d+)/.exec(Deno.readTextFileSync("/proc/self/io"))![1]);
}

report(() => {
  {
    using log = OpLog.open(path, { durability: "normal" });
    log.appendAll(chain(Number(count), ""), { verify: false });
  }
  const { connection, closeAndTidy } = openToAudit(path, 0);
  connection.execute("PRAGMA cache_size = 16"); // what is read again is not in memory
  const before = bytesRead();
  connection.temporarily(() => withRebuilt(connection, Number(count), BUILT_IN, () => {}));
  const read = bytesRead() - before;
  closeAndTidy();
  return read;
});
