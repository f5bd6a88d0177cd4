import { assert, assertEquals, assertThrows } from "@std/assert";
import { FileError, LogError, OpLog } from "../../mod.ts";
import { BUILT_IN } from "../../src/built_in.ts";
import { claims } from "../../src/claims/tables.ts";
import { internalsOf } from "../../src/oplog.ts";
import { unsigned } from "../claims/histories.ts";
import { withDatabase, withFolder } from "../folder.ts";
import { startChild } from "../log/children/run.ts";
import { alice, depthsOf, note, vectorLines } from "../operations.ts";
import { linesOf } from "../processes.ts";
import { counts, depthsById, texts } from "./projections.ts";
import { assertProjected, derivedOf, MADE, makeLog, UNCHECKED, withLog } from "./logs.ts";

Deno.test("a rebuild makes everything that is derived again, and reports progress", () => {
  withLog((path) => {
    using log = OpLog.open(path);
    const ops = Array.from({ length: 5 }, (_, n) => note(`${n}`));
    log.appendAll(ops);
    log.claims.assert(alice, { key: "drink", value: "tea", inputs: [ops[0].opId] });
    const projection = texts();
    const before = [log.project(projection), log.heads(), [...log.claims.query()]];
    const wrong = `op_${"0".repeat(64)}`;
    withDatabase(path, (database) => {
      database.exec(`UPDATE mnema_heads SET op_id = '${wrong}'; DELETE FROM mnema_claims`);
      database.exec('UPDATE "mnema_state_texts" SET state = \'["wrong"]\'');
    });
    assertEquals([log.project(projection), log.heads(), [...log.claims.query()]], [["wrong"], [wrong], []]);
    const reported: [number, number][] = [];
    projection.calls = 0;
    log.rebuild((done, total) => reported.push([done, total]));
    assertEquals(reported, [[6, 6]]);
    assertEquals(projection.calls, 0, "states are rebuilt when they are read");
    assertEquals([log.project(projection), log.heads(), [...log.claims.query()]], before);
    assertEquals(projection.calls, 5);
  });
});

Deno.test("a log that is open goes on after another connection has rebuilt the file", () => {
  withLog((path) => {
    using log = OpLog.open(path);
    using reader = OpLog.open(path, { readonly: true });
    const projection = texts();
    for (let n = 0; n < 4; n++) {
      log.append(note(`${n}`));
      if (n % 2 === 0) assertEquals([log.heads().length, log.project(projection).length], [n + 1, n + 1]);
      assertEquals([reader.heads().length, reader.project(projection).length], [n + 1, n + 1]);
      {
        using other = OpLog.open(path);
        other.rebuild();
      }
      assertEquals([log.heads().length, log.project(projection).length], [n + 1, n + 1]);
      assertEquals([...log.claims.query()], []);
    }
  });
});

Deno.test("a rebuild that fails leaves everything as it was", () => {
  withLog((path) => {
    makeLog(path);
    using log = OpLog.open(path);
    const projection = texts();
    const before = [derivedOf(log), log.project(projection)];
    const stop = new Error("stop");
    assertEquals(
      assertThrows(() =>
        log.rebuild(() => {
          throw stop;
        })
      ),
      stop,
    );
    projection.calls = 0;
    assertEquals([derivedOf(log), log.project(projection)], before);
    assertEquals(projection.calls, 0);
  });
});

Deno.test("neither a signer nor onProgress can use the log that calls it", () => {
  using log = OpLog.open();
  log.append(note("a"));
  const calling = (use: () => unknown) => ({
    author: alice.author,
    sign(message: Uint8Array) {
      use();
      return alice.sign(message);
    },
  });
  const acts = [() => log.record(alice, "note", {}), () => log.proofs.checkpoint(alice), () => log.close()];
  for (const act of acts) {
    const refused = [
      () => log.record(calling(act), "note", {}),
      () => log.proofs.checkpoint(calling(act)),
      () => log.rebuild(act),
    ];
    for (const use of refused) assertThrows(use, LogError, "cannot use the log that calls it");
  }
  assertEquals([log.size, log.proofs.checkpoints(), log.heads()], [1, [], [note("a").opId]]);
});

