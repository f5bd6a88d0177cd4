import { assert, assertEquals, assertMatch } from "@std/assert";
import { withFolder } from "../../folder.ts";
import { Random } from "../random.ts";
import type { FuzzRequest } from "./child.ts";
import { Choices } from "./choices.ts";
import { Mutator } from "./mutate.ts";
import { runChild } from "./part.ts";
import { shrink } from "./shrink.ts";
import { bytesOf } from "./target.ts";
import { TARGETS } from "./targets.ts";

/** What the fuzzer finds in a target with a planted fault. */
async function foundIn(name: string, inputs: number, hangMs = 60_000): Promise<string[]> {
  return await withFolder(async (folder) => {
    const module = new URL(`./planted/${name}.ts`, import.meta.url).href;
    const request: FuzzRequest = { name, module, source: module, seed: "1", inputs, folder, hangMs };
    return await runChild([request]);
  });
}

Deno.test("a fault behind four conditions is found, because inputs that meet some of them are kept", async () => {
  const [found] = await foundIn("deep", 20_000);
  assertMatch(found, /^deep: Error: planted/);
  assertMatch(found, /which is "qz7k"$/);
});

Deno.test("an input at which a target hangs is found, and named", async () => {
  const [found] = await foundIn("hang", 10, 500);
  assertMatch(found, /^hang: an input takes more than 500 ms: YiE=\nwhich is "b!"$/);
});

Deno.test({
  name: "the death of a process is found",
  ignore: Deno.build.os === "windows",
  async fn() {
    assertEquals(await foundIn("death", 10), ["death: the process ended with SIGKILL"]);
  },
});

Deno.test("memory that grows with the inputs is found", async () => {
  assertMatch((await foundIn("growth", 1500)).join(), /more bytes of memory are in use at the end/);
});

Deno.test("an error with a code that is not documented there is found", async () => {
  assertMatch((await foundIn("codes", 10)).join(), /the code locked is not documented here: planted/);
});

Deno.test("a seed repeats the inputs, another gives others", () => {
  const seeds = ['{"a":[1,2,"x"]}', '{"b":null}'].map(bytesOf);
  const inputs = (seed: string) => {
    const choices = new Choices(new Random(seed));
    const mutator = new Mutator(choices, seeds, ["word"]);
    return Array.from({ length: 500 }, () => mutator.mutate(choices.pick(seeds), choices.pick(seeds)).toHex());
  };
  assertEquals(inputs("1"), inputs("1"));
  assert(new Set([...inputs("1"), ...inputs("2")]).size > 700);
});

Deno.test("an input is made smaller until every byte of it is needed", async () => {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const fails = (bytes: Uint8Array) => Promise.resolve(/a.*b.*c/.test(text(bytes)));
  assertEquals(text(await shrink(bytesOf("xxaxxxxxxxbxxxxxcxxxxx"), fails)), "abc");
});

Deno.test("every module in targets/ is in the list of targets", () => {
  const modules = [...Deno.readDirSync(new URL("./targets/", import.meta.url))].map(({ name }) => name);
  assertEquals(TARGETS.map(({ name }) => `${name}.ts`).sort(), modules.sort());
});
