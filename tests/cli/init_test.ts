import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Identity, OpLog } from "../../mod.ts";
import { contentsOf } from "../folder.ts";
import { inFolder, withNode } from "./node.ts";

Deno.test("init makes a key that only its owner can read, and an empty log", async () => {
  await inFolder(async (mnema) => {
    const out = await mnema.does("init");
    const { author } = Identity.load(`${mnema.folder}/mnema.key`);
    assertEquals(out, `author  ${author}\nkey     mnema.key\nlog     mnema.db\n`);
    assertEquals(Object.keys(contentsOf(mnema.folder)), ["mnema.db", "mnema.key"]);
    if (Deno.build.os !== "windows") assertEquals(Deno.statSync(`${mnema.folder}/mnema.key`).mode! & 0o777, 0o600);
    using log = OpLog.open(`${mnema.folder}/mnema.db`, { create: false });
    assertEquals(log.size, 0);

    assertEquals(await mnema.does("id"), `${author}\n`);
    assertEquals(await mnema.does("id", "--json"), `{"author":"${author}"}\n`);
  });
});

Deno.test("init overwrites neither key nor log, and makes nothing when one of them is there", async () => {
  await withNode(async (mnema) => {
    const before = contentsOf(mnema.folder);
    for (const args of [[], ["--log", "new.db"], ["--key", "new.key"], ["--keep-key"]]) {
      const sentence = await mnema.refuses("init", ...args);
      assertMatch(sentence, /^mnema\.(db|key) exists already and is left as it is; name another with --(log|key)/);
      assertEquals(contentsOf(mnema.folder), before);
    }
  });
});

Deno.test("init --keep-key makes a second log for the same author", async () => {
  await withNode(async (mnema) => {
    const key = contentsOf(mnema.folder)["mnema.key"];
    const made = JSON.parse(await mnema.does("init", "--log", "other.db", "--keep-key", "--json"));
    assertEquals(made, { author: (await mnema.does("id")).trim(), key: "mnema.key", log: "other.db" });
    assertEquals(contentsOf(mnema.folder)["mnema.key"], key);
    await mnema.refuses("init", "--log", "third.db", "--key", "none.key", "--keep-key");
    assertEquals(Object.keys(contentsOf(mnema.folder)), ["mnema.db", "mnema.key", "other.db"]);
  });
});

Deno.test("init that cannot make one of the two makes neither", async () => {
  await inFolder(async (mnema) => {
    for (const args of [["--log", "none/a.db"], ["--key", "none/a.key"]]) {
      const sentence = await mnema.refuses("init", ...args);
      assertStringIncludes(sentence, args.at(-1)!);
      assertEquals(contentsOf(mnema.folder), {});
    }
  });
});

Deno.test("a key that others can read, or that is none, is refused with what mends it", async () => {
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

Deno.test("a key where SQLite keeps files of its own, which it would overwrite, is wrong usage", async () => {
  await inFolder(async (mnema) => {
    for (const key of ["a.db-wal", "a.db-shm", "./a.db-journal", "./a.db"]) {
      await mnema.misuses("init", "--log", "a.db", "--key", key);
    }
    assertEquals(contentsOf(mnema.folder), {});
  });
});

Deno.test("a path where nothing can be made is refused with a sentence that names it", async () => {
  await withNode(async (mnema) => {
    const before = contentsOf(mnema.folder);
    const long = "x".repeat(300);
    for (const path of ["mnema.db/below", long]) {
      assertStringIncludes(await mnema.refuses("init", "--keep-key", "--log", path), path);
      assertStringIncludes(await mnema.refuses("init", "--log", "new.db", "--key", path), path);
    }
    const noFolder = /^there is no folder none to make none\/new in; make it first$/;
    assertMatch(await mnema.refuses("init", "--keep-key", "--log", "none/new"), noFolder);
    assertMatch(await mnema.refuses("init", "--log", "new.db", "--key", "none/new"), noFolder);
    assertMatch(await mnema.refuses("export", "none/new"), noFolder);
    assertEquals(contentsOf(mnema.folder), before);
  });
});

Deno.test("a log in memory, which would be gone at once, is wrong usage", async () => {
  await withNode(async (mnema) => {
    for (const args of [["init", "--keep-key"], ["append", "note", "{}"], ["import"], ["heads"]]) {
      assertMatch(await mnema.misuses(...args, "--log", ":memory:"), /memory/);
    }
  });
});
