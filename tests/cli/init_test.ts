import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Identity, OpLog } from "../../mod.ts";
import { contentsOf } from "../folder.ts";
import { inFolder, withNode } from "./node.ts";

Deno.test("init creates a key that only its owner can read, and an empty log", async () => {
  await inFolder(async (mnema) => {
    const out = await mnema.does("init");
    const { author } = Identity.load(`${mnema.folder}/mnema.key`);
    assertEquals(out, `author  ${author}\nkey     mnema.key  (new)\nlog     mnema.db  (new)\n`);
    assertEquals(Object.keys(contentsOf(mnema.folder)), ["mnema.db", "mnema.key"]);
    if (Deno.build.os !== "windows") assertEquals(Deno.statSync(`${mnema.folder}/mnema.key`).mode! & 0o777, 0o600);
    using log = OpLog.open(`${mnema.folder}/mnema.db`, { create: false });
    assertEquals(log.size, 0);

    assertEquals(await mnema.does("id"), `${author}\n`);
    assertEquals(await mnema.does("id", "--json"), `{"author":"${author}"}\n`);
  });
});

Deno.test("init creates only the missing file and reports which is new", async () => {
  await withNode(async (mnema) => {
    const author = (await mnema.does("id")).trim();
    const left = "(exists, unchanged)";
    const cases: [args: string[], key: string, log: string][] = [
      [[], `mnema.key  ${left}`, `mnema.db  ${left}`],
      [["--log", "other.db"], `mnema.key  ${left}`, "other.db  (new)"],
    ];
    for (const [args, key, log] of cases) {
      const before = contentsOf(mnema.folder);
      assertEquals(await mnema.does("init", ...args), `author  ${author}\nkey     ${key}\nlog     ${log}\n`);
      const { "other.db": _, ...after } = contentsOf(mnema.folder);
      assertEquals(after, before);
    }
    const made = JSON.parse(await mnema.does("init", "--key", "new.key", "--json"));
    const { author: second } = Identity.load(`${mnema.folder}/new.key`);
    const expected = { author: second, key: "new.key", log: "mnema.db", made: { key: true, log: false } };
    assertEquals(made, expected);
    assert(second !== author);
  });
});

Deno.test("append with a missing key or log names the command that creates it", async () => {
  await withNode(async (mnema) => {
    for (const args of [["--key", "new.key"], ["--log", "new.db"], ["--log", "it's new.db"]]) {
      const sentence = await mnema.refuses("append", "note", "{}", ...args);
      const [command] = sentence.match(/mnema init .*(?=, or name)/)!;
      assertEquals((await mnema.bash(command)).code, 0);
      await mnema.does("append", "note", "{}", ...args);
    }
  });
});

Deno.test("init creates no key for an invalid log and no log for an invalid key", async () => {
  await inFolder(async (mnema) => {
    Deno.writeTextFileSync(`${mnema.folder}/text`, "neither a log nor a key ".repeat(50), { mode: 0o600 });
    const before = contentsOf(mnema.folder);
    assertStringIncludes(await mnema.refuses("init", "--log", "text"), "text is not an SQLite database");
    assertStringIncludes(await mnema.refuses("init", "--key", "text"), "text holds no Ed25519 key");
    assertEquals(contentsOf(mnema.folder), before);
  });
});

Deno.test("init that cannot create one of the files creates neither", async () => {
  await inFolder(async (mnema) => {
    for (const args of [["--log", "none/a.db"], ["--key", "none/a.key"]]) {
      const sentence = await mnema.refuses("init", ...args);
      assertStringIncludes(sentence, args.at(-1)!);
      assertEquals(contentsOf(mnema.folder), {});
    }
  });
});

Deno.test("a key that is invalid or readable by others is refused with advice", async () => {
  await withNode(async (mnema) => {
    Deno.chmodSync(`${mnema.folder}/mnema.key`, 0o640);
    for (const args of [["id"], ["append", "note", "{}"]]) {
      assertStringIncludes(await mnema.refuses(...args), "chmod 600 mnema.key");
    }
    Deno.writeTextFileSync(`${mnema.folder}/odd.key`, "not a key", { mode: 0o600 });
    Deno.writeTextFileSync(`${mnema.folder}/empty.key`, "", { mode: 0o600 });
    for (const key of ["odd.key", "empty.key"]) {
      assertMatch(await mnema.refuses("id", "--key", key), new RegExp(`^${key} holds no Ed25519 key .*mnema init`));
    }
    assertEquals(await mnema.does("log"), "");
  });
});

Deno.test("a key path that SQLite uses beside the log is wrong usage", async () => {
  await inFolder(async (mnema) => {
    for (const key of ["a.db-wal", "a.db-shm", "./a.db-journal", "./a.db"]) {
      await mnema.misuses("init", "--log", "a.db", "--key", key);
    }
    assertEquals(contentsOf(mnema.folder), {});
  });
});

Deno.test("a path where no file can be created is refused with a sentence that names it", async () => {
  await withNode(async (mnema) => {
    const before = contentsOf(mnema.folder);
    const long = "x".repeat(300);
    for (const path of ["mnema.db/below", long]) {
      assertStringIncludes(await mnema.refuses("init", "--log", path), path);
      assertStringIncludes(await mnema.refuses("init", "--log", "new.db", "--key", path), path);
    }
    const noFolder = /^there is no folder none to create none\/new in; create it first$/;
    assertMatch(await mnema.refuses("init", "--log", "none/new"), noFolder);
    assertMatch(await mnema.refuses("init", "--log", "new.db", "--key", "none/new"), noFolder);
    assertMatch(await mnema.refuses("export", "none/new"), noFolder);
    assertEquals(contentsOf(mnema.folder), before);
  });
});

Deno.test("a log in memory is wrong usage", async () => {
  await withNode(async (mnema) => {
    for (const args of [["init"], ["append", "note", "{}"], ["import"], ["heads"]]) {
      assertMatch(await mnema.misuses(...args, "--log", ":memory:"), /memory/);
    }
  });
});
