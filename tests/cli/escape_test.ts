import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { Operation, OpLog } from "../../mod.ts";
import { visible } from "../../src/text.ts";
import { alice } from "../operations.ts";
import { works } from "../processes.ts";
import type { Mnema } from "./mnema.ts";
import { jsonLines, withNode } from "./node.ts";

const noTerminal = !works("script", "-qec", "true", "/dev/null");

/** One of each kind of character that controls a terminal, reorders a line or is invisible. */
const HOSTILE = "x\x07\x1b[2J\x7f\u009b31m\u202e\u2066\u061c\u200b\u200d\ufeff\u00ad\ufe0f\u2028\u{e0041}\nnew 9\ty";
/** Unsafe characters. Styles and bars, which are allowed, are removed before the match. */
// deno-lint-ignore no-control-regex
const OWN = /\x1b\[(?:1|2|22|3[236]|39)m|\r\x1b\[K|\r?\n/g;
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** A log in which every field that another author chooses is hostile. */
async function withHostileLog(use: (mnema: Mnema, ids: { evidence: string; claim: string }) => Promise<void>) {
  await withNode(async (mnema) => {
    let ids;
    {
      using log = OpLog.open(`${mnema.folder}/mnema.db`);
      const content = { [HOSTILE]: [HOSTILE] };
      const evidence = log.record(alice, "evidence.add", { source: HOSTILE, kind: HOSTILE, ref: HOSTILE, content });
      const deriver = { id: HOSTILE, version: HOSTILE };
      const claim = log.claims.assert(alice, { key: HOSTILE, value: HOSTILE, deriver, inputs: [evidence.opId] });
      const other = log.claims.assert(alice, { key: "plain", value: [HOSTILE], inputs: [claim.opId] });
      log.claims.refute(alice, HOSTILE, { reason: HOSTILE });
      log.claims.correct(alice, "other", { [HOSTILE]: HOSTILE });
      ids = { evidence: evidence.opId, claim: other.opId };
    }
    const env = { HOSTILE, EVIDENCE: ids.evidence, CLAIM: ids.claim };
    await use(mnema.with({ env }), ids);
  });
}

function assertSafe(shown: string, what: string): void {
  const rest = shown.replaceAll(OWN, "");
  assertFalse(UNSAFE.test(rest), `${what}: ${JSON.stringify(rest.match(new RegExp(UNSAFE, "gu")))}`);
}

Deno.test({
  name: "hostile data in the log cannot control the terminal, in any command",
  ignore: noTerminal,
  async fn() {
    await withHostileLog(async (mnema) => {
      const commands = [
        "log",
        "log -n 3 --reverse",
        "show $EVIDENCE",
        "show $EVIDENCE --wire",
        "claims",
        "explain $CLAIM",
        "explain $CLAIM --format mermaid",
        "explain $CLAIM --format dot",
        "get other",
        "export",
        "stats",
      ];
      const { code, out } = await mnema.terminal(commands.map((command) => `mnema ${command}`).join(" && "));
      assertEquals(code, 0);
      assertSafe(out, "results");
      assertStringIncludes(out, visible(HOSTILE).replaceAll("\n", "\\n").slice(1, 30));
      assertFalse(/^new 9/m.test(out), "a text makes no line of its own");
    });
  },
});

Deno.test({
  name: "JSON on a terminal has the same values as in a pipe, where it is unchanged",
  ignore: noTerminal,
  async fn() {
    await withHostileLog(async (mnema) => {
      const commands = ["log --json", "show $EVIDENCE --json", "claims --json", "explain $CLAIM --json", "export"];
      const { out: shown } = await mnema.terminal(commands.map((command) => `mnema ${command}`).join(" && "));
      const { out: piped } = await mnema.bash(commands.map((command) => `mnema ${command}`).join(" && "));
      assertSafe(shown, "JSON");
      assert(UNSAFE.test(piped.replaceAll("\n", "")));
      assertEquals(jsonLines(shown.replaceAll("\r\n", "\n")), jsonLines(piped));

      using log = OpLog.open(`${mnema.folder}/mnema.db`, { readonly: true });
      const wires = [...log.entries()].map(({ op }) => `${op.wire}\n`).join("");
      assert(piped.endsWith(wires));
      await mnema.does("export", "file");
      assertEquals(Deno.readTextFileSync(`${mnema.folder}/file`), wires);
    });
  },
});

Deno.test({
  name: "hostile arguments, file names and refused lines cannot control the terminal",
  ignore: noTerminal,
  async fn() {
    await withHostileLog(async (mnema) => {
      const op = Operation.create({ type: "note", body: { text: HOSTILE } }, alice);
      const lines = [
        HOSTILE.replaceAll("\n", ""),
        `{"${HOSTILE}":1}`,
        op.wire.replace("x", "z"),
        JSON.stringify(HOSTILE),
      ];
      Deno.writeTextFileSync(`${mnema.folder}/bad`, lines.join("\n"));
      Deno.writeTextFileSync(`${mnema.folder}/${HOSTILE}`, "");
      const commands = [
        'log --log "$HOSTILE"',
        'heads --log "no $HOSTILE"',
        'id --key "$HOSTILE"',
        '"$HOSTILE"',
        'log "--$HOSTILE"',
        'log --author "$HOSTILE"',
        'log --after "$HOSTILE"',
        'log -n "$HOSTILE"',
        'show "$HOSTILE"',
        'export "$HOSTILE"',
        'import "no $HOSTILE"',
        "import bad",
        "import bad --strict",
        "import bad --json",
        'append "$HOSTILE" "{}"',
        'append note "$HOSTILE"',
        "append note --each bad",
        'assert a b --from "$HOSTILE"',
        'assert a b --deriver "$HOSTILE"',
        'claims --status "$HOSTILE"',
        'get "no $HOSTILE"',
        'explain "no $HOSTILE"',
        'checkpoint --origin "$HOSTILE"',
        'prove "$HOSTILE"',
        'verify bad --key "$HOSTILE"',
        'completions "$HOSTILE"',
        'init --log "$HOSTILE/x"',
      ];
      const { out } = await mnema.terminal(commands.map((command) => `mnema ${command}; echo "= $?"`).join("\n"));
      const codes = [...out.matchAll(/^= (\d+)\r$/gm)].map(([, code]) => Number(code));
      assertEquals(codes.map((code, i) => [commands[i], code > 0]), commands.map((command) => [command, true]));
      assertSafe(out, "errors");
      assertFalse(/^new 9/m.test(out), "a text makes no line of its own");
      assertFalse(out.includes("internal error"), out);
    });
  },
});
