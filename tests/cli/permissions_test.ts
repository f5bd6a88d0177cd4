import { assertEquals, assertMatch } from "@std/assert";
import { contentsOf } from "../folder.ts";
import { PERMISSIONS } from "./mnema.ts";
import { inFolder, withNode } from "./node.ts";

const without = (flag: string) => PERMISSIONS.filter((permission) => !permission.startsWith(flag));

Deno.test("init without one of its permissions says which it lacks, and makes no file", async () => {
  await inFolder(async (mnema) => {
    for (const flag of ["--allow-read", "--allow-write", "--allow-ffi", "--allow-env"]) {
      const sentence = await mnema.with({ permissions: without(flag) }).refuses("init");
      assertMatch(sentence, new RegExp(`^Requires .* access to ".*", run again with the ${flag} flag$`));
    }
    assertMatch(await mnema.with({ permissions: [] }).refuses("init"), /run again with the --allow-[a-z]+ flag$/);
    assertEquals(contentsOf(mnema.folder), {});
  });
});

Deno.test("no command gets around a permission that it lacks, and none changes a file", async () => {
  await withNode(async (mnema) => {
    await mnema.does("append", "note", "{}");
    const before = contentsOf(mnema.folder);
    const commands = [["append", "note", "{}"], ["log"], ["show", "op_1"], ["heads"], ["stats"], ["export"], [
      "import",
    ]];
    for (const flag of ["--allow-read", "--allow-ffi", "--allow-env"]) {
      const denied = mnema.with({ permissions: without(flag) });
      const said = await Promise.all(commands.map((args) => denied.refuses(...args)));
      for (const sentence of said) assertMatch(sentence, new RegExp(`run again with the ${flag} flag$`));
    }
    const readonly = mnema.with({ permissions: without("--allow-write") });
    assertMatch(await readonly.refuses("append", "note", "{}"), /run again with the --allow-write flag$/);
    assertMatch(await readonly.refuses("export", "new.jsonl"), /run again with the --allow-write flag$/);
    assertEquals(contentsOf(mnema.folder), before);
  });
});

Deno.test("files outside of the folder that is allowed are neither read nor written", async () => {
  await inFolder(async (outside) => {
    await outside.does("init");
    const before = contentsOf(outside.folder);
    await withNode(async (mnema) => {
      const refused: [args: string[], flag: string][] = [
        [["heads", "--log", `${outside.folder}/mnema.db`], "read"],
        [["append", "note", "{}", "--log", `${outside.folder}/mnema.db`], "read"],
        [["id", "--key", `${outside.folder}/mnema.key`], "read"],
        [["append", "note", "--body", `${outside.folder}/mnema.key`], "read"],
        [["import", `${outside.folder}/mnema.key`], "read"],
        [["export", `${outside.folder}/new.jsonl`], "write"],
        [["init", "--log", `${outside.folder}/new.db`], "read"],
        [["init", "--log", "new.db", "--key", `${outside.folder}/new.key`], "read"],
      ];
      const said = await Promise.all(refused.map(([args]) => mnema.refuses(...args)));
      for (const [i, [, flag]] of refused.entries()) {
        assertMatch(said[i], new RegExp(`^Requires ${flag} access to ".*", run again with the --allow-${flag} flag$`));
      }
      assertEquals(Object.keys(contentsOf(mnema.folder)), ["mnema.db", "mnema.key"]);
    });
    assertEquals(contentsOf(outside.folder), before);
  });
});

Deno.test("id needs no more than to read the key and its name", async () => {
  await withNode(async (mnema) => {
    const permissions = ["--allow-read=mnema.key", "--allow-env=MNEMA_KEY"];
    assertEquals(await mnema.with({ permissions }).does("id"), await mnema.does("id"));
  });
});
