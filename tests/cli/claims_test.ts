import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { Identity, OpLog } from "../../mod.ts";
import { displayWidth } from "../../src/render/width.ts";
import { withDatabase } from "../folder.ts";
import { works } from "../processes.ts";
import { type Mnema, PERMISSIONS } from "./mnema.ts";
import { jsonLines, withNode } from "./node.ts";

interface Listed {
  key: string;
  value: unknown;
  confidence_ppm: number;
  status: string;
  op_id: string;
  inputs: string[];
  deriver?: { id: string; version: string };
}

const absent = "op_" + "0".repeat(64);

/** Runs a command that appends, and returns the id that it prints first. */
async function idOf(mnema: Mnema, ...args: string[]): Promise<string> {
  return (await mnema.does(...args)).split("\n")[0];
}

async function list(mnema: Mnema, ...args: string[]): Promise<Listed[]> {
  return jsonLines(await mnema.does("claims", "--json", ...args));
}

/** Claims: a home from a mail, a city from the home, a drink from the city and by hand. */
async function withClaims(use: (mnema: Mnema, ids: Record<string, string>) => Promise<void>): Promise<void> {
  await withNode(async (mnema) => {
    const body = '{"source":"mail","kind":"message","content":{"text":"I live in Oslo"}}';
    const mail = await idOf(mnema, "append", "evidence.add", body);
    const home = await idOf(mnema, "assert", "home", "Oslo", "--from", mail, "--deriver", "reader@2.0");
    const city = await idOf(mnema, "assert", "home.city", "Oslo", "--from", home.slice(0, 20), "--confidence", "0.9");
    const drink = await idOf(mnema, "assert", "drink", "tea", "--from", `${city},${mail}`, "--confidence", "0.82");
    await use(mnema, { mail, home, city, drink });
  });
}

Deno.test("assert accepts JSON, and takes other values as text", async () => {
  await withNode(async (mnema) => {
    const values: [text: string, value: string][] = [
      ["tea", '"tea"'],
      ['"tea"', '"tea"'],
      ["", '""'],
      ["1.5 litres", '"1.5 litres"'],
      ["{tea}", '"{tea}"'],
      ["true", "true"],
      ["null", "null"],
      ["9223372036854775807", "9223372036854775807"],
      ['{"b": [1], "a": "日本"}', '{"a":"日本","b":[1]}'],
      ['"0.5"', '"0.5"'],
    ];
    await mnema.doesEach(values.map(([text], i) => ["assert", `key${i}`, text]));
    const listed = await mnema.doesEach(values.map((_, i) => ["claims", `key${i}`, "--json"]));
    for (const [i, [, value]] of values.entries()) assertStringIncludes(listed[i], `"value":${value}`);
    await mnema.does("assert", "below", "--confidence", "0.5", "--", "-5");
    assertEquals((await list(mnema, "below")).map(({ value, confidence_ppm }) => [value, confidence_ppm]), [[
      -5,
      500_000,
    ]]);
  });
});

Deno.test("a fraction or another value that the log cannot hold is refused with advice", async () => {
  await withNode(async (mnema) => {
    for (const command of ["assert", "refute", "correct"]) {
      const values = ["0.82", '{"a":1,"a":2}', "9223372036854775808"];
      const [float, twice, large] = await mnema.refusesEach(values.map((value) => [command, "size", value]));
      assertMatch(float, /^the value: 0\.82 is a float; write a scaled integer .*put it in double quotes/);
      assertMatch(twice, /^the value: the key "a" occurs twice/);
      assertMatch(large, /64 bits/);
    }
    assertMatch(await mnema.refuses("assert", "", "tea"), /key must have 1 to 512 characters/);
    assertEquals(await mnema.does("claims"), "");
  });
});

