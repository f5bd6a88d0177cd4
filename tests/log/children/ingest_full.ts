/**
 * `ingest_full.ts FOLDER`: takes in operations until the disk is full, then makes room and takes in the same again. The
 * source waits until what it has given is committed.
 */

import { FileError, OpLog } from "../../../mod.ts";
import { note } from "../../operations.ts";
import { report } from "./report.ts";

const [folder] = Deno.args;
const ops = Array.from({ length: 800 }, (_, n) => note(`${n} ${"x".repeat(4000)}`));
let committed = Promise.withResolvers<void>();

async function* source() {
  for (let at = 0; at < ops.length; at += 40) {
    committed = Promise.withResolvers();
    yield* ops.slice(at, at + 40).map(({ wire }) => wire);
    await committed.promise;
  }
}

const options = { workers: 0, onProgress: () => committed.resolve() };

Deno.writeFileSync(`${folder}/ballast`, new Uint8Array(13 << 20));
using log = OpLog.open(`${folder}/log.db`);
let failure: FileError | undefined;
try {
  await log.ingest(source(), options);
} catch (error) {
  if (!(error instanceof FileError)) throw error;
  failure = error;
}
const kept = log.size;
Deno.removeSync(`${folder}/ballast`);
const again = await log.ingest(source(), options);
report(() => ({
  code: failure?.code,
  message: failure?.message,
  kept,
  again: [again.known, again.new],
  size: log.size,
}));
