import { assert, assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { contentsOf } from "../folder.ts";
import { inFolder, withNode } from "./node.ts";

const COMMANDS = [
  "init",
  "id",
  "append",
  "log",
  "show",
  "heads",
  "stats",
  "export",
  "import",
  "sync",
  "serve",
  "claims",
  "assert",
  "get",
  "explain",
  "refute",
  "correct",
  "rebuild",
  "checkpoint",
  "prove",
  "consistency",
  "verify",
  "vkey",
  "audit",
  "stream",
  "completions",
];

/** The example commands in a help text. */
function examplesOf(help: string): string[] {
  return help.split("\nExample:\n")[1].trimEnd().split("\n").map((line) => line.trim());
}

Deno.test("help needs no permissions and is the same in every form", async () => {
  await inFolder(async (mnema) => {
    const denied = mnema.with({ permissions: [] });
    const help = await denied.does("--help");
    assertMatch(help, /^Usage: mnema COMMAND/);
    assertEquals(await Promise.all([denied.does("-h"), denied.does("help")]), [help, help]);
    const asked = (command: string) => [["help", command], [command, "--help"], [command, "-h"], ["--help", command]];
    const answers = await denied.doesEach(COMMANDS.flatMap(asked));
    for (const [i, command] of COMMANDS.entries()) {
      assertMatch(help, new RegExp(`^  ${command} .*[a-z]\\.$`, "m"));
      const [first, ...rest] = answers.slice(4 * i, 4 * (i + 1));
      assertMatch(first, new RegExp(`^Usage: mnema ${command}\\b`));
      assertMatch(first, new RegExp(`^Example:\n  mnema ${command}\\b`, "m"));
      for (const option of ["--log FILE", command === "verify" ? "--key VKEY" : "--key FILE", "--json", "-h, --help"]) {
        assertStringIncludes(first, option);
      }
      assertEquals(rest, [first, first, first]);
    }
    assertMatch(await denied.does("--version"), /^mnema \d+\.\d+\.\d+\n$/);
    assertEquals(contentsOf(mnema.folder), {});
  });
});

Deno.test("--help within a command prints its help and runs nothing", async () => {
  await inFolder(async (mnema) => {
    const help = await mnema.does("help", "init");
    assertEquals(await mnema.does("init", "--log", "x.db", "--help"), help);
    assertEquals(await mnema.does("--key", "x.key", "init", "-h"), help);
    assertEquals(contentsOf(mnema.folder), {});
  });
});

Deno.test("the examples in the help run as written", async () => {
  await inFolder(async (mnema) => {
    for (const example of examplesOf(await mnema.does("help"))) {
      assertEquals([(await mnema.bash(example)).code, example], [0, example]);
    }
    const helps = await mnema.doesEach(COMMANDS.map((command) => ["help", command]));
    for (const [i, command] of COMMANDS.entries()) {
      const [example] = examplesOf(helps[i]);
      if (command === "serve") continue; // has no end
      const { code, err } = await mnema.bash(example);
      // The example's operation is not in this log.
      if (["show", "prove"].includes(command)) assertMatch(err, /^mnema: the log holds no operation op_[0-9a-f]+\n$/);
      else if (command === "stream") assertMatch(err, /--allow-net=127\.0\.0\.1:4222\n$/); // there is no server
      else assertEquals([code, err, example], [0, "", example]);
    }
  });
});

Deno.test("an unknown command or option is wrong usage, with the closest name suggested", async () => {
  await withNode(async (mnema) => {
    const cases: [args: string[], suggestion: string][] = [
      [["lgo"], "log"],
      [["improt"], "import"],
      [["statss", "--json"], "stats"],
      [["log", "--revers"], "--reverse"],
      [["log", "--typ=note"], "--type"],
      [["import", "--anyorder"], "--any-order"],
      [["--lgo", "x.db", "heads"], "--log"],
      [["append", "note", "{}", "--prv", "op_1"], "--prev"],
    ];
    const said = await mnema.misusesEach(cases.map(([args]) => args));
    for (const [i, [, suggestion]] of cases.entries()) {
      assertMatch(said[i], new RegExp(`^there is no (command|option) .*; did you mean ${suggestion}\\?$`));
    }
    const unlike = [["frobnicate"], ["heads", "--frobnicate"], ["heads", "--prev", "op_1"], ["heads", "-x"]];
    for (const [i, sentence] of (await mnema.misusesEach(unlike)).entries()) {
      const args = unlike[i];
      assertStringIncludes(sentence, args.at(-1) === "op_1" ? "--prev" : args.at(-1)!);
      assertFalse(sentence.includes("did you mean"), sentence);
    }
  });
});

Deno.test("missing, excess and non-numeric arguments are wrong usage and change nothing", async () => {
  await withNode(async (mnema) => {
    const cases: [args: string[], named: string][] = [
      [["append"], "missing"],
      [["show"], "missing"],
      [["append", "note", "{}", "extra"], "extra"],
      [["show", "op_1", "extra"], "extra"],
      [["export", "a", "extra"], "extra"],
      [["import", "a", "extra"], "extra"],
      ...["init", "id", "log", "heads", "stats"].map((name): [string[], string] => [[name, "extra"], "extra"]),
      [["heads", "--log"], "--log FILE"],
      [["--log=", "heads"], "--log FILE"],
      [["id", "--key", ""], "--key FILE"],
      [["append", "note", "--body"], "--body FILE"],
      [["append", "note", "--each", "--json"], "--each FILE"],
      [["append", "note", "{}", "--prev"], "--prev ID"],
      [["append", "note", "{}", "--ts", "noon"], '"noon"'],
      [["append", "note", "{}", "--ts", "1.5"], '"1.5"'],
      [["append", "note", "{}", "--ts", "-1"], '"-1"'],
      [["append", "note", "{}", "--ts", "9007199254740992"], '"9007199254740992"'],
      [["log", "-n"], "-n N"],
      [["log", "-n", "ten"], '"ten"'],
      [["log", "--since", "-1"], '"-1"'],
      [["log", "--reverse", "--follow"], "--follow"],
      [["export", "--since", "1e3"], '"1e3"'],
      [["log", "--json=yes"], "--json takes no value"],
      [["log", "--follow=5"], "--follow takes no value"],
      [["append", "note", "{}", "--body", "b"], "once"],
      [["append", "note", "{}", "--each", "b"], "once"],
      [["append", "note", "--body", "b", "--each", "b"], "once"],
      [["init", "--log", "one", "--key", "one"], "the path of the log"],
    ];
    const said = await mnema.misusesEach(cases.map(([args]) => args));
    for (const [i, [args, named]] of cases.entries()) assertStringIncludes(said[i], named, args.join(" "));
    assertEquals(Object.keys(contentsOf(mnema.folder)), ["mnema.db", "mnema.key"]);
    assertEquals(await mnema.does("log"), "");
  });
});

Deno.test("options are accepted before the command, after it, and with an equals sign", async () => {
  await inFolder(async (mnema) => {
    await mnema.does("--log", "a.db", "--key=a.key", "init");
    const id = (await mnema.does("append", "note", "{}", "--log=a.db", "--key", "a.key")).trim();
    for (const args of [["--log", "a.db", "heads"], ["heads", "--log", "a.db"], ["heads", "--log=a.db"]]) {
      assertEquals(await mnema.does(...args), `${id}\n`);
    }
    assertEquals(await mnema.does("--json", "--log", "a.db", "heads"), `["${id}"]\n`);
    assertEquals(Object.keys(contentsOf(mnema.folder)), ["a.db", "a.key"]);
  });
});

Deno.test("MNEMA_LOG and MNEMA_KEY name log and key; --log and --key override them", async () => {
  await inFolder(async (mnema) => {
    const env = mnema.with({ env: { MNEMA_LOG: "env.db", MNEMA_KEY: "env.key" } });
    const made = JSON.parse(await env.does("init", "--json"));
    assertEquals([made.log, made.key], ["env.db", "env.key"]);
    const id = (await env.does("append", "note", "{}")).trim();
    assertEquals(await mnema.does("heads", "--log", "env.db"), `${id}\n`);

    await env.does("init", "--log", "option.db", "--key", "option.key");
    assertEquals(await env.does("heads", "--log", "option.db"), "");
    assert(await env.does("id", "--key", "option.key") !== await env.does("id"));
    assertEquals(Object.keys(contentsOf(mnema.folder)), ["env.db", "env.key", "option.db", "option.key"]);
  });
});

Deno.test("a missing log or key is an error that says how to create one", async () => {
  await inFolder(async (mnema) => {
    const commands = [["id"], ["append", "note", "{}"], ["log"], ["show", "op_1"], ["heads"], ["stats"], ["export"], [
      "import",
    ]];
    for (const sentence of await mnema.refusesEach(commands)) {
      assertMatch(sentence, /^there is no .* mnema\.(db|key); .*mnema init/);
    }
    assertEquals(contentsOf(mnema.folder), {});
  });
});

Deno.test("everything after -- is an argument, even with a leading dash", async () => {
  await withNode(async (mnema) => {
    const id = (await mnema.does("append", "note", "--", "{}")).trim();
    await mnema.does("export", "--", "-odd.jsonl");
    assertEquals(Object.keys(contentsOf(mnema.folder)), ["-odd.jsonl", "mnema.db", "mnema.key"]);
    assertEquals([await mnema.does("heads", "--"), await mnema.does("--", "heads")], [`${id}\n`, `${id}\n`]);
    await mnema.misuses("heads", "--", "--json");
    await mnema.refuses("append", "--", "{}"); // no type
  });
});

Deno.test("help for an unknown command is wrong usage, with the closest name suggested", async () => {
  await inFolder(async (mnema) => {
    assertEquals(await mnema.misuses("help", "lgo"), "there is no command lgo; did you mean log?");
  });
});

Deno.test("messages name a single-letter option with one dash", async () => {
  await withNode(async (mnema) => {
    const odd = [["-n"], ["-n", "ten"], ["-n", "-1"], ["-n=-1"], ["-n", "99999999999999999999"]];
    for (const said of await mnema.misusesEach(odd.map((args) => ["log", ...args]))) assertMatch(said, /^-n /);
  });
});

Deno.test("nothing is suggested for a word that resembles no name", async () => {
  await withNode(async (mnema) => {
    for (const said of await mnema.misusesEach([["ls"], ["add"], [""], ["-"], ["log", "-x"], ["log", "-json"]])) {
      assertFalse(said.includes("did you mean"), said);
    }
    assertStringIncludes(await mnema.misuses("LOG"), "did you mean log?");
  });
});
