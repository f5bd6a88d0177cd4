import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parseJson } from "../../mod.ts";
import { jsonLines, withNode } from "./node.ts";

Deno.test("get prints the current value of a key as JSON, and with --json the claim", async () => {
  await withNode(async (mnema) => {
    const values: [given: string, printed: string][] = [
      ["tea", '"tea"'],
      ['{"b": [1], "a": "日本"}', '{"a":"日本","b":[1]}'],
      ["9223372036854775807", "9223372036854775807"],
      ["null", "null"],
      ["coffee", '"coffee"'],
    ];
    const said = await mnema.doesEach(values.flatMap(([given]) => [["assert", "drink", given], ["get", "drink"]]));
    assertEquals(said.filter((_, i) => i % 2 === 1), values.map(([, printed]) => `${printed}\n`));
    const claim = parseJson(await mnema.does("get", "drink", "--json")) as Record<string, unknown>;
    assertEquals([claim.key, claim.value, claim.status, claim.confidence_ppm], [
      "drink",
      "coffee",
      "active",
      1_000_000,
    ]);
    assertEquals(
      await mnema.does("claims", "drink", "--status", "active", "--json"),
      await mnema.does("get", "drink", "--json"),
    );
  });
});

Deno.test("get of a key without a current value says why and exits with 1", async () => {
  await withNode(async (mnema) => {
    assertMatch(await mnema.refuses("get", "drink"), /^the key "drink" has no claims; .*mnema claims$/);
    await mnema.does("assert", "drink", "tea");
    await mnema.does("refute", "drink", "tea");
    const sentence = await mnema.refuses("get", "drink", "--json");
    const [, command] = sentence.match(
      /^the key "drink" has no current value: its last claim is refuted; .*: mnema (.*)$/,
    )!;
    assertStringIncludes(await mnema.does(...command.split(" ")), 'drink = "tea"');
  });
});

Deno.test("assert --from resolves a key to its current claim", async () => {
  await withNode(async (mnema) => {
    const ids: string[] = [];
    for (const value of ["tea", "coffee"]) ids.push((await mnema.does("assert", "drink", value)).trim());
    ids.push((await mnema.does("assert", "op_cup", "red")).trim());
    await mnema.does("assert", "gift", "pot", "--from", "drink", "--from", `op_cup,${ids[0].slice(0, 20)}`);
    const [gift] = jsonLines<{ inputs: string[] }>(await mnema.does("claims", "gift", "--json"));
    assertEquals(gift.inputs, [ids[1], ids[2], ids[0]]);

    await mnema.does("refute", "drink");
    assertMatch(
      await mnema.refuses("assert", "gift", "pot", "--from", "drink"),
      /^the key "drink" has no current value/,
    );
    assertMatch(
      await mnema.refuses("assert", "gift", "pot", "--from", "none"),
      /^the key "none" has no claims/,
    );
  });
});

Deno.test("claims --deriver filters by id, or by id and version", async () => {
  await withNode(async (mnema) => {
    const derivers = ["taste@1", "taste@2", "@scope/taste@1", "taste@2"];
    await mnema.doesEach(derivers.map((deriver, n) => ["assert", `key${n}`, "v", "--deriver", deriver]));
    const cases: [args: string[], keys: string[]][] = [
      [["taste"], ["key0", "key1", "key3"]],
      [["taste@2"], ["key1", "key3"]],
      [["taste@2", "-n", "1"], ["key1"]],
      [["taste@3"], []],
      [["@scope/taste"], ["key2"]],
      [["@scope/taste@1"], ["key2"]],
    ];
    const found = await mnema.doesEach(cases.map(([args]) => ["claims", "--json", "--deriver", ...args]));
    for (const [i, [args, keys]] of cases.entries()) {
      assertEquals(jsonLines<{ key: string }>(found[i]).map(({ key }) => key), keys, args.join(" "));
    }
  });
});

Deno.test("explain --depth limits the output, and --record appends the whole explanation", async () => {
  await withNode(async (mnema) => {
    const chain = [["one"], ["two", "--from", "one"], ["three", "--from", "two"]];
    await mnema.doesEach(chain.map(([key, ...from]) => ["assert", key, "v", ...from]));
    const depths = [[], ["--depth", "5"], ["--depth", "1"]];
    const [whole, five, one] = await mnema.doesEach(depths.map((depth) => ["explain", "three", ...depth]));
    assertEquals(five, whole);
    assertMatch(one, /two = "v"\n[^]*└ 1 input not shown\n$/);
    const { nodes } = JSON.parse(await mnema.does("explain", "three", "--depth", "0", "--json"));
    assertEquals(nodes.length, 1);
    const { out, err } = await mnema.run("explain", "three", "--depth", "0", "--record");
    assertMatch(out, /└ 1 input not shown\n$/);
    const { body } = JSON.parse(await mnema.does("show", err.match(/op_[0-9a-f]{64}/)![0], "--json")).op;
    assertEquals(body.chain.length, 3);
  });
});

Deno.test("verify --op accepts the output of show --wire, show --json and log --json", async () => {
  await withNode(async (mnema) => {
    const id = (await mnema.does("append", "note", '{"text":"日本 \\u202e"}')).trim();
    const wire = await mnema.does("export");
    assertEquals(await mnema.does("show", id, "--wire"), wire);
    await mnema.does("checkpoint");
    await mnema.does("prove", id, "--out", "proof");
    const key = (await mnema.does("vkey")).trim();
    for (const text of [wire, await mnema.does("show", id, "--json"), await mnema.does("log", "--json")]) {
      const said = await mnema.with({ stdin: text }).does("verify", "proof", "--op", "-", "--key", key);
      assertMatch(said, new RegExp(`^operation ${id} is number 1 of 1 `));
    }
    const other = wire.replace("日", "月");
    for (const text of [other, `{"seq":1,"op":${other.trim()}}`]) {
      assertMatch(
        await mnema.with({ stdin: text }).refuses("verify", "proof", "--op", "-", "--key", key),
        /content address/,
      );
    }
  });
});
