import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { visibleLine } from "../../src/text.ts";
import { contentsOf } from "../folder.ts";
import { forged, note, vectorLines, vectorOperations } from "../operations.ts";
import { readVectors } from "../vectors.ts";
import type { Mnema } from "./mnema.ts";
import { inFolder, makeLog, withNode } from "./node.ts";

const operations = vectorOperations();
const lines = vectorLines();
const { heads } = readVectors<{ heads: string[] }>("log.expect.json");

/** Valid lines, except that the third is forged and the fourth follows it. */
const parent = note("parent");
const tampered = note("tampered", [parent.opId]);
const withForgery = [
  note("first").wire,
  parent.wire,
  forged(tampered).wire,
  note("follows the forged one", [tampered.opId]).wire,
  note("last").wire,
].map((line) => `${line}\n`).join("");

/** Runs `use` with the command line in a folder with a log of the vector operations. */
function withVectors(use: (mnema: Mnema) => Promise<void>): Promise<void> {
  return inFolder(async (mnema) => {
    makeLog(`${mnema.folder}/mnema.db`, operations);
    await use(mnema);
  });
}

async function countOf(mnema: Mnema): Promise<number> {
  return JSON.parse(await mnema.does("stats", "--json")).operations;
}

Deno.test("export writes the wire texts in seq order to standard output or a new file", async () => {
  await withVectors(async (mnema) => {
    const text = operations.map(({ wire }) => `${wire}\n`).join("");
    assertEquals(await mnema.does("export"), text);
    assertEquals(await mnema.does("export", "-"), text);
    assertEquals(await mnema.does("export", "all.jsonl"), "exported 1000 to all.jsonl\n");
    assertEquals(Deno.readTextFileSync(`${mnema.folder}/all.jsonl`), text);

    assertEquals(await mnema.does("export", "--since", "998"), text.split("\n").slice(998).join("\n"));
    assertEquals(await mnema.does("export", "--since", "1000"), "");
    const report = JSON.parse(await mnema.does("export", "some.jsonl", "--since", "990", "--json"));
    assertEquals(report, { exported: 10, file: "some.jsonl" });
  });
});

Deno.test("export overwrites no file and removes an incomplete one", async () => {
  await withVectors(async (mnema) => {
    Deno.writeTextFileSync(`${mnema.folder}/precious`, "precious");
    const before = contentsOf(mnema.folder);
    assertMatch(await mnema.refuses("export", "precious"), /^precious exists already and was not changed/);
    for (const path of ["mnema.db", ".", "none/all.jsonl"]) {
      assertStringIncludes(await mnema.refuses("export", path), path);
    }
    assertEquals(contentsOf(mnema.folder), before);
  });
});

Deno.test("import from a file or standard input gives a second node the same heads", async () => {
  await withVectors(async (mnema) => {
    await mnema.does("export", "all.jsonl");
    await mnema.does("init", "--log", "file.db");
    await mnema.does("init", "--log", "pipe.db");
    const piped = mnema.with({ stdin: lines.join("\r\n") });
    assertEquals(await mnema.does("import", "all.jsonl", "--log", "file.db"), "new 1000, known 0, refused 0\n");
    assertEquals(await piped.does("import", "--log", "pipe.db"), "new 1000, known 0, refused 0\n");
    for (const log of ["mnema.db", "file.db", "pipe.db"]) {
      assertEquals(JSON.parse(await mnema.does("heads", "--json", "--log", log)), heads);
    }

    const before = contentsOf(mnema.folder);
    assertEquals(await mnema.does("import", "all.jsonl", "--log", "file.db"), "new 0, known 1000, refused 0\n");
    const again = JSON.parse(await piped.does("import", "-", "--log", "pipe.db", "--strict", "--json"));
    assertEquals(again, { new: 0, known: 1000, refused: 0, refusals: [] });
    assertEquals(contentsOf(mnema.folder), before);
  });
});

Deno.test("export --since exports what another node lacks", async () => {
  await withNode(async (mnema) => {
    const first = lines.slice(0, 900).join("\n");
    await mnema.with({ stdin: first }).does("import");
    await withVectors(async (other) => {
      const more = await other.does("export", "--since", "890");
      assertEquals(await mnema.with({ stdin: more }).does("import"), "new 100, known 10, refused 0\n");
    });
    assertEquals(JSON.parse(await mnema.does("heads", "--json")), heads);
  });
});

Deno.test("a forged line is refused with its number and exit code 1, and the other lines are appended", async () => {
  await withNode(async (mnema) => {
    Deno.writeTextFileSync(`${mnema.folder}/forged.jsonl`, withForgery);
    const { code, out, err } = await mnema.run("import", "forged.jsonl");
    assertEquals([code, out], [1, "new 3, known 0, refused 2\n"]);
    const refusals = err.trimEnd().split("\n");
    assertMatch(refusals[0], new RegExp(`^line 3: refused: operation ${tampered.opId} .*content address`));
    assertMatch(
      refusals[1],
      new RegExp(`^line 4: refused: operation op_.* follows ${tampered.opId}, which the log does`),
    );
    assertEquals([refusals.length, await countOf(mnema)], [2, 3]);
  });
});