Deno.test("assert --confidence is converted to parts per million exactly", async () => {
  await withNode(async (mnema) => {
    const cases: [text: string, ppm: number][] = [
      ["0", 0],
      ["1", 1_000_000],
      ["0.82", 820_000],
      [".5", 500_000],
      ["0.000001", 1],
      ["0.290001", 290_001],
      ["0.999999", 999_999],
      ["1.000000", 1_000_000],
    ];
    await mnema.doesEach(cases.map(([text]) => ["assert", text, "so", "--confidence", text]));
    const kept = Object.fromEntries((await list(mnema)).map((claim) => [claim.key, claim.confidence_ppm]));
    for (const [text, ppm] of cases) assertEquals(kept[text], ppm, text);
    const odd = ["1.000001", "2", "-0.5", "0.0000001", "1e-3", "82 %", "1.", ".", "0x1"];
    for (const said of await mnema.misusesEach(odd.map((text) => ["assert", "a", "b", `--confidence=${text}`]))) {
      assertMatch(said, /^--confidence takes a decimal from 0/);
    }
    assertEquals((await list(mnema)).length, cases.length);
  });
});

Deno.test("assert stores deriver, inputs and time, and reports the seq and the id", async () => {
  await withClaims(async (mnema, { mail, home, city, drink }) => {
    assertEquals(
      (await list(mnema)).map(({ key, op_id, inputs, deriver }) => [key, op_id, inputs, deriver]),
      [
        ["drink", drink, [city, mail], { id: "hand", version: "1" }],
        ["home", home, [mail], { id: "reader", version: "2.0" }],
        ["home.city", city, [home], { id: "hand", version: "1" }],
      ],
    );
    const result = JSON.parse(
      await mnema.does(
        "assert",
        "k",
        "v",
        "--ts",
        "7",
        "--deriver",
        "@scope/x@1",
        "--from",
        mail,
        "--from",
        mail,
        "--json",
      ),
    );
    const [claim] = jsonLines<Listed & { ts: number }>(await mnema.does("claims", "k", "--json"));
    assertEquals(result, { seq: 5, op_id: claim.op_id });
    assertEquals([claim.ts, claim.deriver, claim.inputs], [7, { id: "@scope/x", version: "1" }, [mail]]);
    const odd = ["habits", "@1", "habits@"].map((deriver) => ["assert", "a", "b", "--deriver", deriver]);
    for (const said of await mnema.misusesEach(odd)) assertMatch(said, /^--deriver takes an id and a version/);
  });
});

Deno.test("a claim with a missing input is pending until the input arrives", async () => {
  await withNode(async (mnema) => {
    const opId = await idOf(mnema, "assert", "drink", "tea", "--from", absent);
    assertEquals((await list(mnema)).map(({ status }) => status), ["pending"]);
    assertEquals((await list(mnema, "--input", absent)).map((claim) => claim.op_id), [opId]);
    assertStringIncludes(await mnema.does("explain", "drink"), "Pending: op_00000000 is not in the log yet.");
    assertStringIncludes(await mnema.refuses("assert", "drink", "tea", "--from", "op_0000"), "op_0000");
    assertMatch(
      await mnema.refuses("assert", "drink", "tea", "--from", "mail"),
      /^the key "mail" has no claims/,
    );
  });
});

Deno.test("claims filters by key, prefix, status, author, deriver and input", async () => {
  await withClaims(async (mnema, { mail, home }) => {
    const author = (await mnema.does("id")).trim();
    await mnema.does("refute", "drink");
    const cases: [args: string[], keys: string[]][] = [
      [[], ["drink", "home", "home.city"]],
      [["*"], ["drink", "home", "home.city"]],
      [["home"], ["home"]],
      [["home*"], ["home", "home.city"]],
      [["hom"], []],
      [["home*", "-n", "1"], ["home"]],
      [["-n", "0"], []],
      [["--status", "refuted"], ["drink"]],
      [["--status", "active"], ["home", "home.city"]],
      [["--author", author, "home"], ["home"]],
      [["--author", "mnk_" + "0".repeat(64)], []],
      [["--deriver", "reader"], ["home"]],
      [["--deriver", "read"], []],
      [["--input", mail.slice(0, 16)], ["drink", "home"]],
      [["--input", home, "--status", "active"], ["home.city"]],
    ];
    const found = await mnema.doesEach(cases.map(([args]) => ["claims", "--json", ...args]));
    for (const [i, [args, keys]] of cases.entries()) {
      assertEquals(jsonLines<Listed>(found[i]).map(({ key }) => key), keys, args.join(" "));
    }
  });
});

