import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Operation } from "../../mod.ts";
import { withDatabase } from "../folder.ts";
import { alice, headsOf, note, vectorOperations } from "../operations.ts";
import type { Mnema } from "./mnema.ts";
import { inFolder, makeLog } from "./node.ts";

const operations = vectorOperations().slice(0, 200);

/** Runs `use` with the command line in a folder with a log of these operations. */
function withOperations(ops: Operation[], use: (mnema: Mnema) => Promise<void>): Promise<void> {
  return inFolder(async (mnema) => {
    makeLog(`${mnema.folder}/mnema.db`, ops);
    await use(mnema);
  });
}

/** Overwrites the wire text of an operation, after dropping the trigger that prevents it. */
function alter({ folder }: Mnema, seq: number, wire: string): void {
  withDatabase(`${folder}/mnema.db`, (database) => {
    database.exec("DROP TRIGGER ops_no_update");
    database.exec("UPDATE ops SET wire = ? WHERE seq = ?", wire, seq);
  });
}

Deno.test("show lists every field of an operation, and its children", async () => {
  const first = note("tea at four");
  const body = { text: "moved", tags: ["tea", { n: 5 }], none: {}, empty: [], "a key": null };
  const op = Operation.create({ type: "note", body, prev: [first.opId], ts: 1_700_000_000_000 }, alice);
  await withOperations([first, op], async (mnema) => {
    assertEquals(
      await mnema.does("show", op.opId),
      `op_id        ${op.opId}
seq          2
type         note
author       ${alice.author}
ts           1700000000000 (2023-11-14T22:13:20Z)
prev         ${first.opId}
followed by  none
sig          ${op.sig}
verified     shape, content address and signature
body         {
               "a key": null,
               "empty": [],
               "none": {},
               "tags": [
                 "tea",
                 {
                   "n": 5
                 }
               ],
               "text": "moved"
             }
`,
    );
    assertStringIncludes(await mnema.does("show", first.opId), `\nfollowed by  ${op.opId}\n`);
    const json = async (opId: string) => await mnema.does("show", opId, "--json");
    assertEquals(await json(op.opId), `{"seq":2,"verified":true,"op":${op.wire},"children":[]}\n`);
    assertEquals(await json(first.opId), `{"seq":1,"verified":true,"op":${first.wire},"children":["${op.opId}"]}\n`);
  });
});

Deno.test("an abbreviated id resolves to its only match and is refused with none or several", async () => {
  await withOperations(operations, async (mnema) => {
    const { opId } = operations[77];
    const whole = await mnema.does("show", opId);
    const abbreviated = [opId.slice(0, 16), `${opId.slice(0, 16)}…`, `${opId.slice(0, 16)}...`];
    assertEquals(await mnema.doesEach(abbreviated.map((id) => ["show", id])), abbreviated.map(() => whole));
    const [digit] = "0123456789abcdef".split("").filter((digit) =>
      operations.filter(({ opId }) => opId.startsWith(`op_${digit}`)).length > 1
    );
    assertMatch(await mnema.refuses("show", `op_${digit}`), /^op_. can mean op_.*, op_.* give more digits$/);
    const absent = "op_" + "0".repeat(64);
    assertStringIncludes(await mnema.refuses("show", absent), `no operation ${absent}`);
    for (const said of await mnema.refusesEach(["abc", "op_", "OP_12", "op_xyz", "%"].map((odd) => ["show", odd]))) {
      assertMatch(said, /^".*" is no operation id; one is op_ and/);
    }
  });
});

