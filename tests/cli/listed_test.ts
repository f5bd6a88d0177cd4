import { assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { listed, unlisted, unlistLines } from "../../src/render/listed.ts";
import { forged, note, vectorLines, vectorOperations } from "../operations.ts";
import { inFolder, makeLog, withNode } from "./node.ts";
import { runs } from "../runs.ts";

const operations = vectorOperations().slice(0, 100);

/** The output for chunks of bytes. */
async function through(text: string, chunkLength: number, maxBytes = 1 << 20): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const chunks = Array.from(
    { length: Math.ceil(bytes.length / chunkLength) },
    (_, i) => bytes.slice(i * chunkLength, (i + 1) * chunkLength),
  );
  return await new Response(ReadableStream.from(chunks).pipeThrough(unlistLines(maxBytes))).text();
}

Deno.test("the output of log --json and show --json can be imported, with its line numbers", async () => {
  await inFolder(async (mnema) => {
    makeLog(`${mnema.folder}/mnema.db`, operations);
    const log = await mnema.does("log", "--json");
    const show = await mnema.does("show", operations[0].opId, "--json");
    const bad = listed(7, forged(note("forged")));
    await mnema.does("init", "--log", "file.db");
    await mnema.does("init", "--log", "pipe.db");
    Deno.writeTextFileSync(`${mnema.folder}/listed`, `${log}\r\n${show}${bad}\r\n${note("plain").wire}`);

    const { code, out, err } = await mnema.run("import", "listed", "--log", "file.db");
    assertEquals([code, out], [1, "new 101, known 1, refused 1\n"]);
    assertMatch(err, /^line 103: refused: .*content address.*\n$/);
    assertEquals(await mnema.with({ stdin: log }).does("import", "--log", "pipe.db"), "new 100, known 0, refused 0\n");
    assertEquals(await mnema.does("export", "--log", "pipe.db"), operations.map(({ wire }) => `${wire}\n`).join(""));
  });
});

Deno.test("a JSON line that differs from the form of log --json is refused", async () => {
  await withNode(async (mnema) => {
    const { wire } = note("tea");
    const odd = [`{"seq":1,"op":${wire},"more":1}`, `{"op":${wire},"seq":1}`, `{"seq": 1,"op":${wire}}`, `${wire}}`];
    const stdin = [listed(1, note("good")), ...odd].join("\n");
    const { code, out } = await mnema.with({ stdin }).run("import");
    assertEquals([code, out], [1, "new 1, known 0, refused 4\n"]);
  });
});

Deno.test("operations are extracted from listed lines, for any split into chunks", async () => {
  const wires = vectorLines().slice(0, 20);
  const line = fc.oneof(
    fc.constantFrom(...wires.map((wire) => [wire, wire])),
    fc.nat().chain((seq) => fc.constantFrom(...wires.map((wire) => [`{"seq":${seq},"op":${wire}}`, wire]))),
    fc.nat().chain((seq) =>
      fc.constantFrom(...wires.map((wire) => [`{"seq":${seq},"verified":true,"op":${wire}}`, wire]))
    ),
    fc.array(fc.constantFrom(...operations.map(({ opId }) => opId)), { maxLength: 3 }).chain((children) =>
      fc.constantFrom(...wires.map((wire) => {
        const list = children.map((opId) => `"${opId}"`).join(",");
        return [`{"seq":1,"verified":true,"op":${wire},"children":[${list}]}`, wire];
      }))
    ),
    fc.constantFrom("", "}", '{"seq":', '{"seq":1,"op":', '{"seq":1,"op":x', '"日本"').map((text) => [text, text]),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 12 }),
      fc.integer({ min: 1, max: 700 }),
      fc.constantFrom("\n", "\r\n"),
      async (lines, chunkLength, newline) => {
        const [given, expected] = [0, 1].map((i) => lines.map((line) => line[i]).join(newline));
        // The carriage return of a listed line is dropped; an import takes it as part of the newline.
        assertEquals((await through(given, chunkLength)).replaceAll("\r", ""), expected.replaceAll("\r", ""));
        for (const [text, wire] of lines) assertEquals(unlisted(text), wire);
      },
    ),
    { numRuns: runs(60) },
  );
});

Deno.test("a line too long for an operation passes unchanged, and the next is read", async () => {
  const long = listed(1, note("x".repeat(3000)));
  const short = note("short");
  for (const chunkLength of [1, 100, 10_000]) {
    const text = await through([long, listed(2, short), long, short.wire].join("\n"), chunkLength, 1000);
    assertEquals(text.split("\n").filter((line) => line === short.wire).length, 2);
    assertEquals(text.split("\n").length, 4);
  }
});
