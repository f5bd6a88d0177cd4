import { assert, assertEquals } from "@std/assert";
import { withFolder } from "../folder.ts";
import { works } from "../processes.ts";
import { canInstallLayer } from "./layer.ts";

const CALL =
  /^\d+ +(pwrite64|ftruncate|fsync|fdatasync|unlink)\((?:\d+<(.*?)>|"(.*?)")(?:, ""\.*, (\d+), (\d+)|, (\d+))?/;

/** The calls of a trace that change a log's files, as `traced.ts` prints them. */
function callsIn(trace: string, folder: string): string[] {
  return trace.split("\n").flatMap((line) => {
    const [, call, opened, named, length, offset, size] = CALL.exec(line) ?? [];
    const path = opened ?? named;
    if (path !== folder && !path?.startsWith(`${folder}/log.db`)) return [];
    const name = path === folder ? "folder" : path.slice(folder.length + 1);
    if (name === "log.db-shm") return []; // SQLite's memory, which a power cut ends
    if (call === "pwrite64") return [`write ${name} ${length} at ${offset}`];
    if (call === "ftruncate") return [`truncate ${name} ${size}`];
    return [`${call === "unlink" ? "delete" : "sync"} ${name}`];
  });
}

Deno.test({
  name:
    "the layer tells of every write and sync that the system is asked for (needs strace, on Debian: apt-get install)",
  ignore: !canInstallLayer() || !works("strace", "-f", "true"),
  async fn() {
    await withFolder(async (temporary) => {
      const folder = Deno.realPathSync(temporary);
      const script = decodeURIComponent(new URL("traced.ts", import.meta.url).pathname);
      const calls = "trace=pwrite64,ftruncate,fsync,fdatasync,unlink";
      const { stdout, success } = await new Deno.Command("strace", {
        args: ["-f", "-y", "-s", "0", "-o", `${folder}/trace`, "-e", calls, Deno.execPath()]
          .concat(["run", "--quiet", "--allow-all", script, `${folder}/log.db`]),
      }).output();
      assert(success);
      const told = new TextDecoder().decode(stdout).trimEnd().split("\n");
      assert(told.length > 50);
      assertEquals(callsIn(Deno.readTextFileSync(`${folder}/trace`), folder), told);
    });
  },
});
