import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { contentsOf, withDatabase, withFolder } from "../folder.ts";
import { note } from "../operations.ts";
import { bound, canBeBound, linesOf, works } from "../processes.ts";
import { type Report, runChild, startChild } from "../log/children/run.ts";

/** Runs a command with its folder mounted read-only. */
const READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"';
/** Runs a command on a copy of a folder, on a full disk. */
const FULL = 'mount -t tmpfs -o size=1m tmpfs "$1" && cp "$0"/* "$1"/ && { cat /dev/zero > "$1/fill" 2>/dev/null; ' +
  'shift; exec "$@"; }';
const SMALL = 'mount -t tmpfs -o size=16m tmpfs "$0" && exec "$@"';

function under(script: string, ...folders: string[]): string[] {
  return ["unshare", "-rm", "sh", "-c", script, ...folders];
}

const canMount = withFolder((folder) => {
  const [command, ...args] = under(READ_ONLY, folder, "true");
  return works(command, ...args);
});

function makeLog(path: string, mode: "WAL" | "DELETE" = "WAL"): void {
  {
    using log = OpLog.open(path);
    log.appendAll([note("first"), note("second")]);
    log.heads();
  }
  withDatabase(path, (database) => database.prepare(`PRAGMA journal_mode = ${mode}`).value());
}

/** The report of a reader of this log. */
const READ: Report = { value: { entries: 2, heads: 2 } };

/** Leaves commits in -wal that are not in the log, as a killed process does, without `-shm`. */
function leaveWal(path: string): void {
  const copy = `${path}-copy`;
  {
    using log = OpLog.open(path);
    log.append(note("third"));
    for (const suffix of ["", "-wal"]) Deno.copyFileSync(path + suffix, copy + suffix);
  }
  for (const suffix of ["", "-wal"]) Deno.renameSync(copy + suffix, path + suffix);
}

for (const mode of ["WAL", "DELETE"] as const) {
  Deno.test({
    name: `a log with journal mode ${mode} on a read-only medium can be read but not written`,
    ignore: !canMount,
    async fn() {
      await withFolder(async (folder) => {
        const path = `${folder}/log.db`;
        makeLog(path, mode);
        const before = contentsOf(folder);
        const use = (options: string) => runChild("use_log.ts", [path, options], { under: under(READ_ONLY, folder) });
        assertEquals(await use('{"readonly":true}'), READ);
        assertEquals(await use("{}"), { error: "FileError", code: "read-only" });
        assertEquals(contentsOf(folder), before);
      });
    },
  });
}

Deno.test({
  name: "commits in -wal on a read-only medium are not ignored",
  ignore: !canMount,
  async fn() {
    await withFolder(async (folder) => {
      const path = `${folder}/log.db`;
      makeLog(path);
      leaveWal(path);
      const run = { under: under(READ_ONLY, folder) };
      assertEquals(await runChild("use_log.ts", [path, '{"readonly":true}'], run), {
        error: "FileError",
        code: "read-only",
      });
      assertEquals(await runChild("use_log.ts", [path, '{"readonly":true}']), { value: { entries: 3, heads: 3 } });
    });
  },
});

Deno.test({
  name: "a reader without a lock fails when the log is written or removed meanwhile",
  ignore: !canMount,
  async fn() {
    for (const change of ["none", "written", "removed"] as const) {
      await withFolder(async (folder) => {
        const path = `${folder}/log.db`;
        makeLog(path);
        const child = startChild("read_late.ts", [path], { under: under(READ_ONLY, folder) });
        const lines = linesOf(child.stdout);
        assertEquals((await lines.next()).value, "ready");
        if (change === "written") {
          using log = OpLog.open(path);
          log.append(note("third"));
        }
        if (change === "removed") Deno.removeSync(path);
        await child.stdin.close();
        const expected = change === "none" ? READ : { error: "FileError", code: "locked" };
        assertEquals(JSON.parse((await lines.next()).value!), expected);
        await child.status;
      });
    }
  },
});

Deno.test({
  name: "a log on a full disk can be read, with and without commits in -wal",
  ignore: !canMount,
  async fn() {
    for (const hasWal of [false, true]) {
      await withFolder(async (folder) => {
        const [from, to] = [`${folder}/from`, `${folder}/to`];
        Deno.mkdirSync(from);
        Deno.mkdirSync(to);
        makeLog(`${from}/log.db`);
        const run = { under: under(FULL, from, to) };
        const use = (options: string) => runChild("use_log.ts", [`${to}/log.db`, options], run);
        if (hasWal) {
          leaveWal(`${from}/log.db`);
          assertEquals(await use('{"readonly":true}'), { error: "FileError", code: "disk-full" });
          // A process that failed on a full disk leaves -shm in its full size.
          Deno.writeFileSync(`${from}/log.db-shm`, new Uint8Array(1 << 15));
        }
        const entries = hasWal ? 3 : 2;
        assertEquals(await use('{"readonly":true}'), { value: { entries, heads: entries } });
        assertEquals(await use("{}"), { error: "FileError", code: "disk-full" });
      });
    }
  },
});

Deno.test({
  name: "an import that fills the disk reports what was committed and can be resumed",
  ignore: !canMount,
  async fn() {
    await withFolder(async (folder) => {
      const report = await runChild("ingest_full.ts", [folder], { under: under(SMALL, folder) });
      assert("value" in report);
      const { code, message, kept, again, size } = report.value as {
        code: string;
        message: string;
        kept: number;
        again: number[];
        size: number;
      };
      assertEquals(code, "disk-full");
      assert(kept > 0);
      assertStringIncludes(message, `${kept} operations were kept`);
      assertEquals(message.includes("nothing was kept"), false);
      assertEquals([again, size], [[kept, 800 - kept], 800]);
    });
  },
});

Deno.test({
  name: "a log that is unreadable, or in an unreadable folder, is not reported as missing",
  ignore: !canBeBound(),
  async fn() {
    await withFolder(async (folder) => {
      const path = `${folder}/deep/log.db`;
      Deno.mkdirSync(`${folder}/deep`);
      makeLog(path);
      const use = (options: string) => runChild("use_log.ts", [path, options], { under: bound() });
      for (const [file, mode] of [[path, 0o644], [`${folder}/deep`, 0o755]] as const) {
        Deno.chmodSync(file, 0);
        try {
          for (const options of ["{}", '{"readonly":true}', '{"create":false}']) {
            assertEquals(await use(options), { error: "FileError", code: "io" }, options);
          }
        } finally {
          Deno.chmodSync(file, mode);
        }
      }
    });
  },
});