Deno.test("import --strict stops at the first refused line and appends nothing", async () => {
  await withNode(async (mnema) => {
    const many = lines.join("\n") + "\n" + withForgery;
    const strict = mnema.with({ stdin: many });
    const { code, out, err } = await strict.run("import", "--strict");
    assertEquals([code, out], [1, "new 0, known 0, refused 1 (--strict: nothing was appended)\n"]);
    assertMatch(err, /^line 1003: refused: operation op_[0-9a-f]+ .*content address.*\n$/);
    assertEquals(await countOf(mnema), 0);
    const report = JSON.parse((await strict.run("import", "--strict", "--json")).out);
    assertEquals([report.new, report.known, report.refused, report.refusals.length], [0, 0, 1, 1]);
    assertEquals([report.refusals[0].position, report.refusals[0].code], [1003, "bad-address"]);
    assertEquals(
      await mnema.with({ stdin: lines.join("\n") }).does("import", "--strict"),
      "new 1000, known 0, refused 0\n",
    );
  });
});

Deno.test("any malformed line is refused with its number, and the other lines are appended", async () => {
  await withNode(async (mnema) => {
    const encoder = new TextEncoder();
    const good = [note("one"), note("two")];
    const bad: [line: string | Uint8Array, code: string][] = [
      ["this is no JSON", "bad-shape"],
      ["{}", "bad-shape"],
      ["[]", "bad-shape"],
      [` ${note("spaced").wire}`, "bad-shape"],
      [`\ufeff${note("with a byte order mark").wire}`, "bad-shape"],
      [note("cut short").wire.slice(0, -1), "bad-shape"],
      [new Uint8Array([0xff, 0xfe, 0x7b]), "bad-shape"],
      [note("x".repeat(1 << 20)).wire, "too-large"],
      [forged(note("forged")).wire, "bad-address"],
      [note("child", [note("absent").opId]).wire, "dangling-reference"],
    ];
    const parts = [good[0].wire, "", ...bad.map(([line]) => line), good[1].wire]
      .flatMap((line) => [...typeof line === "string" ? encoder.encode(line) : line, 0x0a]);
    const { code, out, err } = await mnema.with({ stdin: new Uint8Array(parts) }).run("import", "--json");
    const report: { refusals: { position: number; code: string; reason: string }[] } & Record<string, unknown> = JSON
      .parse(out);
    assertEquals([code, report.new, report.known, report.refused], [1, 2, 0, bad.length]);
    assertEquals(
      report.refusals.map(({ position, code }) => [position, code]),
      bad.map(([, code], i) => [i + 3, code]),
    );
    assertEquals(
      err,
      report.refusals.map(({ position, reason }) => `line ${position}: refused: ${visibleLine(reason)}\n`).join(""),
    );
    assertEquals(await mnema.does("export"), good.map(({ wire }) => `${wire}\n`).join(""));
  });
});

Deno.test("an empty import is not an error, an unreadable file is", async () => {
  await withNode(async (mnema) => {
    Deno.writeTextFileSync(`${mnema.folder}/empty`, "");
    for (const args of [["empty"], [], ["-", "--strict"]]) {
      assertEquals(await mnema.does("import", ...args), "new 0, known 0, refused 0\n");
    }
    assertStringIncludes(await mnema.refuses("import", "absent.jsonl"), "absent.jsonl");
    assertMatch(await mnema.refuses("import", "."), /^\. is a folder/);
  });
});

Deno.test("the report of import --strict names the refused operation", async () => {
  await withNode(async (mnema) => {
    const refused = mnema.with({ stdin: withForgery });
    const strict = JSON.parse((await refused.run("import", "--strict", "--json")).out).refusals[0];
    assertEquals(strict, JSON.parse((await refused.run("import", "--json")).out).refusals[0]);
  });
});

Deno.test("control characters of a refused line are escaped", async () => {
  await withNode(async (mnema) => {
    for (const text of ["\u009b2J", '{"a\u009b2J\u202e":1,"a\u009b2J\u202e":1}', '{"a":1}\u202e']) {
      const said = [
        await mnema.with({ stdin: text }).run("import"),
        await mnema.with({ stdin: text }).run("import", "--strict"),
        await mnema.with({ stdin: text }).run("append", "note"),
        await mnema.with({ stdin: text }).run("append", "note", "--each", "-"),
        await mnema.run("show", text),
      ];
      for (const { code, err } of said) assertEquals([code, /[\u0080-\u009f\u202a-\u202e]/.test(err)], [1, false], err);
    }
  });
});
