import { assertEquals, assertThrows } from "@std/assert";
import { withFolder } from "../folder.ts";
import { type Call, IO_SYNC } from "./layer.ts";
import { watchOwnWrites } from "./own_writes.ts";

Deno.test("what is written to a file, and synced, is told with its place, and can fail", async () => {
  await withFolder((folder) => {
    const path = `${folder}/log.db-wal`;
    Deno.writeTextFileSync(path, "one two");
    const calls: Call[] = [];
    {
      using _ = watchOwnWrites((call) => {
        calls.push(call);
        return call.kind === "sync" ? IO_SYNC : undefined;
      });
      using file = Deno.openSync(path, { read: true, write: true });
      file.seekSync(4, Deno.SeekMode.Start);
      file.writeSync(new TextEncoder().encode("six"));
      assertThrows(() => file.syncDataSync(), Error, "Input/output error");
    }
    const bytes = new TextEncoder().encode("six");
    assertEquals(calls, [{ kind: "write", path, offset: 4, bytes }, { kind: "sync", path }]);
    assertEquals(Deno.readTextFileSync(path), "one six");
    using file = Deno.openSync(path, { read: true, write: true });
    file.syncDataSync(); // it is over
    assertEquals(calls.length, 2);
  });
});
