import { assert, assertEquals, assertMatch } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { note, vectorLines } from "../operations.ts";
import { linesOf, works } from "../processes.ts";
import type { Mnema } from "./mnema.ts";
import { inFolder, jsonLines, makeLog, withNode } from "./node.ts";

const lines = vectorLines();

/** Starts an import, writes some lines without an end, and interrupts it once they are committed, if they will be. */
async function interruptImport(mnema: Mnema, signal: Deno.Signal, ...args: string[]) {
  const follower = mnema.spawn("log", "--follow", "--json");
  const listed = linesOf(follower.stdout);
  const importer = mnema.with({ stdin: "" }).spawn("import", ...args);
  try {
    const writer = importer.stdin.getWriter();
    await writer.write(new TextEncoder().encode(lines.slice(0, 300).join("\n") + "\n"));
    for (let i = 0; i < 300; i++) await listed.next();
    importer.kill(signal);
    const [{ code }, out, err] = await Promise.all([
      importer.status,
      new Response(importer.stdout).text(),
      new Response(importer.stderr).text(),
    ]);
    writer.close().catch(() => {}); // the reader is gone
    return { code, out, err };
  } finally {
    follower.kill("SIGINT");
    await Promise.all([listed.return(undefined), follower.stderr.cancel(), follower.status]);
  }
}

Deno.test({
  name: "an interrupted import reports what was committed and can be resumed",
  ignore: Deno.build.os === "windows",
  async fn() {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      await withNode(async (mnema) => {
        const { code, out, err } = await interruptImport(mnema, signal);
        assertEquals([code, out], [130, "new 300, known 0, refused 0 (interrupted)\n"]);
        assertMatch(err, /^mnema: interrupted; 300 operations appended: run the same import again to resume\n$/);
        const whole = mnema.with({ stdin: lines.join("\n") });
        assertEquals(await whole.does("import"), "new 700, known 300, refused 0\n");
      });
    }
  },
});

Deno.test({
  name: "an interrupted import --json reports in JSON",
  ignore: Deno.build.os === "windows",
  async fn() {
    await withNode(async (mnema) => {
      const { code, out } = await interruptImport(mnema, "SIGINT", "--json");
      const report = { new: 300, known: 0, refused: 0, refusals: [], interrupted: true };
      assertEquals([code, jsonLines(out)], [130, [report]]);
    });
  },
});

Deno.test({
  name: "an interrupted import --strict appends nothing and reports it",
  ignore: Deno.build.os === "windows",
  async fn() {
    await withNode(async (mnema) => {
      const importer = mnema.with({ stdin: "" }).spawn("import", "--strict");
      const writer = importer.stdin.getWriter();
      await writer.write(new TextEncoder().encode(lines.slice(0, 300).join("\n") + "\n"));
      // It holds the write lock from the start: a writer that is locked out proves that it runs.
      using log = OpLog.open(`${mnema.folder}/mnema.db`, { busyTimeoutMs: 0 });
      for (;;) {
        try {
          log.append(note("before"));
        } catch {
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      importer.kill("SIGINT");
      const [{ code }, out, err] = await Promise.all([
        importer.status,
        new Response(importer.stdout).text(),
        new Response(importer.stderr).text(),
      ]);
      writer.close().catch(() => {});
      assertEquals([code, out], [130, "new 0, known 0, refused 0 (interrupted)\n"]);
      assertMatch(err, /^mnema: interrupted; nothing was appended/);
      assert(log.size <= 1);
    });
  },
});

Deno.test({
  name: "log --follow ends when its reader closes the pipe, without waiting for an operation",
  ignore: Deno.build.os === "windows" || !works("bash", "-c", "true"),
  async fn() {
    await inFolder(async (mnema) => {
      makeLog(`${mnema.folder}/mnema.db`, [note("one"), note("two")]);
      for (const options of ["-f", "-f --json", "--follow -n 1"]) {
        const { code, out, err } = await mnema.bash(`set -o pipefail; mnema log ${options} | head -n 1`);
        assertEquals([code, out.split("\n").length, err], [0, 2, ""]);
      }
      const { code, err } = await mnema.bash("set -o pipefail; mnema log -f --type none | true");
      assertEquals([code, err], [0, ""]);
    });
  },
});

Deno.test({
  name: "an import that waits for terminal input can be interrupted",
  ignore: !works("script", "-qec", "true", "/dev/null"),
  async fn() {
    await withNode(async (mnema) => {
      const terminal = mnema.with({ stdin: "" }).spawnTerminal("mnema import; echo exit $?");
      const shown: string[] = [];
      const writer = terminal.stdin.getWriter();
      for await (const line of linesOf(terminal.stdout)) {
        shown.push(line.replaceAll("\r", ""));
        if (line.startsWith("reading standard input")) await writer.write(new TextEncoder().encode("\x03"));
      }
      await Promise.all([terminal.status, terminal.stderr.cancel()]);
      writer.close().catch(() => {});
      assertMatch(
        shown.join("\n"),
        /new 0, known 0, refused 0 \(interrupted\)\nmnema: interrupted; nothing was appended/,
      );
    });
  },
});
