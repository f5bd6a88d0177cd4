import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { works } from "../processes.ts";
import { inFolder } from "./node.ts";

/** The words typed so far, the last of them incomplete, and the expected completions. */
const CASES: [words: string[], expected: string[]][] = [
  [["lo"], ["log"]],
  [["ex"], ["explain", "export"]],
  [["--log", "x.db", "ex"], ["explain", "export"]],
  [["help", "comp"], ["completions"]],
  [["log", "--ty"], ["--type"]],
  [["log", "--re"], ["--reverse"]],
  [["claims", "--status", "ac"], ["active"]],
  [["explain", "--format", ""], ["dot", "json", "mermaid", "svg", "tree"]],
  [["completions", ""], ["bash", "fish", "zsh"]],
  [["import", "two"], ["two words.jsonl"]],
  [["sync", "two"], ["two words.jsonl"]],
  [["sync", "--dr"], ["--dry-run"]],
  [["serve", "--tls-cert", "two"], ["two words.jsonl"]],
  [["append", "note", "--each", "two"], ["two words.jsonl"]],
  [["append", "two"], []],
];

Deno.test({
  name: "bash completes commands, options, their values and files",
  ignore: !works("bash", "-c", "complete"),
  async fn() {
    await inFolder(async (mnema) => {
      Deno.writeTextFileSync(`${mnema.folder}/two words.jsonl`, "");
      const tries = CASES.map(([words]) => `try mnema ${words.map((word) => `'${word}'`).join(" ")}`);
      const { code, out, err } = await mnema.bash(`
        eval "$(mnema completions bash)"
        try() {
          COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
          _mnema
          printf '<%s>' "\${COMPREPLY[@]}"
          echo
        }
        complete -p mnema
        ${tries.join("\n")}`);
      assertEquals([code, err], [0, ""]);
      const [registered, ...replies] = out.trimEnd().split("\n");
      assertEquals(registered, "complete -F _mnema mnema");
      for (const [i, [words, expected]] of CASES.entries()) {
        const found = [...replies[i].matchAll(/<(.*?)>/g)].map(([, word]) => word).filter(Boolean).sort();
        assertEquals(found, expected, words.join(" "));
      }
    });
  },
});

Deno.test({
  name: "fish completes commands, options, their values and files",
  ignore: !works("fish", "-c", "true"),
  async fn() {
    await inFolder(async (mnema) => {
      Deno.writeTextFileSync(`${mnema.folder}/two words.jsonl`, "");
      const cases = CASES.filter(([[first]]) => !first.startsWith("--") && first !== "help");
      Deno.writeTextFileSync(`${mnema.folder}/script`, await mnema.does("completions", "fish"));
      const tries = cases.map(([words]) => `complete -C "mnema ${words.join(" ")}"; echo ==`);
      const { code, out, err } = await mnema.bash(`HOME=. fish -c '. ./script; ${tries.join("; ")}'`);
      assertEquals([code, err], [0, ""]);
      const replies = out.split("==\n");
      for (const [i, [words, expected]] of cases.entries()) {
        const found = replies[i].split("\n").map((line) => line.split("\t")[0].replaceAll("\\", "")).filter(Boolean);
        assertEquals(found.sort(), expected, words.join(" "));
      }
    });
  },
});

Deno.test({
  name: "zsh loads its script and completes mnema with it",
  ignore: !works("zsh", "-fc", "true"),
  async fn() {
    await inFolder(async (mnema) => {
      Deno.writeTextFileSync(`${mnema.folder}/script`, await mnema.does("completions", "zsh"));
      const { code, out, err } = await mnema.bash(
        `zsh -fc 'autoload -U compinit && compinit -D -u && eval "$(cat script)" && echo $_comps[mnema]'`,
      );
      assertEquals([code, out, err], [0, "_mnema\n", ""]);
    });
  },
});

Deno.test("an unknown shell is wrong usage, with the closest name suggested", async () => {
  await inFolder(async (mnema) => {
    assertStringIncludes(await mnema.misuses("completions", "fihs"), "did you mean fish?");
    assertMatch(await mnema.misuses("completions"), /^SHELL is missing/);
  });
});
