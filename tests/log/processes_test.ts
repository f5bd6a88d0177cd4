import { assert, assertEquals } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { withFolder } from "../folder.ts";
import { note } from "../operations.ts";
import { linesOf } from "../processes.ts";
import { startChild } from "./children/run.ts";

/** Four processes that record so many operations each, and begin at the same time. */
async function recordAtOnce(path: string, count: number): Promise<void> {
  const children = Array.from({ length: 4 }, () => startChild("record.ts", [path, `${count}`]));
  const outputs = children.map(({ stdout }) => linesOf(stdout));
  for (const output of outputs) assertEquals((await output.next()).value, "ready");
  await Promise.all(children.map(({ stdin }) => stdin.close()));
  for (const output of outputs) assertEquals((await output.next()).value, '{"value":"done"}');
  for (const { status } of children) assert((await status).success);
}

/** The `seq` of every operation in the log, after a check that each verifies and follows only earlier ones. */
function validSeqs(log: OpLog): number[] {
  return [...log.entries()].map(({ seq, op }) => {
    op.verify();
    for (const id of op.prev) assert(log.seqOf(id)! < seq);
    return seq;
  });
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n + 1);
}

Deno.test("four processes append to one file at once, and nothing is lost or out of order", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    await recordAtOnce(path, 50);
    using log = OpLog.open(path);
    assertEquals(validSeqs(log), upTo(200));
    assertEquals(Object.keys(log.stats().types), ["note"]);
    assertEquals(log.heads(), [log.lastOpId()]);
  });
});

Deno.test("four processes that open a file at once, which is not there yet, all have it", async () => {
  for (let time = 0; time < 3; time++) {
    await withFolder(async (folder) => {
      const path = `${folder}/log.db`;
      await recordAtOnce(path, 0);
      using log = OpLog.open(path, { create: false });
      assertEquals(log.append(note("first")), 1);
    });
  }
});

Deno.test("a process killed while it appends leaves a valid log of whole batches, and appending goes on", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    for (let time = 0; time < 3; time++) {
      const reported = await killedAfter(path, 5 + time);
      using log = OpLog.open(path);
      const seqs = validSeqs(log);
      assertEquals([seqs, seqs.length % 10], [upTo(seqs.length), 0]);
      assert(seqs.length >= reported, `${seqs.length} of ${reported} operations`);
      log.appendAll(Array.from({ length: 10 }, (_, n) => note(`after kill ${time}, ${n}`, log.heads())));
      assertEquals(log.size, seqs.length + 10);
    }
  });
});

/** Kills a process that appends batches after so many of them; gives how many operations it reported as appended. */
async function killedAfter(path: string, batches: number): Promise<number> {
  const child = startChild("append_batches.ts", [path]);
  await child.stdin.close();
  let lines = 0;
  let reported = 0;
  for await (const line of linesOf(child.stdout)) {
    reported = Number(line);
    if (++lines === batches) child.kill("SIGKILL");
  }
  assertEquals((await child.status).signal, "SIGKILL");
  return reported;
}
