import { assert, assertEquals } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { withFolder } from "../folder.ts";
import { alice, note } from "../operations.ts";

/** Long ago: when a file was written last, unless that was since. */
const OLD = new Date(1000);

/** Runs `use` with a log that a process has left without closing it, and its `-wal`. */
function withLeft(use: (path: string, wal: string) => Promise<void> | void): Promise<void> {
  return withFolder(async (folder) => {
    using log = OpLog.open(`${folder}/alive.db`, { durability: "normal" });
    for (let n = 0; n < 300; n++) log.record(alice, "note", { n, text: "left ".repeat(1000) });
    const path = `${folder}/log.db`;
    for (const suffix of ["", "-wal"]) Deno.copyFileSync(`${folder}/alive.db${suffix}`, path + suffix);
    age(`${path}-wal`);
    await use(path, `${path}-wal`);
  });
}

function age(file: string): void {
  Deno.utimeSync(file, OLD, OLD);
}

/** Whether a file was written since {@linkcode age}. */
function isWritten(file: string): boolean {
  return Deno.statSync(file).mtime!.getTime() !== OLD.getTime();
}

Deno.test("what a dead process has left in -wal is written again, as it is, before anything is appended", () =>
  withLeft((path, wal) => {
    const before = Deno.readFileSync(wal);
    assert(before.length > 1 << 20);
    using log = OpLog.open(path);
    assert(isWritten(wal));
    assertEquals(Deno.readFileSync(wal), before);
    assertEquals(log.size, 300);
  }));

Deno.test("a -wal is not written again once something was committed", () =>
  withLeft((path, wal) => {
    using first = OpLog.open(path);
    first.record(alice, "note", {});
    age(wal);
    using second = OpLog.open(path);
    assert(!isWritten(wal));
    assertEquals(second.size, 301);
  }));

Deno.test("a reader does not write a -wal again, and the next writer does", () =>
  withLeft((path, wal) => {
    using reader = OpLog.open(path, { readonly: true });
    assertEquals(reader.size, 300);
    assert(!isWritten(wal));
    using _writer = OpLog.open(path);
    assert(isWritten(wal));
  }));

Deno.test("a log is opened while another connection writes to a -wal to which nothing was committed yet", () =>
  withLeft(async (path, wal) => {
    using first = OpLog.open(path);
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    async function* source(): AsyncGenerator<string> {
      begun.resolve();
      await ended.promise;
      yield note("from a source").wire;
    }
    const ingest = first.ingest(source(), { atomic: true, workers: 0 });
    await begun.promise;
    age(wal);
    OpLog.open(path).close();
    assert(!isWritten(wal));
    ended.resolve();
    await ingest;
  }));