Deno.test("claims refuses invalid filters", async () => {
  await withNode(async (mnema) => {
    assertEquals(
      await mnema.misuses("claims", "--status", "actve"),
      "there is no status actve; choose one of active, superseded, pending, invalidated, corrected, refuted; " +
        "did you mean active?",
    );
    assertMatch(await mnema.misuses("claims", "--author", "me"), /^--author takes an author id/);
    assertMatch(await mnema.misuses("claims", "a", "b"), /^unexpected argument b; usage: /);
    assertMatch(await mnema.misuses("claims", "-n", "some"), /integer/);
    assertMatch(await mnema.refuses("claims", "--input", "op_12"), /op_12/);
  });
});

Deno.test("claims prints one aligned line per claim, for any content", async () => {
  await withNode(async (mnema) => {
    const tea = await idOf(mnema, "assert", "drink", "tea", "--confidence", "0.82");
    const cup = await idOf(mnema, "assert", "茶碗", "一");
    assertEquals(
      await mnema.does("claims"),
      [
        `drink  "tea"   82 %  active  ${tea.slice(0, 11)}\n`,
        `茶碗   "一"   100 %  active  ${cup.slice(0, 11)}\n`,
      ].join(""),
    );
    await mnema.does("assert", "long\nkey ".repeat(50), "👩‍👩‍👧".repeat(50));
    await mnema.does("assert", "e\u0301\x1b[31m\u202e", '"' + "日本".repeat(100) + '"');
    await mnema.does("correct", "drink", "long ".repeat(100));
    const lines = (await mnema.does("claims")).trimEnd().split("\n");
    assertEquals(lines.length, 5);
    for (const line of lines) {
      assertEquals([line, displayWidth(line)], [line, 80]);
      assertMatch(line, /^[^\p{Cc}\u202e]* {2,}\d+ % {2}[a-z]+ +op_[0-9a-f]{8}$/u);
    }
  });
});

Deno.test("refute of a value or a key fells what was derived from it and reports it", async () => {
  await withClaims(async (mnema, { home, city, drink }) => {
    const untouched = JSON.parse(await mnema.does("refute", "home", "Bergen", "--json"));
    assertEquals(untouched.invalidated, []);
    const [opId, fell] = (await mnema.does("refute", "home", "Oslo", "--reason", "I moved")).split("\n");
    assertEquals(fell, "3 claims fell");
    assertEquals(
      (await list(mnema)).map(({ op_id, status }) => [op_id, status]),
      [[drink, "invalidated"], [home, "refuted"], [city, "invalidated"]],
    );
    assertEquals(JSON.parse(await mnema.does("show", opId, "--json")).op.body, {
      key: "home",
      scope: "value",
      value: "Oslo",
      reason: "I moved",
    });
    const again = JSON.parse(await mnema.does("refute", "home", "--json"));
    assertEquals(again.invalidated, []);
    assertEquals(await mnema.does("refute", "nothing").then((out) => out.split("\n")[1]), "no claim fell");
  });
});

Deno.test("correct sets the user's own value for a key", async () => {
  await withClaims(async (mnema, { home, city, drink }) => {
    const result = JSON.parse(
      await mnema.does("correct", "home", "Bergen", "--reason", "I moved", "--ts", "7", "--json"),
    );
    assertEquals(result.invalidated.toSorted(), [home, city, drink].toSorted());
    assertEquals((await list(mnema, "home")).map(({ op_id, value, status }) => [op_id, value, status]), [
      [home, "Oslo", "corrected"],
      [result.op_id, "Bergen", "active"],
    ]);
    assertStringIncludes(await mnema.does("explain", "home"), 'home = "Bergen"');
  });
});

