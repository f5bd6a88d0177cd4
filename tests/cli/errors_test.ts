import { assert, assertEquals, assertFalse, assertMatch } from "@std/assert";
import { tooLarge } from "../../src/errors.ts";
import { translate } from "../../src/sqlite/failures.ts";
import { PendingOperations } from "../../src/ingest/pending.ts";
import { sentenceOf } from "../../src/cli/sentence.ts";
import { LogError } from "../../mod.ts";
import { note, vectorLines } from "../operations.ts";
import { inFolder, withNode } from "./node.ts";

/** Names of library options, which must not appear in a message. */
const LIBRARY_NAMES = /maxOperationBytes|busyTimeoutMs|maxWaiting|readonly|sinceSeq|[{}]/;

Deno.test("advice about library options is replaced with advice for the command line", () => {
  const waiting = {
    position: 1,
    opId: note("a").opId,
    prev: [],
    missing: [],
    record: { bytes: new Uint8Array(), table: new Uint8Array() },
  };
  const { code, reason } = new PendingOperations(0).full(waiting);
  const errors = [
    tooLarge("the operation", 10),
    translate(new Error("database is locked"), "mnema.db"),
    translate(new Error("attempt to write a readonly database"), "mnema.db"),
    new LogError(code, reason),
  ];
  for (const error of errors) {
    const { message } = error as LogError;
    assertMatch(message, LIBRARY_NAMES);
    const sentence = sentenceOf(error)!;
    assertFalse(LIBRARY_NAMES.test(sentence), sentence);
    assertEquals(sentence.split("; ")[0], message.split("; ")[0]);
    assertMatch(sentence, /; [a-z]/);
  }
  assertEquals(sentenceOf(new LogError("locked", "a; b")), "a; b");
});

Deno.test("no error of the command line names a library option", async () => {
  await withNode(async (mnema) => {
    const large = `{"text":"${"x".repeat(1 << 20)}"}`;
    Deno.writeTextFileSync(`${mnema.folder}/body`, large);
    const child = note("child", [note("absent").opId]).wire;
    const said = [
      await mnema.refuses("append", "note", "--body", "body"),
      await mnema.refuses("append", "note", "--each", "body"),
      (await mnema.with({ stdin: note(large).wire }).run("import")).err,
      (await mnema.with({ stdin: note(large).wire }).run("import", "--json")).out,
      (await mnema.with({ stdin: child }).run("import", "--any-order")).err,
    ];
    for (const sentence of said) {
      assertFalse(/maxOperationBytes|busyTimeoutMs|maxWaiting|readonly/.test(sentence), sentence);
    }
    for (const sentence of said.slice(0, 4)) assertMatch(sentence, /larger than 1048576 bytes; split it/);
  });
});

Deno.test("a missing argument is named, with the usage of the command", async () => {
  await inFolder(async (mnema) => {
    const cases: [args: string[], sentence: string][] = [
      [["append"], "TYPE is missing; usage: mnema append TYPE [BODY]"],
      [["show"], "ID is missing; usage: mnema show ID"],
      [["assert"], "KEY is missing; usage: mnema assert KEY VALUE"],
      [["assert", "drink"], "VALUE is missing; usage: mnema assert KEY VALUE"],
      [["refute"], "KEY is missing; usage: mnema refute KEY [VALUE]"],
      [["explain"], "ID|KEY is missing; usage: mnema explain ID|KEY"],
      [["consistency"], "OLD is missing; usage: mnema consistency OLD [NEW]"],
      [["show", "a", "b"], "unexpected argument b; usage: mnema show ID"],
      [["--json"], "a command is missing, such as: mnema log"],
    ];
    const said = await Promise.all(cases.map(([args]) => mnema.misuses(...args)));
    assertEquals(said, cases.map(([, sentence]) => sentence));
  });
});

Deno.test("a number above the limit is reported as too large", async () => {
  await withNode(async (mnema) => {
    for (
      const args of [["append", "note", "{}", "--ts"], ["log", "-n"], ["export", "--since"], [
        "explain",
        "k",
        "--depth",
      ]]
    ) {
      assertMatch(
        await mnema.misuses(...args, "9007199254740992"),
        /at most 9007199254740991; "9007199254740992" is too large$/,
      );
      assertMatch(await mnema.misuses(...args, "1x"), /takes an integer of at least 0, not "1x"$/);
    }
  });
});

Deno.test("import names the first refusals and counts the rest", async () => {
  await withNode(async (mnema) => {
    const stdin = "no operation\n".repeat(1500) + vectorLines()[0];
    for (const args of [["import"], ["import", "--json"]]) {
      const { code, err } = await mnema.with({ stdin }).run(...args);
      const lines = err.trimEnd().split("\n");
      assertEquals([code, lines.length, lines.at(-1)], [1, 21, "and 1480 more"]);
      assert(lines.slice(0, 20).every((line, i) => line.startsWith(`line ${i + 1}: refused: `)));
    }
    const twenty = await mnema.with({ stdin: "no operation\n".repeat(20) }).run("import");
    assertEquals([twenty.err.split("\n").length, twenty.err.includes("more")], [21, false]);
  });
});

Deno.test("import --any-order accepts operations before those they follow", async () => {
  await withNode(async (mnema) => {
    const reversed = vectorLines().toReversed().join("\n");
    const { code, out } = await mnema.with({ stdin: reversed }).run("import");
    assertEquals(code, 1, out);
    const rest = JSON.parse(out.replace(/^.*refused (\d+)\n$/, "$1"));
    assertEquals(
      await mnema.with({ stdin: reversed }).does("import", "--any-order"),
      `new ${rest}, known ${1000 - rest}, refused 0\n`,
    );
  });
});
