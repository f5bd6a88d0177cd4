import { assert, assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { barOf, bytes } from "../../src/cli/progress.ts";
import { displayWidth } from "../../src/render/width.ts";
import { works } from "../processes.ts";
import { alice, forged, note, vectorOperations } from "../operations.ts";
import type { Mnema } from "./mnema.ts";
import { inFolder, makeLog } from "./node.ts";

const noBash = !works("bash", "-c", "true");
const noTerminal = !works("script", "-qec", "true", "/dev/null");
const ESCAPE = "\x1b[";
/** The escapes that erase a bar. */
const ERASE = "\r\x1b[K";

/** Runs `use` with the command line in a folder with a log of 2,000 operations, which exceed a pipe's buffer. */
function withLongLog(use: (mnema: Mnema) => Promise<void>): Promise<void> {
  return inFolder(async (mnema) => {
    makeLog(`${mnema.folder}/mnema.db`, Array.from({ length: 2000 }, (_, n) => note(`${n} ${"x".repeat(200)}`)));
    await use(mnema);
  });
}

Deno.test({
  name: "a pipe that its reader closes early is not an error",
  ignore: noBash,
  async fn() {
    await withLongLog(async (mnema) => {
      for (const command of ["log --json", "log", "export", "heads", "log --follow"]) {
        const { code, out, err } = await mnema.bash(`set -o pipefail; mnema ${command} | head -n 1`);
        assertEquals([code, err, command], [0, "", command]);
        assertEquals(out.split("\n").length, 2);
      }
      for (const command of ["heads --json", "stats", "--help", "log --help"]) {
        const { code, err } = await mnema.bash(`set -o pipefail; mnema ${command} | true`);
        assertEquals([code, err, command], [0, "", command]);
      }
    });
  },
});

Deno.test("output that is not on a terminal has no escapes", async () => {
  await inFolder(async (mnema) => {
    makeLog(`${mnema.folder}/mnema.db`, vectorOperations().slice(0, 50));
    for (const args of [["log"], ["stats"], ["show", vectorOperations()[0].opId], ["import"], ["--help"]]) {
      assertFalse((await mnema.does(...args)).includes("\x1b"), args.join(" "));
    }
  });
});

Deno.test({
  name: "output on a terminal has colours, except with NO_COLOR and in JSON",
  ignore: noTerminal,
  async fn() {
    await inFolder(async (mnema) => {
      const op = note("tea at four");
      makeLog(`${mnema.folder}/mnema.db`, [op]);
      for (const command of ["log", "stats", `show ${op.opId}`]) {
        const colored = await mnema.terminal(`mnema ${command}`);
        const plain = await mnema.with({ env: { NO_COLOR: "1" } }).terminal(`mnema ${command}`);
        assertStringIncludes(colored.out, ESCAPE);
        // deno-lint-ignore no-control-regex
        assertEquals(colored.out.replaceAll(/\x1b\[\d+m/g, ""), plain.out);
        assertFalse(plain.out.includes("\x1b"));
      }
      for (const command of ["log --json", "stats --json", "heads", "id --help"]) {
        assertFalse((await mnema.terminal(`mnema ${command}`)).out.includes("\x1b"), command);
      }
    });
  },
});

Deno.test({
  name: "no line is wider than the terminal",
  ignore: noTerminal,
  async fn() {
    await inFolder(async (mnema) => {
      makeLog(`${mnema.folder}/mnema.db`, [note("x".repeat(500))]);
      for (const columns of [100, 160]) {
        const { code, out } = await mnema.with({ env: { NO_COLOR: "1" } })
          .terminal(`stty cols ${columns}; mnema log`);
        assertEquals([code, out.trimEnd().length, out.trimEnd().at(-1)], [0, columns, "…"]);
      }
    });
  },
});

Deno.test({
  name: "import from a file shows a progress bar on a terminal, and erases it before it names refusals",
  ignore: noTerminal,
  async fn() {
    await inFolder(async (mnema) => {
      const ops = vectorOperations();
      makeLog(`${mnema.folder}/mnema.db`, []);
      const lines = [...ops, forged(note("forged"))].map(({ wire }) => `${wire}\n`).join("");
      Deno.writeTextFileSync(`${mnema.folder}/in.jsonl`, lines);
      const { code, out } = await mnema.terminal("mnema import in.jsonl");
      assertEquals(code, 1);
      assertMatch(out, /\[#+-+\] [\d.]+ [KM]?i?B\/[\d.]+ [KM]iB/);
      const shown = out.slice(out.lastIndexOf("\r\x1b[K") + 4);
      assertMatch(shown, /^line 1001: refused: operation .*\r\nnew 1000, known 0, refused 1\r\n$/);

      for (const command of ["mnema import in.jsonl 2>/dev/null", "mnema import in.jsonl 2>err"]) {
        const quiet = await mnema.terminal(command);
        assert(quiet.out.endsWith("new 0, known 1000, refused 1\r\n"));
        assertFalse(quiet.out.includes("["), command);
      }
      assertMatch(Deno.readTextFileSync(`${mnema.folder}/err`), /^line 1001: refused: operation .*\n$/);
    });
  },
});

Deno.test({
  name: "a result that cannot be written is one sentence and exit code 1",
  ignore: noBash || !works("test", "-c", "/dev/full"),
  async fn() {
    await withLongLog(async (mnema) => {
      for (const command of ["log --json", "heads", "export", "stats", "--help"]) {
        const { code, err } = await mnema.bash(`mnema ${command} > /dev/full`);
        assertEquals([code, err.split("\n").length, command], [1, 2, command]);
        assertMatch(err, /^mnema: the result cannot be written/);
      }
    });
  },
});

Deno.test({
  name: "a dumb terminal gets no escapes: no styles, no progress bar",
  ignore: noTerminal,
  async fn() {
    await inFolder(async (mnema) => {
      makeLog(`${mnema.folder}/mnema.db`, vectorOperations());
      const dumb = mnema.with({ env: { TERM: "dumb" } });
      const { out } = await dumb.terminal(
        "mnema log -n 3; mnema export all; mnema import all; mnema rebuild; mnema stats",
      );
      assertFalse(out.includes("\x1b") || out.includes("["), out.slice(-300));
      assertMatch(out, /\r\nnew 0, known 1000, refused 0\r\n/);
    });
  },
});

Deno.test({
  name: "lines and bars fit a narrow terminal, with wide characters too",
  ignore: noTerminal,
  async fn() {
    await inFolder(async (mnema) => {
      const ops = Array.from({ length: 800 }, (_, n) => note(`${n} ${"日本語".repeat(100)}`));
      makeLog(`${mnema.folder}/mnema.db`, []);
      {
        using log = OpLog.open(`${mnema.folder}/mnema.db`);
        const evidence = { source: "東京", kind: "手紙", content: { text: "日本".repeat(50) } };
        const { opId } = log.record(alice, "evidence.add", evidence);
        for (const key of ["茶".repeat(40), "short"]) log.claims.assert(alice, { key, value: "緑茶", inputs: [opId] });
      }
      Deno.writeTextFileSync(`${mnema.folder}/in`, ops.map(({ wire }) => `${wire}\n`).join(""));
      const plain = mnema.with({ env: { NO_COLOR: "1" } });
      const commands = ["import in", "import < in", "log", "claims", "explain short", "rebuild", "export all; rm all"];
      for (const columns of [30, 61, 80]) {
        const { code, out } = await plain.terminal(
          `stty cols ${columns}; ${commands.map((command) => `mnema ${command}`).join(" && ")}`,
        );
        assertEquals([code, columns], [0, columns]);
        const lines = out.replaceAll(ERASE, "\n").split(/\r?\n/);
        for (const line of lines) assert(displayWidth(line) <= columns, `${columns}: ${line}`);
        assert(lines.some((line) => /^\[[#-]{8,}\] /.test(line)), out.slice(0, 300));
        if (columns < 60) continue; // examples are never wrapped, so that they can be copied
        const help = await plain.terminal(`stty cols ${columns}; mnema --help && mnema log --help`);
        for (const line of help.out.split("\r\n")) assert(line.length <= columns, `${columns}: ${line}`);
      }
    });
  },
});

Deno.test("a bar fits every width and always shows the amount done", () => {
  for (let columns = 0; columns <= 200; columns++) {
    for (const [done, total] of [[0, 1], [512, 1024], [123_456, 1_000_000], [5, undefined]] as const) {
      const bar = barOf(done, total, String, columns);
      assert(bar.length < Math.max(columns, 1), `${columns}: ${bar}`);
      if (columns > 20) assertStringIncludes(bar, String(done));
    }
  }
  assertEquals(barOf(1, 2, String, 30), `[${"#".repeat(11)}${"-".repeat(12)}] 1/2`);
  assertEquals(barOf(1, 4, bytes, 200), `[${"#".repeat(12)}${"-".repeat(38)}] 1 B/4 B`);
  assertEquals([bytes(1023), bytes(1536), bytes(20 << 20)], ["1023 B", "1.5 KiB", "20.0 MiB"]);
});

Deno.test({
  name: "input from a pipe shows its progress, and every bar is erased",
  ignore: noTerminal,
  async fn() {
    await inFolder(async (mnema) => {
      const ops = vectorOperations();
      makeLog(`${mnema.folder}/from.db`, ops);
      await mnema.does("init");
      Deno.writeTextFileSync(`${mnema.folder}/bodies`, '{"n":1}\n'.repeat(3000));
      for (
        const [command, bar, last] of [
          ["mnema export --log from.db | mnema import", /⌫[\d.]+ [KM]?i?B/, "new 1000, known 0, refused 0"],
          [
            "mnema append note --each bodies",
            /⌫\[#*-+\] [\d.]+ [KM]?i?B\/23\.4 KiB/,
            "appended 3000, the last",
          ],
          ["mnema export all", /⌫\[#*-+\] \d+\/4000/, "exported 4000 to all"],
        ] as const
      ) {
        const { code, out } = await mnema.terminal(command);
        assertEquals([command, code], [command, 0]);
        assertMatch(out.replaceAll(ERASE, "⌫"), bar);
        assertStringIncludes(out.slice(out.lastIndexOf(ERASE) + ERASE.length), last);
      }
    });
  },
});

Deno.test({
  name: "rebuild of a large log shows a progress bar on a terminal and erases it",
  ignore: noTerminal,
  async fn() {
    await inFolder(async (mnema) => {
      const op = note("one");
      const more = Array.from(
        { length: 9000 },
        (_, n) => forged(op, { op_id: `op_${n.toString(16).padStart(64, "0")}` }),
      );
      makeLog(`${mnema.folder}/mnema.db`, more);
      const { code, out } = await mnema.terminal("mnema rebuild");
      assertEquals(code, 0);
      assertMatch(out.replaceAll(ERASE, "⌫"), /^⌫\[#+-+\] \d+\/9000⌫/);
      assert(out.endsWith("\r\x1b[Kreplayed 9000 operations\r\n"));
    });
  },
});
