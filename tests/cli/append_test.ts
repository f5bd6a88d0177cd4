import { assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { type Entry, OpLog } from "../../mod.ts";
import { contentsOf } from "../folder.ts";
import type { Mnema } from "./mnema.ts";
import { withNode } from "./node.ts";

/** The entries of a node's log. */
function entriesOf({ folder }: Mnema): Entry[] {
  using log = OpLog.open(`${folder}/mnema.db`, { readonly: true });
  return [...log.entries()];
}

function bodiesOf(mnema: Mnema): unknown[] {
  return entriesOf(mnema).map(({ op }) => op.body);
}

Deno.test("append reads the body from the argument, a file or standard input", async () => {
  await withNode(async (mnema) => {
    Deno.writeTextFileSync(`${mnema.folder}/body.json`, '{\n  "from": "file"\n}\n');
    const piped = mnema.with({ stdin: '{"from":"pipe"}' });
    const ids = [
      await mnema.does("append", "note", '{"from":"argument"}'),
      await mnema.does("append", "note", "--body", "body.json"),
      await piped.does("append", "note", "--body", "-"),
      await piped.does("append", "note"),
    ];
    const entries = entriesOf(mnema);
    assertEquals(entries.map(({ op }) => op.body.from), ["argument", "file", "pipe", "pipe"]);
    assertEquals(entries.map(({ op }) => `${op.opId}\n`), ids);
    const author = (await mnema.does("id")).trim();
    for (const { op } of entries) {
      op.verify();
      assertEquals([op.type, op.author], ["note", author]);
    }
  });
});

Deno.test("append --json reports the seq and the id", async () => {
  await withNode(async (mnema) => {
    for (const seq of [1, 2]) {
      const appended = JSON.parse(await mnema.does("append", "note", "{}", "--json"));
      assertEquals(appended, { seq, op_id: entriesOf(mnema)[seq - 1].op.opId });
    }
  });
});

Deno.test("an operation follows the heads of the log, or the operations of --prev", async () => {
  await withNode(async (mnema) => {
    const append = async (...args: string[]) => (await mnema.does("append", "note", "{}", ...args)).trim();
    const a = await append();
    const b = await append();
    const c = await append("--prev", a.slice(0, 16));
    await append();
    await append("--prev", `${a},${b.slice(0, 16)}…`, "--prev", c.slice(0, 16) + "...");
    const prevs = entriesOf(mnema).map(({ op }) => [...op.prev].sort());
    assertEquals(prevs, [[], [a], [a], [b, c].sort(), [a, b, c].sort()]);

    assertMatch(await mnema.refuses("append", "note", "{}", "--prev", "op_"), /^"op_" is no operation id/);
    const absent = "op_" + "0".repeat(64);
    assertStringIncludes(await mnema.refuses("append", "note", "{}", "--prev", absent), absent);
    assertEquals(entriesOf(mnema).length, 5);
  });
});

Deno.test("--ts sets the time of the operation; the default is now", async () => {
  await withNode(async (mnema) => {
    const before = Date.now();
    await mnema.does("append", "note", "{}");
    for (const ts of ["0", "9007199254740991"]) await mnema.does("append", "note", "{}", "--ts", ts);
    const [now, ...given] = entriesOf(mnema).map(({ op }) => op.ts);
    assertEquals([given, now >= before, now <= Date.now()], [[0, Number.MAX_SAFE_INTEGER], true, true]);
  });
});

Deno.test("integers of any size keep all digits", async () => {
  await withNode(async (mnema) => {
    for (const number of ["9007199254740993", "9223372036854775807", "-9223372036854775808"]) {
      const id = (await mnema.does("append", "note", `{"n":${number}}`)).trim();
      const commands = [["show", id], ["log", "-n", "1"], ["log", "--json"], ["export"], ["show", id, "--json"]];
      const [indented, ...others] = await mnema.doesEach(commands);
      assertStringIncludes(indented, `"n": ${number}\n`);
      for (const text of others) assertStringIncludes(text, `{"n":${number}}`);
    }
  });
});

Deno.test("an invalid body or type is refused with its position, and nothing is appended", async () => {
  await withNode(async (mnema) => {
    const bodies: [body: string, said: RegExp][] = [
      ['{"a":0.5}', /^0\.5 is a float; .*\(offset 5\)$/],
      ['{"a":1e3}', /^1e3 is a float; .*\(offset 5\)$/],
      ["{'a':1}", /^this is not JSON: .*\(offset 1\); the body must be/],
      ['{"a":1,}', /\(offset 7\); the body must be/],
      ['{"a":1,"a":2}', /^the key "a" occurs twice .*\(offset 7\)$/],
      ['{"a":9223372036854775808}', /64 bits \(offset 5\)$/],
      ['{"a":"\\ud800"}', /surrogate.*\(offset 5\)$/],
      [`{"a":${"[".repeat(70)}${"]".repeat(70)}}`, /deeper than 64 levels/],
      ['[{"a":1}]', /^the body must be a JSON object/],
      ["null", /^the body must be a JSON object/],
      ['"text"', /^the body must be a JSON object/],
    ];
    const said = await mnema.refusesEach(bodies.map(([body]) => ["append", "note", body]));
    for (const [i, [body, pattern]] of bodies.entries()) assertMatch(said[i], pattern, body);
    const types = ["Note", "a note", "note.", "1note", "x".repeat(129)];
    for (const sentence of await mnema.refusesEach(types.map((type) => ["append", type, "{}"]))) {
      assertMatch(sentence, /lower-case words joined by dots/);
    }
    await mnema.refusesEach([["append", "note", "--body", "absent.json"], ["append", "note", "--body", "."]]);
    assertEquals(entriesOf(mnema), []);
  });
});

Deno.test("a body above the size limit is refused", async () => {
  await withNode(async (mnema) => {
    const large = mnema.with({ stdin: JSON.stringify({ text: "x".repeat(1 << 20) }) });
    assertMatch(await large.refuses("append", "note"), /larger than 1048576 bytes/);
    assertMatch(await large.refuses("append", "note", "--each", "-"), /line 1.*larger than 1048576 bytes/);
    assertEquals(entriesOf(mnema), []);
  });
});

Deno.test("--each appends each line of a file or standard input, chained, and accepts blank lines and CRLF", async () => {
  await withNode(async (mnema) => {
    const lines = '\n{"n":1}\r\n\r\n\n{ "n" : 2 }\n{"n":3}';
    Deno.writeTextFileSync(`${mnema.folder}/each.ndjson`, lines);
    const out = await mnema.does("append", "note", "--each", "each.ndjson");
    const report = JSON.parse(await mnema.with({ stdin: lines }).does("append", "note", "--each", "-", "--json"));
    const ops = entriesOf(mnema).map(({ op }) => op);
    assertEquals(ops.map(({ body }) => body.n), [1, 2, 3, 1, 2, 3]);
    assertEquals(ops.map(({ prev }) => prev), [[], ...ops.slice(0, -1).map(({ opId }) => [opId])]);
    assertEquals(out, `appended 3, the last is ${ops[2].opId}\n`);
    assertEquals(report, { appended: 3, last: ops[5].opId });

    const [first] = ops;
    await mnema.does("append", "note", "--each", "each.ndjson", "--prev", first.opId.slice(0, 16), "--ts", "7");
    const more = entriesOf(mnema).slice(6).map(({ op }) => op);
    assertEquals(more.map(({ prev }) => prev), [[first.opId], [more[0].opId], [more[1].opId]]);
    assertEquals(more.map(({ ts }) => ts), [7, 7, 7]);
  });
});

Deno.test("--each with empty input appends nothing", async () => {
  await withNode(async (mnema) => {
    assertEquals(await mnema.does("append", "note", "--each", "-"), "appended 0\n");
    assertEquals(JSON.parse(await mnema.does("append", "note", "--each", "-", "--json")).appended, 0);
  });
});

Deno.test("--each is atomic: an error names the line and leaves the log unchanged", async () => {
  await withNode(async (mnema) => {
    await mnema.does("append", "note", '{"n":0}');
    const before = contentsOf(mnema.folder);
    const good = '{"n":1}\n'.repeat(1500);
    const bad: [lines: string | Uint8Array<ArrayBuffer>, said: RegExp][] = [
      [`${good}\n{"n":0.5}\n${good}`, /line 1502: 0\.5 is a float; .*\(offset 5\)$/],
      [`${good}[1]`, /line 1501: the body must be a JSON object/],
      [`${good}{"n":1`, /line 1501: this is not JSON/],
      [new Uint8Array([...new TextEncoder().encode('{"n":1}\n'), 0xff, 0xfe]), /line 2: .*not UTF-8/],
    ];
    for (const [stdin, said] of bad) {
      assertMatch(await mnema.with({ stdin }).refuses("append", "note", "--each", "-"), said);
    }
    await mnema.refuses("append", "note", "--each", "absent.ndjson");
    await mnema.with({ stdin: good }).refuses("append", "Not a type", "--each", "-");
    assertEquals(contentsOf(mnema.folder), before);
    assertEquals(bodiesOf(mnema), [{ n: 0 }]);
  });
});

Deno.test("--each skips lines of white space", async () => {
  await withNode(async (mnema) => {
    await mnema.with({ stdin: '  \n{"n":1}\n\t\r\n \n{"n":2}\n ' }).does("append", "note", "--each", "-");
    assertEquals(bodiesOf(mnema), [{ n: 1 }, { n: 2 }]);
  });
});

Deno.test("a body that is not UTF-8 is refused", async () => {
  await withNode(async (mnema) => {
    const stdin = new Uint8Array([...new TextEncoder().encode('{"a":"'), 0xff, ...new TextEncoder().encode('"}')]);
    assertMatch(await mnema.with({ stdin }).refuses("append", "note"), /UTF-8/);
    assertEquals(entriesOf(mnema), []);
  });
});

Deno.test("a missing body is an error that says how to give one", async () => {
  await withNode(async (mnema) => {
    for (const stdin of ["", " \n"]) {
      assertStringIncludes(await mnema.with({ stdin }).refuses("append", "note"), "--body");
    }
    assertStringIncludes(await mnema.refuses("append", "note", ""), "--body");
  });
});

Deno.test("an invalid type is refused before the body is read", async () => {
  await withNode(async (mnema) => {
    const stdin = '{"n":1}\n';
    for (const args of [['{"n":1}'], ['{"n":1}', "note"], ["Note", "--body", "absent"], ["Note", "--each", "-"]]) {
      const sentence = await mnema.with({ stdin }).refuses("append", ...args);
      assertMatch(sentence, /lower-case words joined by dots/, args.join(" "));
      assertMatch(sentence, /^TYPE must be .*; it is "/);
      assertFalse(sentence.includes("line 1"), sentence);
    }
  });
});

Deno.test("--prev without an id is wrong usage, and white space around ids is ignored", async () => {
  await withNode(async (mnema) => {
    const a = (await mnema.does("append", "note", "{}")).trim();
    const b = (await mnema.does("append", "note", "{}", "--prev", ` ${a}`)).trim();
    await mnema.does("append", "note", "{}", "--prev", `${a}, ${b},`);
    await mnema.misusesEach([",", " ", ", ,"].map((prev) => ["append", "note", "{}", "--prev", prev]));
    assertEquals(entriesOf(mnema).map(({ op }) => op.prev.length), [0, 1, 2]);
  });
});
