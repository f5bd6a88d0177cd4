import { assertEquals } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { internalsOf } from "../../src/oplog.ts";
import { withFolder } from "../folder.ts";
import { note } from "../operations.ts";

const SMALL = -(32 << 10);
const LARGE = -(256 << 10);

function cacheSize(log: OpLog): number {
  return internalsOf(log).connection.query("PRAGMA cache_size").value<[number]>()![0];
}

function lookUp(log: OpLog, opId: string, times: number): void {
  for (let n = 0; n < times; n++) log.get(opId);
}

Deno.test("the page cache grows once a thousand operations were looked up by id", () => {
  withFolder((folder) => {
    using log = OpLog.open(`${folder}/log.db`);
    const op = note("a");
    log.append(op);
    for (let n = 0; n < 1000; n++) log.has(op.opId);
    lookUp(log, op.opId, 999);
    for (const _ of log.entries());
    assertEquals(cacheSize(log), SMALL);
    lookUp(log, op.opId, 1);
    assertEquals(cacheSize(log), LARGE);
    log.append(note("b"));
    assertEquals([cacheSize(log), log.get(op.opId).wire], [LARGE, op.wire]);
  });
});

Deno.test("the page cache grows for a reader of a log that it cannot write", () => {
  withFolder((folder) => {
    const op = note("a");
    {
      using log = OpLog.open(`${folder}/log.db`);
      log.append(op);
    }
    using log = OpLog.open(`${folder}/log.db`, { readonly: true });
    lookUp(log, op.opId, 1000);
    assertEquals(cacheSize(log), LARGE);
  });
});

for (const atomic of [false, true]) {
  const what = atomic ? "an atomic ingest" : "an ingest";
  Deno.test(`the page cache is small during ${what}, and grows again after it`, async () => {
    await withFolder(async (folder) => {
      using log = OpLog.open(`${folder}/log.db`);
      const op = note("a");
      log.append(op);
      lookUp(log, op.opId, 1000);
      const during: number[] = [];
      const onProgress = () => {
        during.push(cacheSize(log));
        lookUp(log, op.opId, 1000);
        during.push(cacheSize(log));
      };
      const report = await log.ingest([note("b").wire], { atomic, onProgress, workers: 0 });
      assertEquals([report.new, new Set(during)], [1, new Set([SMALL])]);
      assertEquals(cacheSize(log), SMALL);
      lookUp(log, op.opId, 1000);
      assertEquals(cacheSize(log), LARGE);
    });
  });
}
