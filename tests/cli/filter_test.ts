import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Operation } from "../../mod.ts";
import { alice, bob, carol } from "../operations.ts";
import type { Mnema } from "./mnema.ts";
import { inFolder, jsonLines, makeLog } from "./node.ts";

const [first, second] = [alice, bob, carol].map(({ author }) => author).sort();

/** The time and the text of each operation, in seq order. */
const NOTES: [time: string, body: Record<string, unknown>, author: typeof alice][] = [
  ["2026-10-31T23:59:59.999Z", { text: "tea at four" }, alice],
  ["2026-11-01T00:00:00.000Z", { text: "Tea at FIVE" }, bob],
  ["2026-11-15T14:30:00.000Z", { nested: [{ Green: "t.e.a" }] }, alice],
  ["2026-11-15T14:30:00.001Z", { text: 'say "hi"\n', n: 42 }, carol],
  ["2026-12-01T00:00:00.000Z", { text: "Straße", flag: true }, alice],
];
const ops = NOTES.map(([time, body, author]) => Operation.create({ type: "note", body, ts: Date.parse(time) }, author));

function withNotes(use: (mnema: Mnema) => Promise<void>): Promise<void> {
  return inFolder(async (mnema) => {
    makeLog(`${mnema.folder}/mnema.db`, ops);
    await use(mnema);
  });
}

async function assertChosen(mnema: Mnema, cases: [args: string[], seqs: number[]][]): Promise<void> {
  const found = await mnema.doesEach(cases.map(([args]) => ["log", "--json", ...args]));
  for (const [i, [args, seqs]] of cases.entries()) {
    assertEquals(jsonLines<{ seq: number }>(found[i]).map(({ seq }) => seq), seqs, args.join(" "));
  }
}

Deno.test("--after and --before filter by UTC time, the former inclusive, the latter exclusive", async () => {
  await withNotes(async (mnema) => {
    await assertChosen(mnema, [
      [["--after", "2026-11-01"], [2, 3, 4, 5]],
      [["--before", "2026-11-01"], [1]],
      [["--after", "2026-11-01", "--before", "2026-12-01"], [2, 3, 4]],
      [["--after", "2026-11-15T14:30"], [3, 4, 5]],
      [["--after", "2026-11-15T14:30:00.001Z"], [4, 5]],
      [["--after", "2026-11-01T00:00+00:01"], [1, 2, 3, 4, 5]],
      [["--after", "2026-11-01T00:00-00:01"], [3, 4, 5]],
      [["--after", "2026-11-01", "-n", "2"], [4, 5]],
      [["--before", "2026-11-30", "-n", "2"], [3, 4]],
      [["--before", "2026-11-30", "-n", "2", "--reverse"], [4, 3]],
      [["--before", "2026-11-30", "--since", "2"], [3, 4]],
      [["--after", "2027-01-01"], []],
    ]);
    const odd = [
      "yesterday",
      "2026",
      "2026-13-01",
      "2026-02-30",
      "2026-11-1",
      "2026-11-01T25:00",
      "2026-11-01 10:00",
      "0",
    ];
    for (const said of await mnema.misusesEach(odd.map((date) => ["log", "--after", date]))) {
      assertMatch(said, /^--after takes a day or a time .*in UTC/);
    }
    assertMatch(await mnema.misuses("export", "--before", "now"), /^--before takes a day/);
  });
});

Deno.test("--grep finds a literal text in keys and values, ignoring case", async () => {
  await withNotes(async (mnema) => {
    await assertChosen(mnema, [
      [["--grep", "tea"], [1, 2]],
      [["--grep", "TEA AT"], [1, 2]],
      [["--grep", "t.e.a"], [3]],
      [["--grep", "green"], [3]],
      [["--grep", 'say "hi"'], [4]],
      [["--grep", "42"], [4]],
      [["--grep", "STRASSE"], []],
      [["--grep", "straße"], [5]],
      [["--grep", "true"], [5]],
      [["--grep", "tea", "--author", bob.author], [2]],
      [["--grep", "tea", "-n", "1"], [2]],
      [["--grep", "mnk_"], []],
    ]);
  });
});

