import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { verifyCheckpoint, verifyConsistency } from "../../proof.ts";
import { withDatabase } from "../folder.ts";
import { withNode } from "./node.ts";

Deno.test("checkpoints, inclusion and consistency proofs verify without log, key file or native code", async () => {
  await withNode(async (mnema) => {
    const id = (await mnema.does("append", "note", '{"text":"tea"}')).trim();
    assertEquals(await mnema.does("checkpoint", "--out", "monday"), "wrote monday\n");
    await mnema.does("append", "note", "{}");
    const vkey = (await mnema.does("vkey")).trim();
    const checkpoint = await mnema.does("checkpoint");
    assertEquals(verifyCheckpoint(checkpoint, vkey).size, 2);
    assertEquals(JSON.parse(await mnema.does("checkpoint", "--json")), { checkpoint });
    await mnema.does("prove", id.slice(0, 12), "--out", "tea.proof");
    await mnema.does("prove", id, "--checkpoint", "monday", "--out", "monday.proof");
    Deno.writeTextFileSync(`${mnema.folder}/tea.json`, (await mnema.does("export")).split("\n")[0] + "\n");
    const proof = await mnema.does("consistency", "monday");
    assertEquals(verifyConsistency(proof, vkey).old.size, 1);
    Deno.writeTextFileSync(`${mnema.folder}/since`, proof);
    Deno.writeTextFileSync(`${mnema.folder}/vkey`, vkey + "\n");

    const checker = mnema.with({ permissions: ["--allow-read=.", "--allow-env=MNEMA_LOG,MNEMA_KEY"] });
    for (const key of [vkey, "vkey"]) {
      assertMatch(
        await checker.does("verify", "tea.proof", "--op", "tea.json", "--key", key),
        new RegExp(`^operation ${id} is number 1 of 2 in mnema/mnk_[0-9a-f]{64}/[0-9a-f]{32}\n$`),
      );
    }
    const verified = await checker.does("verify", "monday.proof", "--op", "tea.json", "--key", vkey, "--json");
    assertEquals([JSON.parse(verified).holds, JSON.parse(verified).size], ["inclusion", 1]);
    assertStringIncludes(await checker.does("verify", "since", "--key", vkey), "the first 1 of 2 operations");
    assertStringIncludes(await checker.does("verify", "monday", "--key", vkey), "1 operation in mnema/");

    Deno.writeTextFileSync(`${mnema.folder}/other.json`, (await mnema.does("export")).split("\n")[1]);
    assertStringIncludes(
      await checker.refuses("verify", "tea.proof", "--op", "other.json", "--key", vkey),
      "does not lead from this operation",
    );
    const other = (await mnema.does("vkey", "--origin", "example.org")).trim();
    assertMatch(await checker.refuses("verify", "monday", "--key", other), /example\.org/);
  });
});

Deno.test("checkpoints and proofs overwrite no file, and wrong usage names the missing argument", async () => {
  await withNode(async (mnema) => {
    const id = (await mnema.does("append", "note", "{}")).trim();
    assertStringIncludes(await mnema.refuses("prove", id), "mnema checkpoint");
    await mnema.does("checkpoint", "--out", "a");
    assertStringIncludes(await mnema.refuses("checkpoint", "--out", "a"), "a exists already");
    await mnema.does("prove", id, "--out", "p");
    const misuses = [["verify", "p"], ["verify", "p", "--key", "a+b"], ["verify", "a", "--op", "p", "--key", "a+b"]];
    for (const args of misuses) {
      const { code, err } = await mnema.run(...args);
      assertEquals(code, 2, err);
      assertMatch(err, /^mnema: --(?:key|op) /);
    }
    assertStringIncludes(await mnema.refuses("consistency", "p"), "checkpoint");
    assertStringIncludes(await mnema.refuses("verify", "a", "--key", "no+key"), "key");
    assertStringIncludes(await mnema.refuses("checkpoint", "--origin", "two words"), "two words");
  });
});

Deno.test("checkpoint refuses to sign a log that contradicts an earlier checkpoint", async () => {
  await withNode(async (mnema) => {
    await mnema.does("append", "note", '{"text":"tea"}');
    await mnema.does("checkpoint");
    withDatabase(`${mnema.folder}/mnema.db`, (database) => {
      database.exec("DROP TRIGGER ops_no_update; UPDATE ops SET wire = replace(wire, 'tea', 'tee')");
    });
    await mnema.does("rebuild");
    assertStringIncludes(await mnema.refuses("checkpoint"), "no longer what its checkpoint of 1 operation says");
  });
});

Deno.test("a private key given as verifier key is refused and not printed", async () => {
  await withNode(async (mnema) => {
    await mnema.does("append", "note", "{}");
    await mnema.does("checkpoint", "--out", "monday");
    const pem = Deno.readTextFileSync(`${mnema.folder}/mnema.key`);
    const secret = pem.split("\n")[1].slice(8);
    const said = await mnema.refuses("verify", "monday", "--key", "mnema.key");
    assertEquals(said, "mnema.key is a private key; give the verifier key that mnema vkey prints");
    const vkey = (await mnema.does("vkey")).trim();
    const others = [
      ["verify", "monday", "--key", pem],
      ["verify", "mnema.key", "--key", vkey],
      ["verify", pem, "--key", vkey],
      ["append", "note", "{}", `--key=${pem}`],
      ["verify", "monday", `--key=${pem}`],
      ["append", "note", "{}", pem],
      ["prove", "op_1", "--checkpoint", "mnema.key"],
      ["prove", "op_1", "--checkpoint", pem],
      ["consistency", "mnema.key"],
    ];
    for (const args of others) {
      const { code, out, err } = await mnema.run(...args);
      assertEquals([code > 0, out], [true, ""], err);
      assertEquals(err.includes(secret), false, args.slice(0, 1).join());
    }
    Deno.writeTextFileSync(`${mnema.folder}/large`, "x".repeat(1 << 17));
    assertStringIncludes(await mnema.refuses("verify", "monday", "--key", "large"), "too large");
  });
});

Deno.test("vkey prints the key of the log's checkpoints; without a checkpoint the error says how to sign one", async () => {
  await withNode(async (mnema) => {
    await mnema.does("append", "note", "{}");
    assertStringIncludes(await mnema.refuses("vkey"), "sign one with: mnema checkpoint");
    const named = await mnema.does("vkey", "--origin", "example.org", "--log", "none.db");
    assertMatch(named, /^example\.org\+/);
    const first = await mnema.does("checkpoint");
    assertEquals(await mnema.does("checkpoint"), first);
    assertEquals((await mnema.does("vkey")).split("+")[0], first.split("\n")[0]);
    const renamed = await mnema.does("checkpoint", "--new-name");
    assertEquals((await mnema.does("vkey")).split("+")[0], renamed.split("\n")[0]);
    assertEquals(renamed === first, false);
  });
});
