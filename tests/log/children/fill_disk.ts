/** `fill_disk.ts FOLDER`: appends batches of ten until the disk is full, then makes room and goes on. */

import { FileError, OpLog } from "../../../mod.ts";
import { note } from "../../operations.ts";
import { report } from "./report.ts";

const [folder] = Deno.args;
const path = `${folder}/log.db`;

report(() => {
  Deno.writeFileSync(`${folder}/ballast`, new Uint8Array(1 << 19));
  using log = OpLog.open(path);
  let committed = 0;
  const batch = () => Array.from({ length: 10 }, (_, n) => note(`${committed + n} ${"x".repeat(2000)}`, log.heads()));
  let code: string | undefined;
  while (code === undefined) {
    try {
      log.appendAll(batch());
      committed += 10;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      code = error.code;
    }
  }
  const kept = verified(log);
  const elsewhere = reopened();
  Deno.removeSync(`${folder}/ballast`);
  log.appendAll(batch());
  return { code, committed, kept, reopened: elsewhere, afterwards: verified(log), heads: log.heads().length };
});

function verified(log: OpLog): number {
  let count = 0;
  for (const { op } of log.entries()) {
    op.verify();
    count++;
  }
  return count;
}

function reopened(): number {
  using log = OpLog.open(path, { readonly: true });
  return verified(log);
}