Deno.test("every --author option accepts an abbreviation with only one match in the log", async () => {
  await withNotes(async (mnema) => {
    await mnema.does("init");
    const [a, b] = [first, second].map((author) => author.slice(0, 12));
    const mine = ops.flatMap(({ author }, i) => author === first ? [i + 1] : []);
    const both = ops.flatMap(({ author }, i) => author === first || author === second ? [i + 1] : []);
    await assertChosen(mnema, [
      [["--author", a], mine],
      [["--author", `${a}…`], mine],
      [["--author", first], mine],
      [["--author", `${a},${b}`], both],
      [["--author", "mnk_" + "0".repeat(64)], []],
    ]);
    const id = (await mnema.does("id")).trim();
    await mnema.does("assert", "drink", "tea");
    const claims = jsonLines<{ author: string }>(await mnema.does("claims", "--author", id.slice(0, 12), "--json"));
    assertEquals(claims.map(({ author }) => author), [id]);

    const absent = ["log", "export", "claims"].map((command) => [command, "--author", "mnk_00000000"]);
    for (const said of await mnema.refusesEach(absent)) {
      assertStringIncludes(said, "nothing by an author mnk_00000000");
    }
  });
});

Deno.test("an ambiguous abbreviation lists some matches and says whether there are more", async () => {
  const authors = ["1", "11", "12", "13", "2", "21"].map((digits) => "mnk_" + digits.padEnd(64, "0"));
  await inFolder(async (mnema) => {
    const forgeries = authors.map((author) =>
      Operation.fromWire({ ...ops[0].toWire(), author, op_id: opIdOf(author) })
    );
    makeLog(`${mnema.folder}/mnema.db`, forgeries);
    const [one, eleven, twelve, , two, twentyOne] = authors;
    assertEquals(
      await mnema.refuses("log", "--author", "mnk_1"),
      `mnk_1 can mean ${one}, ${eleven}, ${twelve} or more; give more digits`,
    );
    assertEquals(
      await mnema.refuses("log", "--author", "mnk_2"),
      `mnk_2 can mean ${two} or ${twentyOne}; give more digits`,
    );
    assertEquals(
      await mnema.refuses("show", "op_2"),
      `op_2 can mean ${opIdOf(two)} or ${opIdOf(twentyOne)}; give more digits`,
    );
    assertStringIncludes(await mnema.does("log", "--author", "mnk_13", "--json"), `"author":"${authors[3]}"`);
  });
});

Deno.test("export accepts the same filters and writes the wire texts of the matches", async () => {
  await withNotes(async (mnema) => {
    const wires = (seqs: number[]) => seqs.map((seq) => `${ops[seq - 1].wire}\n`).join("");
    const cases: [args: string[], seqs: number[]][] = [
      [["--type", "note", "--author", alice.author.slice(0, 12)], [1, 3, 5]],
      [["--type", "other"], []],
      [["--since", "1", "--author", alice.author], [3, 5]],
      [["--after", "2026-11-01", "--before", "2026-12-01"], [2, 3, 4]],
      [["--grep", "tea"], [1, 2]],
    ];
    const found = await Promise.all(cases.map(([args]) => mnema.does("export", ...args)));
    for (const [i, [args, seqs]] of cases.entries()) assertEquals(found[i], wires(seqs), args.join(" "));
    assertEquals(await mnema.does("export", "some", "--grep", "tea"), "exported 2 to some\n");
    assertEquals(Deno.readTextFileSync(`${mnema.folder}/some`), wires([1, 2]));
  });
});

function opIdOf(author: string): string {
  return "op_" + author.slice(4);
}