Deno.test("show verifies the operation again and reports one that was altered in the file", async () => {
  const op = note("genuine");
  const alterations: [wire: string, said: RegExp][] = [
    [op.wire.replace("genuine", "altered"), /^operation op_[0-9a-f]+ .*content address/],
    [op.wire.replace(/"sig":"./, (start) => start.slice(0, -1) + "z"), /^operation op_[0-9a-f]+ is damaged: \$\.sig/],
    ["{}", /^mnema\.db is damaged: .*seq 1/],
    ["no JSON", /^mnema\.db is damaged: .*seq 1/],
  ];
  for (const [wire, said] of alterations) {
    await withOperations([op], async (mnema) => {
      alter(mnema, 1, wire);
      assertMatch(await mnema.refuses("show", op.opId), said);
      assertMatch(await mnema.refuses("show", op.opId, "--json"), said);
    });
  }
});

Deno.test("show reports a row with the text of another operation, and still shows other rows", async () => {
  const [one, two] = [note("one"), note("two")];
  await withOperations([one, two], async (mnema) => {
    alter(mnema, 1, two.wire);
    assertMatch(await mnema.refuses("show", one.opId), /^mnema\.db is damaged/);
    assertStringIncludes(await mnema.does("show", two.opId), "two");
  });
});

Deno.test("heads are the operations that no other follows, sorted", async () => {
  await withOperations(operations, async (mnema) => {
    const heads = headsOf(operations);
    assertEquals(await mnema.does("heads"), heads.map((opId) => `${opId}\n`).join(""));
    assertEquals(JSON.parse(await mnema.does("heads", "--json")), heads);
  });
  await withOperations([], async (mnema) => {
    assertEquals([await mnema.does("heads"), await mnema.does("heads", "--json")], ["", "[]\n"]);
  });
});

Deno.test("stats reports counts by type and author, heads, size and time span", async () => {
  await withOperations(operations, async (mnema) => {
    const { types, authors, span, bytes, ...rest } = JSON.parse(await mnema.does("stats", "--json"));
    const times = operations.map(({ ts }) => ts);
    assertEquals(rest, { operations: 200, heads: headsOf(operations).length });
    assertEquals(span, { from: Math.min(...times), to: Math.max(...times) });
    assertEquals(types, countBy(operations.map(({ type }) => type)));
    assertEquals(authors, countBy(operations.map(({ author }) => author)));
    assertEquals(bytes, Deno.statSync(`${mnema.folder}/mnema.db`).size);

    const text = await mnema.does("stats");
    assertMatch(text, /^operations +200$/m);
    for (const [name, count] of Object.entries({ ...types, ...authors })) {
      assertMatch(text, new RegExp(`^ +${count}  ${name}$`, "m"));
    }
    for (const ts of Object.values<number>(span)) assertStringIncludes(text, new Date(ts).toISOString().slice(0, 19));
  });
});

Deno.test("stats of an empty log reports zeros", async () => {
  await withOperations([], async (mnema) => {
    const { bytes, ...rest } = JSON.parse(await mnema.does("stats", "--json"));
    assertEquals(rest, { operations: 0, heads: 0, span: null, types: {}, authors: {} });
    assertEquals(bytes, Deno.statSync(`${mnema.folder}/mnema.db`).size);
    assertMatch(await mnema.does("stats"), /^operations +0$/m);
  });
});

Deno.test("a file that is not a log is refused with one sentence and not changed", async () => {
  await inFolder(async (mnema) => {
    Deno.writeTextFileSync(`${mnema.folder}/text`, "not a database, but long enough to be read as one".repeat(100));
    withDatabase(`${mnema.folder}/other.db`, (database) => database.exec("CREATE TABLE t (a)"));
    Deno.writeTextFileSync(`${mnema.folder}/empty`, "");
    for (const name of ["text", "other.db", "empty", "."]) {
      const before = name === "." ? undefined : Deno.readFileSync(`${mnema.folder}/${name}`);
      const commands = [["heads"], ["log"], ["stats"], ["export"], ["show", "op_1"], ["claims"]];
      for (const said of await mnema.refusesEach(commands.map((command) => [...command, "--log", name]))) {
        assertStringIncludes(said, name);
      }
      if (before !== undefined) assertEquals(Deno.readFileSync(`${mnema.folder}/${name}`), before);
    }
  });
});

function countBy(names: string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, names.filter((other) => other === name).length]));
}
