import { assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { contentsOf, withDatabase } from "../folder.ts";
import { OpLog } from "../../mod.ts";
import { verifierKey } from "../../proof.ts";
import { bob, note } from "../operations.ts";
import { works } from "../processes.ts";
import { behindTriggers } from "../audit/tamper.ts";
import { inFolder, makeLog, withNode } from "./node.ts";

const noTerminal = !works("script", "-qec", "true", "/dev/null");

const ops = [note("one"), note("two"), note("three")];

Deno.test("audit of an intact log reports no findings and changes nothing", async () => {
  await inFolder(async (mnema) => {
    makeLog(`${mnema.folder}/mnema.db`, ops);
    const before = contentsOf(mnema.folder)["mnema.db"];
    assertEquals(await mnema.does("audit"), "nothing found in 3 operations\n");
    const report = { operations: 3, found: 0, findings: [], unchecked: [], clean: true };
    assertEquals(JSON.parse(await mnema.does("audit", "--json")), report);
    assertEquals(await mnema.does("audit", "--workers", "0"), "nothing found in 3 operations\n");
    assertEquals(contentsOf(mnema.folder)["mnema.db"], before);
  });
});

Deno.test("audit prints one line per finding and exits with 1", async () => {
  await inFolder(async (mnema) => {
    const path = `${mnema.folder}/mnema.db`;
    makeLog(path, ops);
    behindTriggers(path, (db) => {
      db.exec(
        "UPDATE ops SET type = 'no' || char(10) || char(27) || 'te' WHERE seq = 2; DELETE FROM ops WHERE seq = 3",
      );
    });
    withDatabase(path, (db) => db.exec("DROP TRIGGER ops_no_update"));
    const { code, out, err } = await mnema.run("audit");
    assertEquals([code, err], [1, ""]);
    const lines = out.trimEnd().split("\n");
    assertEquals(lines.length, 5);
    assertEquals(lines[0], "trigger: ops_no_update is missing");
    assertMatch(lines[1], /^column-differs seq 2 op_[0-9a-f]{12}…: .*, type is "no\\n\\u001bte", not note$/);
    assertEquals(lines[2], "removed-at-end seq 3: seq 3 was assigned, and is missing");
    assertMatch(lines[3], /^not checked: the derived state of heads, tree: /);
    assertEquals(lines.at(-1), "3 found in 2 operations, and not everything was checked");

    const json = await mnema.run("audit", "--json");
    assertEquals([json.code, json.err], [1, ""]);
    const { operations, found, findings } = JSON.parse(json.out);
    assertEquals([operations, found, findings[1].kind, findings[1].op_id], [2, 3, "column-differs", ops[1].opId]);
  });
});

Deno.test("audit reports a file that is not a log as a finding, and a missing file as an error", async () => {
  await withNode(async (mnema) => {
    Deno.writeTextFileSync(`${mnema.folder}/text`, "no database");
    const { code, out } = await mnema.run("audit", "--log", "text");
    assertEquals(code, 1);
    assertMatch(
      out,
      /^integrity: text is not an SQLite database.*\nnot checked: .*\n1 found in 0 operations, and .*\n$/,
    );
    assertStringIncludes(
      await mnema.refuses("audit", "--log", "none.db"),
      "there is no log none.db; name one with --log",
    );
    assertStringIncludes(await mnema.misuses("audit", "--workers", "many"), '"many"');
    assertStringIncludes(await mnema.misuses("audit", "extra"), "extra");
    assertStringIncludes(await mnema.misuses("audit", "--log", ":memory:"), "memory");
  });
});

Deno.test("audit needs no write permission", async () => {
  await inFolder(async (mnema) => {
    makeLog(`${mnema.folder}/mnema.db`, ops);
    const permissions = ["--allow-read=.", "--allow-write=mnema.db-wal,mnema.db-shm", "--allow-ffi", "--allow-env"];
    assertEquals(await mnema.with({ permissions }).does("audit"), "nothing found in 3 operations\n");
  });
});

Deno.test({
  name: "audit shows a progress bar on a terminal and erases it",
  ignore: noTerminal,
  async fn() {
    await inFolder(async (mnema) => {
      makeLog(`${mnema.folder}/mnema.db`, Array.from({ length: 1500 }, (_, n) => note(`${n} ${"x".repeat(900)}`)));
      const { code, out } = await mnema.with({ env: { NO_COLOR: "1" } }).terminal("mnema audit --workers 0");
      assertEquals(code, 0);
      assertMatch(out, /\[#*-*\] \d+\/1500/);
      assertEquals(out.slice(out.lastIndexOf("\r\x1b[K") + 4), "nothing found in 1500 operations\r\n");
      assertFalse((await mnema.terminal("mnema audit 2>/dev/null")).out.includes("["));
    });
  },
});

Deno.test("audit that skips a check reports it and exits with a code other than 0", async () => {
  await inFolder(async (mnema) => {
    const path = `${mnema.folder}/mnema.db`;
    makeLog(path, ops);
    {
      using log = OpLog.open(path);
      log.proofs.checkpoint(bob, { origin: "example.org" });
    }
    const { code, out, err } = await mnema.run("audit");
    assertEquals([code, err], [1, ""]);
    assertMatch(
      out,
      /^not checked: who signed 1 stored checkpoint.*\nnothing found in 3 operations, but not everything was checked\n$/,
    );
    const { clean, found } = JSON.parse((await mnema.run("audit", "--json")).out);
    assertEquals([clean, found], [false, 0]);
    const vkey = verifierKey(bob.author, "example.org");
    assertEquals(await mnema.does("audit", "--vkey", vkey), "nothing found in 3 operations\n");
  });
});

Deno.test("audit --checkpoint checks the log against a checkpoint in a file", async () => {
  await withNode(async (mnema) => {
    for (const text of ["one", "two", "three"]) await mnema.does("append", "note", JSON.stringify({ text }));
    await mnema.does("checkpoint", "--out", "monday");
    await mnema.does("append", "note", "{}");
    assertEquals(await mnema.does("audit", "--checkpoint", "monday"), "nothing found in 4 operations\n");
    // Another log of the same key.
    await mnema.does("init", "--log", "other.db");
    await mnema.does("append", "note", "{}", "--log", "other.db");
    await mnema.does("checkpoint", "--out", "other", "--log", "other.db");
    const short = await mnema.run("audit", "--checkpoint", "monday", "--log", "other.db");
    assertEquals([short.code, short.err], [1, ""]);
    assertMatch(short.out, /^checkpoint: the log has 1 operation, fewer than the checkpoint of 3 operations/);
    const { code, out } = await mnema.run("audit", "--checkpoint", "monday", "--checkpoint", "other");
    assertEquals(code, 1);
    assertMatch(out, /^checkpoint: the log contradicts the checkpoint of 1 operation .*\n1 found/);
  });
});

Deno.test("audit refuses a file that is not a checkpoint and quotes nothing of it", async () => {
  await withNode(async (mnema) => {
    await mnema.does("append", "note", "{}");
    const key = Deno.readTextFileSync(`${mnema.folder}/mnema.key`);
    Deno.writeTextFileSync(`${mnema.folder}/garbage`, "secret\n".repeat(20));
    Deno.writeTextFileSync(`${mnema.folder}/large`, "x".repeat(1_000_000));
    Deno.writeFileSync(`${mnema.folder}/bytes`, new Uint8Array(100).fill(0xff));
    const files = ["mnema.key", "garbage", "large", "bytes", "none", "."];
    const refusals = await mnema.refusesEach(files.map((file) => ["audit", "--checkpoint", file]));
    for (const [i, said] of refusals.entries()) {
      assertStringIncludes(said, files[i]);
      assertFalse(said.includes("secret"), said);
      for (const word of key.split(/\W+/).filter((word) => word.length > 16)) assertFalse(said.includes(word), said);
    }
    await mnema.does("checkpoint", "--origin", "example.org", "--out", "signed");
    assertMatch(
      await mnema.refuses("audit", "--checkpoint", "signed"),
      /^signed: the origin "example.org" names no key/,
    );
    assertMatch(await mnema.refuses("audit", "--checkpoint", "signed", "--vkey", "none"), /verifier key/);
  });
});
