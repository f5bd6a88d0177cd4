import { assert, assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { works } from "../processes.ts";
import { forged, note, vectorOperations } from "../operations.ts";
import type { Mnema } from "./mnema.ts";
import { inFolder, makeLog } from "./node.ts";

const noBash = !works("bash", "-c", "true");
const noTerminal = !works("script", "-qec", "true", "/dev/null");
const ESCAPE = "\x1b[";

/** Runs `use` with the command line in a folder whose log holds 2,000 operations, more than a pipe does. */
function withLongLog(use: (mnema: Mnema) => Promise<void>): Promise<void> {
  return inFolder(async (mnema) => {
    makeLog(`${mnema.folder}/mnema.db`, Array.from({ length: 2000 }, (_, n) => note(`${n} ${"x".repeat(200)}`)));
    await use(mnema);
  });
}

Deno.test({
  name: "a reader that closes the pipe early is no error",
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

Deno.test("what is not read on a terminal is plain text", async () => {
  await inFolder(async (mnema) => {
    makeLog(`${mnema.folder}/mnema.db`, vectorOperations().slice(0, 50));
    for (const args of [["log"], ["stats"], ["show", vectorOperations()[0].opId], ["import"], ["--help"]]) {
      assertFalse((await mnema.does(...args)).includes("\x1b"), args.join(" "));
    }
  });
});

Deno.test({
  name: "on a terminal there are colours, but not with NO_COLOR and not in JSON",
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
  name: "a line is no longer than the terminal is wide",
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
  name: "import from a file shows a progress bar on a terminal, takes it away again, and then names what was refused",
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
  name: "a result that cannot be written is said in a sentence, and is no success",
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
