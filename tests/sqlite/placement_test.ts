import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FileError, OpLog } from "../../mod.ts";
import { withFolder } from "../folder.ts";
import { note } from "../operations.ts";

const SUFFIXES = ["", "-wal", "-shm"];

/** The code with which appending fails, once it is noticed that a file is not there any more. */
function refusal(log: OpLog): string {
  const end = performance.now() + 10_000;
  for (let n = 0; performance.now() < end; n++) {
    try {
      log.append(note(`${n}`));
    } catch (error) {
      if (error instanceof FileError) return error.code;
      throw error;
    }
  }
  return "none";
}

Deno.test("a log whose file was removed refuses to append, and can still be read", () => {
  withFolder((folder) => {
    using log = OpLog.open(`${folder}/log.db`);
    log.append(note("tea"));
    for (const suffix of SUFFIXES) Deno.removeSync(`${folder}/log.db${suffix}`);
    assertEquals(refusal(log), "missing-file");
    assertThrows(() => log.appendAll([note("later")]), FileError, "was removed or replaced");
    assert(log.has(note("tea").opId));
  });
});

Deno.test("a log whose -wal was removed refuses to append", () => {
  withFolder((folder) => {
    using log = OpLog.open(`${folder}/log.db`);
    log.append(note("tea"));
    Deno.removeSync(`${folder}/log.db-wal`);
    assertEquals(refusal(log), "missing-file");
  });
});

Deno.test("a log that was replaced while it was open does not take the -wal of the new one with it when it is closed", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    const old = OpLog.open(path);
    old.append(note("old"));
    for (const suffix of SUFFIXES) Deno.removeSync(path + suffix);
    using log = OpLog.open(path);
    log.append(note("new"));
    old.close();
    using other = OpLog.open(path);
    assertEquals(other.lastOpId(), note("new").opId);
    log.append(note("newer"));
    assertEquals(other.lastOpId(), note("newer").opId);
  });
});

Deno.test("a log whose file was renamed over another one refuses to append to what was there before", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    {
      using restored = OpLog.open(`${folder}/restored.db`);
      restored.append(note("restored"));
    }
    using log = OpLog.open(path);
    Deno.renameSync(`${folder}/restored.db`, path);
    assertEquals(refusal(log), "missing-file");
  });
});

Deno.test("an atomic ingest into a log whose file was removed does not make another log", async () => {
  await withFolder(async (folder) => {
    using log = OpLog.open(`${folder}/log.db`);
    for (const suffix of SUFFIXES) Deno.removeSync(`${folder}/log.db${suffix}`);
    const { code } = await assertRejects(() => log.ingest([note("tea")], { atomic: true, workers: 0 }), FileError);
    assertEquals([code, [...Deno.readDirSync(folder)]], ["missing-file", []]);
  });
});