Deno.test("explain accepts an id, an abbreviated id or a key, and prints tree, JSON, Mermaid and DOT", async () => {
  await withClaims(async (mnema, { mail, city, drink }) => {
    const [tree, json, mermaid, dot, ...same] = await mnema.doesEach([
      ["explain", "drink"],
      ["explain", "drink", "--json"],
      ["explain", "drink", "--format", "mermaid"],
      ["explain", "drink", "--format", "dot"],
      ["explain", drink],
      ["explain", `${drink.slice(0, 16)}…`, "--format", "tree"],
      ["explain", "drink", "--format", "json", "--json"],
    ]);
    assertEquals(same, [tree, tree, json]);
    const [first, second] = tree.split("\n");
    assertEquals(first, `● ${drink.slice(0, 11)}  drink = "tea"`);
    assertEquals(second, "│ 82 % sure. Active: nothing speaks against it.");
    assertStringIncludes(tree, `shown above: message from mail`);
    for (const line of tree.split("\n")) assert(displayWidth(line) <= 80, line);

    const { claim, nodes } = JSON.parse(json);
    assertEquals([claim.op_id, claim.inputs, nodes.length], [drink, [city, mail], 4]);
    assertMatch(mermaid, /^flowchart TD\n {2}n0\["drink /);
    assertMatch(dot, /^digraph explanation \{\n[^]*\}\n$/);
  });
});

Deno.test("explain draws a picture, by Graphviz where its worker may be read, else in rows", async () => {
  await withClaims(async (mnema) => {
    const rows = await mnema.does("explain", "drink", "--format", "svg");
    const permissions = PERMISSIONS.map((flag) => flag.startsWith("--allow-read") ? "--allow-read" : flag);
    const placed = await mnema.with({ permissions }).does("explain", "drink", "--format", "svg");
    assertNotEquals(rows, placed);
    for (const svg of [rows, placed]) {
      assertMatch(svg, /^<svg [^\n]*<\/svg>\n$/);
      assertStringIncludes(svg, ">drink = &quot;tea&quot;</text>");
    }
    const near = await mnema.with({ permissions }).does("explain", "drink", "--format", "svg", "--limit", "2");
    assertStringIncludes(near, "1 more below");
  });
});

Deno.test("explain --limit has the operations nearest to the claim, and counts the others", async () => {
  await withClaims(async (mnema) => {
    const { nodes, left_out } = JSON.parse(await mnema.does("explain", "drink", "--json", "--limit", "2"));
    assertEquals([nodes.length, left_out], [2, 2]);
    await mnema.run("explain", "drink", "--record", "--limit", "1");
    const recorded = JSON.parse(await mnema.does("log", "--json", "--type", "explanation.record"));
    assertEquals(recorded.op.body.chain.length, 4);
  });
});

Deno.test("explain shows what felled a claim, and by which path", async () => {
  await withClaims(async (mnema, { home, city, drink }) => {
    const refute = await idOf(mnema, "refute", "home", "--reason", "I moved");
    const tree = await mnema.does("explain", "drink");
    assertStringIncludes(tree, "Reason: I moved\n");
    const path = [...tree.matchAll(/^│ {3}(?: |→) (op_[0-9a-f]{8}) /gm)].map(([, id]) => id);
    assertEquals(path, [refute, home, city, drink].map((id) => id.slice(0, 11)));
  });
});

Deno.test("explain --record appends the explanation to the log and reports its id", async () => {
  await withClaims(async (mnema, { drink }) => {
    const tree = await mnema.does("explain", "drink");
    const { code, out, err } = await mnema.run("explain", "drink", "--record");
    assertEquals([code, out], [0, tree]);
    const [, opId] = err.match(/^appended as (op_[0-9a-f]{64})\n$/)!;
    const { type, body } = JSON.parse(await mnema.does("show", opId, "--json")).op;
    assertEquals([type, body.claim], ["explanation.record", drink]);
    assertStringIncludes(body.summary, 'drink = "tea"');
  });
});

Deno.test("explain refuses an operation that is not a claim, with advice", async () => {
  await withClaims(async (mnema, { mail }) => {
    assertEquals(
      await mnema.refuses("explain", "dring"),
      'the key "dring" has no claims; to list all claims, run: mnema claims',
    );
    assertMatch(await mnema.refuses("explain", "op_system"), /^the key "op_system" has no claims/);
    assertStringIncludes(await mnema.refuses("explain", mail), mail);
    assertStringIncludes(await mnema.refuses("explain", absent), absent);
    assertEquals(
      await mnema.misuses("explain", "drink", "--format", "jsn"),
      "there is no format jsn; choose one of tree, json, mermaid, dot, svg; did you mean json?",
    );
    assertMatch(await mnema.misuses("explain", "drink", "--json", "--format", "dot"), /--json does not go with/);
    await mnema.misusesEach([["explain"], ["assert", "drink"], ["correct", "drink"], ["refute"], ["rebuild", "all"]]);
  });
});

Deno.test("claims and explain work on a log that cannot be written", async () => {
  await withClaims(async (mnema) => {
    const [claims, tree] = [await mnema.does("claims"), await mnema.does("explain", "drink")];
    Deno.chmodSync(`${mnema.folder}/mnema.db`, 0o444);
    assertEquals([await mnema.does("claims"), await mnema.does("explain", "drink")], [claims, tree]);
    const denied = mnema.with({ permissions: [...PERMISSIONS, "--deny-write=mnema.db"] });
    assertEquals([await denied.does("claims"), await denied.does("explain", "drink")], [claims, tree]);
  });
});

Deno.test("rebuild replays every operation and yields the same claims", async () => {
  await withClaims(async (mnema) => {
    const before = await mnema.does("claims", "--json");
    assertEquals(await mnema.does("rebuild"), "replayed 4 operations\n");
    assertEquals(await mnema.does("rebuild", "--json"), '{"operations":4}\n');
    assertEquals(await mnema.does("claims", "--json"), before);
  });
});

Deno.test({
  name: "explain on a terminal uses styles and the full width",
  ignore: !works("script", "-qec", "true", "/dev/null"),
  async fn() {
    await withNode(async (mnema) => {
      {
        using log = OpLog.open(`${mnema.folder}/mnema.db`);
        const identity = Identity.load(`${mnema.folder}/mnema.key`);
        log.claims.assert(identity, { key: "drink", value: "tea ".repeat(100) });
      }
      const explained = await mnema.terminal("stty cols 40; mnema explain drink");
      const [first] = explained.out.split("\r\n");
      assertStringIncludes(first, "\x1b[33mop_");
      // deno-lint-ignore no-control-regex
      assertEquals(displayWidth(first.replaceAll(/\x1b\[\d+m/g, "")), 40);
    });
  },
});

Deno.test("damage in a derived table is reported with the command that repairs it", async () => {
  await withNode(async (mnema) => {
    await mnema.does("assert", "drink", "tea");
    await mnema.does("claims");
    withDatabase(`${mnema.folder}/mnema.db`, (database) => database.exec("UPDATE mnema_claims SET support = 'x'"));
    for (const args of [["claims"], ["explain", "drink"]]) {
      const said = await mnema.refuses(...args);
      assertMatch(said, /^what is derived from the operations of mnema\.db is damaged: .*; run: mnema rebuild$/);
    }
    await mnema.does("rebuild");
    assertMatch(await mnema.does("claims"), /^drink +"tea"/);
  });
});

Deno.test("explain of a key without a current claim explains its last claim", async () => {
  await withNode(async (mnema) => {
    const tea = (await mnema.does("assert", "drink", "tea")).trim();
    await mnema.does("refute", "drink", "--reason", "no more");
    const explained = await mnema.does("explain", "drink");
    assertEquals(explained, await mnema.does("explain", tea));
    assertMatch(await mnema.refuses("explain", "drin"), /the key "drin" has no claims; .* mnema claims$/);
  });
});
