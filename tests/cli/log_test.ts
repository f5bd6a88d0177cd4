import { assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { encodeCanonical, Operation, parseCanonical } from "../../mod.ts";
import { linesOf } from "../processes.ts";
import { alice, bob, vectorOperations } from "../operations.ts";
import type { Mnema } from "./mnema.ts";
import { inFolder, jsonLines, makeLog, withNode } from "./node.ts";

const operations = vectorOperations().slice(0, 200);
/** The operations with their seq. */
const numbered = operations.map((op, i) => ({ seq: i + 1, op }));

/** Runs `use` with the command line in a folder with a log of `operations`. */
function withOperations(use: (mnema: Mnema) => Promise<void>): Promise<void> {
  return inFolder(async (mnema) => {
    makeLog(`${mnema.folder}/mnema.db`, operations);
    await use(mnema);
  });
}

async function seqsOf(mnema: Mnema, ...args: string[]): Promise<number[]> {
  return jsonLines<{ seq: number }>(await mnema.does("log", "--json", ...args)).map(({ seq }) => seq);
}

Deno.test("log prints one readable line per operation, newest last", async () => {
  await inFolder(async (mnema) => {
    const ops = [
      Operation.create({ type: "note", body: { text: "tea at four" }, ts: 0 }, alice),
      Operation.create({ type: "photo.meta", body: { text: "x".repeat(500) }, ts: 1_700_000_000_999 }, bob),
      Operation.create({ type: "note", body: {}, ts: Number.MAX_SAFE_INTEGER }, alice),
    ];
    makeLog(`${mnema.folder}/mnema.db`, ops);
    const lines = (await mnema.does("log")).trimEnd().split("\n");
    const [a, b] = [alice, bob].map(({ author }) => author.slice(0, 12));
    const [x, y, z] = ops.map(({ opId }) => opId.slice(0, 11));
    assertEquals(lines[0], `     1  1970-01-01T00:00:00Z  note                ${a}  ${x}  {"text":"tea at four"}`);
    assertMatch(lines[1], new RegExp(`^     2  2023-11-14T22:13:20Z  photo\\.meta          ${b}  ${y}  {"text":"x+…$`));
    assertEquals([lines[1].length, lines.length], [120, 3]);
    assertMatch(lines[2], new RegExp(`^     3  9007199254740991 ms  note +${a}  ${z}  {}$`));
  });
});

Deno.test("log --json prints one JSON line per operation, with its canonical text", async () => {
  await withOperations(async (mnema) => {
    const out = await mnema.does("log", "--json");
    assertEquals(out, numbered.map(({ seq, op }) => `{"seq":${seq},"op":${op.wire}}\n`).join(""));
    for (const line of out.trimEnd().split("\n")) {
      const op = line.slice(line.indexOf('"op":') + 5, -1);
      assertEquals(encodeCanonical(parseCanonical(op)), op);
      Operation.parse(op).verify();
    }
  });
});

Deno.test("--type, --author and --since filter, -n limits to the newest, --reverse reverses the order", async () => {
  await withOperations(async (mnema) => {
    const types = [...new Set(operations.map((op) => op.type))];
    const [author] = new Set(operations.map((op) => op.author));
    const seqs = (accept: (op: Operation, seq: number) => boolean) =>
      numbered.filter(({ seq, op }) => accept(op, seq)).map(({ seq }) => seq);
    const all = seqs(() => true);
    const ofTypes = seqs((op) => op.type === types[0] || op.type === types[1]);

    const cases: [args: string[], expected: number[]][] = [
      [["--type", types[0]], seqs((op) => op.type === types[0])],
      [["--type", types[0], "--type", types[1]], ofTypes],
      [["--type", `${types[0]},${types[1]}`], ofTypes],
      [["--type", `${types[0]},${types[1]}`, "-n", "3"], ofTypes.slice(-3)],
      [["--type", "nothing.of.the.kind"], []],
      [["--author", author], seqs((op) => op.author === author)],
      [["--author", author, "--type", types[0]], seqs((op) => op.author === author && op.type === types[0])],
      [["--since", "190"], all.slice(190)],
      [["--since", "200"], []],
      [["--since", "195", "-n", "2"], [199, 200]],
      [["--since", "195", "-n", "100"], all.slice(195)],
      [["-n", "3"], [198, 199, 200]],
      [["-n2"], [199, 200]],
      [["-n", "0"], []],
      [["--reverse"], all.toReversed()],
      [["--reverse", "-n", "3"], [200, 199, 198]],
      [["--reverse", "--since", "197"], [200, 199, 198]],
    ];
    const found = await Promise.all(cases.map(([args]) => seqsOf(mnema, ...args)));
    for (const [i, [args, expected]] of cases.entries()) assertEquals(found[i], expected, args.join(" "));
  });
});

Deno.test("--follow lists existing operations, then those another process appends, until interrupted", async () => {
  await withNode(async (mnema) => {
    for (const n of [1, 2, 3]) await mnema.does("append", "note", `{"n":${n}}`);
    const follower = mnema.spawn("log", "--follow", "--json", "--type", "note", "-n", "2");
    const errors = new Response(follower.stderr).text();
    const lines = linesOf(follower.stdout);
    const next = async () => JSON.parse((await lines.next()).value ?? "null");
    try {
      assertEquals([(await next()).op.body.n, (await next()).op.body.n], [2, 3]);
      await mnema.does("append", "other", "{}");
      await mnema.does("append", "note", '{"n":4}');
      assertEquals(await next(), { seq: 5, op: JSON.parse(await mnema.does("export", "--since", "4")) });
      await mnema.with({ stdin: '{"n":5}\n{"n":6}\n' }).does("append", "note", "--each", "-");
      assertEquals([(await next()).seq, (await next()).seq], [6, 7]);
    } finally {
      follower.kill("SIGKILL");
      await lines.return(undefined);
      await follower.status;
    }
    assertEquals(await errors, "");
  });
});

Deno.test("control and bidirectional characters in a body are escaped", async () => {
  await inFolder(async (mnema) => {
    const steering = ["\x00\x07\x1b", "\x7f\x80\x9b", "\u061c\u200e\u200f", "\u202a\u202e\u2066", "\u2028\u2029\u2069"];
    const ops = steering.map((text) => Operation.create({ type: "note", body: { [text]: text } }, alice));
    makeLog(`${mnema.folder}/mnema.db`, ops);
    const log = await mnema.does("log");
    const shown = await Promise.all(ops.map(({ opId }) => mnema.does("show", opId)));
    for (const [i, text] of steering.entries()) {
      const escaped = [...text].map((character) => "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0")).join(
        "",
      );
      assertStringIncludes(log, `{"${escaped}":"${escaped}"}`);
      assertStringIncludes(shown[i], `"${escaped}": "${escaped}"`);
      for (const character of text) assertFalse((log + shown[i]).includes(character), escaped);
    }
  });
});

Deno.test("--author with a malformed id is wrong usage, not an empty list", async () => {
  await withOperations(async (mnema) => {
    const [{ author }] = operations;
    for (const odd of [author.slice(4), "mnk_", "MNK_12", "alice"]) {
      assertMatch(await mnema.misuses("log", "--author", odd), /--author .*mnk_/);
    }
  });
});
