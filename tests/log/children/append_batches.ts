/** `append_batches.ts PATH`: appends batches of ten until it is stopped, and prints after each how many are in. */

import { OpLog } from "../../../mod.ts";
import { note } from "../../operations.ts";

using log = OpLog.open(Deno.args[0]);
for (;;) {
  const before = log.size;
  log.appendAll(Array.from({ length: 10 }, (_, n) => note(`${before + n}`, log.heads())));
  console.log(log.size);
}