Deno.test("an empty log has the initial state, in memory, in a file, readonly, and after a rebuild", () => {
  withLog((path) => {
    using memory = OpLog.open();
    using file = OpLog.open(path);
    using reader = OpLog.open(path, { readonly: true });
    for (const log of [memory, file, reader]) {
      for (let time = 0; time < 2; time++) {
        assertEquals([log.project(counts), log.replay(counts), log.heads(), [...log.claims.query()]], [{}, {}, [], []]);
        assertEquals([log.claims.current("drink")], [undefined]);
        if (log === reader) continue;
        assertEquals(log.project(counts, { rebuild: true }), {});
        log.rebuild();
      }
    }
    file.append(note("a"));
    for (const log of [file, reader]) assertEquals([log.project(counts), log.heads()], [{ note: 1 }, [note("a").opId]]);
  });
});

for (const what of ["project", "rebuild"]) {
  Deno.test(`a process killed in the midst of a ${what} leaves what was stored before`, async () => {
    await withLog(async (path) => {
      makeLog(path);
      const kept = () =>
        withDatabase(path, (database) => [
          database.prepare("SELECT * FROM mnema_watermarks ORDER BY name").values(),
          database.prepare("SELECT * FROM mnema_state_counts").values(),
          database.prepare("SELECT * FROM mnema_heads").values(),
          database.prepare("SELECT * FROM mnema_claims").values(),
        ]);
      {
        using log = OpLog.open(path);
        derivedOf(log);
        log.close();
      }
      const before = kept();
      const child = startChild("../../derived/children/pause_within.ts", [path, what]);
      const lines = linesOf(child.stdout);
      assertEquals((await lines.next()).value, "paused");
      {
        using reader = OpLog.open(path, { readonly: true });
        assertEquals(derivedOf(reader), MADE, "while it is under way");
      }
      child.kill("SIGKILL");
      assertEquals((await child.status).signal, "SIGKILL");
      assertEquals((await lines.next()).done, true);
      await child.stdin.close().catch(() => {});
      assertEquals(kept(), before);
      using log = OpLog.open(path);
      assertEquals(derivedOf(log), MADE);
      log.append(note("after"));
      assertEquals(assertProjected(log, counts).note, 2);
    });
  });
}

Deno.test("processes that append and project at once all give the state of the whole log", async () => {
  await withLog(async (path) => {
    const script = "../../derived/children/project_at_once.ts";
    const children = Array.from({ length: 2 }, () => startChild(script, [path, "40"]));
    const outputs = children.map(({ stdout }) => linesOf(stdout));
    for (const output of outputs) assertEquals((await output.next()).value, "ready");
    await Promise.all(children.map(({ stdin }) => stdin.close()));
    for (const output of outputs) assertEquals((await output.next()).value, '{"value":"done"}');
    for (const { status } of children) assert((await status).success);
    using log = OpLog.open(path);
    assertEquals(assertProjected(log, counts), { note: 80, "claim.assert": 80 });
    assertEquals(assertProjected(log, depthsById), depthsOf([...log.entries()].map(({ op }) => op)));
    const asked = () => [...log.claims.query()];
    const claims = asked();
    assertEquals(claims.filter(({ status }) => status === "active").length, 2);
    log.rebuild();
    assertEquals(asked(), claims);
    assertEquals(assertProjected(log, counts), { note: 80, "claim.assert": 80 });
  });
});

/** The last `seq` that the heads in a file have seen. */
function headsWatermark(path: string): number {
  const select = "SELECT seq FROM mnema_watermarks WHERE name = 'heads'";
  return withDatabase(path, (database) => {
    const [exists] = database.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'mnema_watermarks'")
      .value<[number]>()!;
    return exists === 0 ? 0 : database.prepare(select).value<[number]>()?.[0] ?? 0;
  });
}

