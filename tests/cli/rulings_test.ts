import { assertEquals, assertMatch } from "@std/assert";
import { withDatabase } from "../folder.ts";
import { unsigned } from "../claims/histories.ts";
import { jsonLines, makeLog, withNode } from "./node.ts";

Deno.test("assert of a refuted or corrected claim reports that it has no effect and exits with 1", async () => {
  await withNode(async (mnema) => {
    await mnema.does("refute", "drink", "tea");
    const { code, out, err } = await mnema.run("assert", "drink", "tea");
    assertEquals(code, 1);
    assertMatch(out, /^op_[0-9a-f]{64}\n$/);
    assertEquals(
      err,
      "mnema: it was appended without effect: the claim is refuted, the user says that it is not so\n",
    );
    await mnema.does("correct", "drink", "water");
    assertMatch((await mnema.run("assert", "drink", "coffee")).err, /the claim is corrected/);
    await mnema.does("assert", "drink", "water");
  });
});

Deno.test("a correction is effective with more heads than an operation can follow", async () => {
  await withNode(async (mnema) => {
    await mnema.does("assert", "drink", "tea");
    await mnema.does("refute", "drink");
    makeLog(`${mnema.folder}/mnema.db`, Array.from({ length: 1024 }, (_, n) => unsigned(`${n}`, "note", {}, [])));
    const result = JSON.parse(await mnema.does("correct", "drink", "water", "--json"));
    assertEquals(result.effective, true);
    const [claim] = jsonLines(await mnema.does("claims", "drink", "--status", "active", "--json"));
    assertEquals((claim as { value: string }).value, "water");
  });
});

Deno.test("refute and correct without effect report it and exit with 1", async () => {
  await withNode(async (mnema) => {
    await mnema.does("correct", "drink", "tea");
    withDatabase(
      `${mnema.folder}/mnema.db`,
      (database) => database.exec("UPDATE mnema_rules SET depth = 1000000"),
    );
    for (const command of [["refute", "drink"], ["correct", "drink", "tea"]]) {
      const { code, out, err } = await mnema.run(...command);
      assertEquals(code, 1);
      assertMatch(out, /^op_[0-9a-f]{64}\nno claim fell\n$/);
      assertMatch(err, /^mnema: it was appended without effect: .*mnema rebuild.*\n$/);
      const result = await mnema.run(...command, "--json");
      assertEquals([result.code, JSON.parse(result.out).effective], [1, false]);
    }
    await mnema.does("rebuild");
    await mnema.does("correct", "drink", "tea");
  });
});