Deno.test("followers are caught up after 4,096 operations, after 512 of batches, and when the log is closed", async () => {
  await withFolder(async (folder) => {
    const ops = Array.from({ length: 4100 }, (_, n) => unsigned(`${n}`, "note", {}, []));
    {
      using log = OpLog.open(`${folder}/one.db`, { durability: "normal" });
      for (const op of ops.slice(0, 4095)) log.append(op, UNCHECKED);
      assertEquals(headsWatermark(`${folder}/one.db`), 0);
      for (const op of ops.slice(4095)) log.append(op, UNCHECKED);
      assertEquals(headsWatermark(`${folder}/one.db`), 4096);
    }
    assertEquals(headsWatermark(`${folder}/one.db`), 4100);
    using log = OpLog.open(`${folder}/batches.db`);
    await log.ingest(vectorLines().slice(0, 500));
    assertEquals(headsWatermark(`${folder}/batches.db`), 0);
    await log.ingest(vectorLines().slice(500, 600));
    assertEquals(headsWatermark(`${folder}/batches.db`), 600);
  });
});

Deno.test("a damaged derived table does not keep operations from being appended, and its reader reports it", async () => {
  await withFolder(async (folder) => {
    const ops = Array.from({ length: 4096 }, (_, n) => unsigned(`${n}`, "note", {}, []));
    const appends: Record<string, (log: OpLog) => unknown> = {
      "one by one": (log) => ops.forEach((op) => log.append(op, UNCHECKED)),
      "at once": (log) => log.appendAll(ops, UNCHECKED),
      "ingest": (log) => log.ingest(vectorLines()),
    };
    for (const [way, append] of Object.entries(appends)) {
      const path = `${folder}/${way}.db`;
      {
        using log = OpLog.open(path);
        log.append(note("first"));
        log.proofs.checkpoint(alice);
      }
      withDatabase(path, (database) => database.exec("UPDATE mnema_tiles SET hashes = 'damaged'"));
      using log = OpLog.open(path, { durability: "normal" });
      await append(log);
      assertEquals(log.size, way === "ingest" ? 1001 : 4097, way);
      assertEquals(assertThrows(() => log.proofs.checkpoint(alice), FileError).code, "derived-damaged", way);
      log.rebuild();
      assertEquals(log.proofs.checkpoint(alice).split("\n")[1], `${log.size}`, way);
    }
  });
});

Deno.test("projections advance by some operations at a time, in the file or in copies of it, and end as if at once", () => {
  withLog((path) => {
    makeLog(path);
    using log = OpLog.open(path);
    const expected = derivedOf(log);
    for (const readonly of [true, false]) {
      withDatabase(path, (database) => database.exec("DROP TABLE IF EXISTS mnema_watermarks"));
      using other = OpLog.open(path, { readonly });
      const { projections } = internalsOf(other);
      for (const projection of BUILT_IN) {
        let left = projections.behind(projection);
        while (left > 0) {
          projections.advance(2, projection);
          const now = projections.behind(projection);
          assert(now < left, `${projection.name} is not caught up further`);
          left = now;
        }
      }
      assertEquals(derivedOf(other), expected);
    }
  });
});

Deno.test("a reader that does not catch up reads what is stored, and nothing where nothing is", () => {
  withLog((path) => {
    using log = OpLog.open(path);
    using reader = OpLog.open(path, { readonly: true });
    internalsOf(reader).projections.catchesUp = false;
    const tea = log.claims.assert(alice, { key: "drink", value: "tea" });
    assertEquals([[...reader.claims.query()], reader.children(tea.opId)], [[], []]);
    assertThrows(() => reader.claims.get(tea.opId), LogError, "not a claim");
    const stored = [...log.claims.query()];
    log.claims.assert(alice, { key: "drink", value: "coffee" });
    assertEquals([...reader.claims.query()], stored);
    assertEquals(internalsOf(reader).projections.behind(claims), 1);
  });
});
