import { assert, assertEquals, assertRejects } from "@std/assert";
import { FileError, LogError, Operation, OpLog } from "../../mod.ts";
import { audit, type AuditReport } from "../../src/audit/audit.ts";
import { contentsOf, withDatabase, withFolder } from "../folder.ts";
import { alice, forged, note } from "../operations.ts";
import { runChild } from "../log/children/run.ts";
import { bound, canBeBound } from "../processes.ts";
import { exec, found, kinds, ops, row, withFile } from "./log_file.ts";
import { behindTriggers, chain, insertAt, makeFile, noteAfter, seeded } from "./tamper.ts";

Deno.test("nothing is found in a log that is as it should be", async () => {
  await withFile(async (path) => {
    assertEquals(await audit(path), { operations: 60, found: 0, findings: [], unchecked: [], clean: true });
    const more = chain(70).slice(60);
    OpLog.open(path)[Symbol.dispose]();
    using log = OpLog.open(path);
    log.appendAll(more); // the claims are behind
    assertEquals(await audit(path), { operations: 70, found: 0, findings: [], unchecked: [], clean: true });
  });
});

Deno.test("nothing is found in an empty log, and in one whose derived tables are gone", async () => {
  await withFolder(async (folder) => {
    OpLog.open(`${folder}/empty.db`).close();
    assertEquals(found(await audit(`${folder}/empty.db`)), []);
    makeFile(`${folder}/log.db`, ops);
    withDatabase(
      `${folder}/log.db`,
      (database) => database.exec("DROP TABLE mnema_watermarks; DROP TABLE mnema_depths"),
    );
    assertEquals(found(await audit(`${folder}/log.db`)), []);
  });
});

Deno.test("derived tables have no findings, however they were caught up", async () => {
  await withFolder(async (folder) => {
    const random = seeded(5);
    for (let round = 0; round < 5; round++) {
      const path = `${folder}/${round}.db`;
      using log = OpLog.open(path);
      for (let at = 0; at < ops.length;) {
        const next = at + 1 + random(15);
        log.appendAll(ops.slice(at, next));
        if (random(2) === 0) [...log.claims.query()];
        if (random(2) === 0) log.heads();
        at = next;
      }
      assertEquals(await audit(path), { operations: 60, found: 0, findings: [], unchecked: [], clean: true });
    }
  });
});

Deno.test("a claim whose input came after the claims were caught up is not a finding", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    const late = note("late");
    const deriver = { id: "tests", version: "1" };
    const body = { key: "k", value: 1, confidence_ppm: 1, deriver, inputs: [late.opId] };
    const claim = Operation.create({ type: "claim.assert", body }, alice);
    makeFile(path, [claim]);
    using log = OpLog.open(path);
    log.append(late);
    assertEquals(found(await audit(path)), []);
    [...log.claims.query()];
    assertEquals(found(await audit(path)), []);
  });
});

Deno.test("an audit leaves no file behind, and every file as it was", async () => {
  await withFile(async (path) => {
    const folder = path.slice(0, path.lastIndexOf("/"));
    const before = contentsOf(folder);
    assertEquals((await audit(path, { workers: 0 })).clean, true);
    assertEquals(contentsOf(folder), before);
    using log = OpLog.open(path); // its commits are in `-wal`
    log.append(noteAfter("one more", log.heads()));
    const { "log.db-shm": _, ...open } = contentsOf(folder);
    assertEquals((await audit(path, { workers: 0 })).clean, true);
    const { "log.db-shm": __, ...after } = contentsOf(folder);
    assertEquals(after, open);
  });
});

/** What someone does to the pages of a file; several findings of a kind may come of it. */
Deno.test("findings do not depend on the workers, and are also reported one by one", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    const many = chain(400, "word ".repeat(200));
    makeFile(path, many);
    behindTriggers(path, (db) => {
      db.exec("DELETE FROM ops WHERE seq % 50 = 0; UPDATE ops SET ts = ts + 1 WHERE seq % 70 = 0");
      db.exec("UPDATE ops SET wire = replace(wire, 'word word', 'word  word') WHERE seq % 60 = 1");
      insertAt(db, 401, forged(note("forged")));
      insertAt(db, 402, noteAfter("x", ["op_" + "1".repeat(64), "op_" + "2".repeat(64)]));
    });
    const reports: AuditReport[] = [];
    for (const workers of [0, 1, 2]) {
      const reported: unknown[] = [];
      const progress: number[] = [];
      reports.push(
        await audit(path, {
          workers,
          onFinding: (finding) => reported.push(finding),
          onProgress: ({ checked, total }) => progress.push(checked / total),
        }),
      );
      assertEquals(reported.length, reports[0].found);
      assertEquals([progress.at(-1), progress.toSorted((a, b) => a - b)], [1, progress]);
    }
    assertEquals(reports[1], reports[0]);
    assertEquals(reports[2], reports[0]);
    assertEquals(new Set(kinds(reports[0])), new Set(["seq-gap", "column-differs", "bad-address"]));
  });
});

/** The bytes of a log's files that an audit must leave alone. */
function filesOf(path: string): unknown {
  const bytes = (suffix: string) => {
    try {
      return Deno.readFileSync(path + suffix);
    } catch {
      return new Uint8Array();
    }
  };
  return [bytes(""), bytes("-wal"), bytes("-journal")];
}

Deno.test("the log of a process that was killed is read with what it had committed, and nothing is written", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    const script = decodeURIComponent(new URL("children/append_and_wait.ts", import.meta.url).pathname);
    const args = ["run", "--quiet", "--no-prompt", "--allow-all", script, path, "20"];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    const live = await audit(path);
    assertEquals([live.operations, live.found], [20, 0]);
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    const before = filesOf(path);
    assert(Deno.statSync(`${path}-wal`).size > 0);
    assertEquals([(await audit(path)).operations, (await audit(path)).found], [20, 0]);
    assertEquals(filesOf(path), before);
    using log = OpLog.open(path);
    assertEquals(log.size, 20);
  });
});

Deno.test("while a log is open, and appended to, it is audited, and nothing is written", async () => {
  await withFile(async (path) => {
    using log = OpLog.open(path);
    log.append(noteAfter("more", [row(60).opId]));
    const before = filesOf(path);
    assertEquals([(await audit(path)).operations, (await audit(path)).found], [61, 0]);
    assertEquals(filesOf(path), before);
    const underWay = audit(path, { workers: 1 });
    for (let n = 0; n < 100; n++) log.append(note(`${n}`));
    assertEquals((await underWay).found, 0);
  });
});

Deno.test("a log of another implementation has no third trigger, and nothing else is found", async () => {
  await withFile(async (path) => {
    exec(path, "DROP TRIGGER ops_no_replace");
    const { findings } = await audit(path);
    assertEquals(findings.map(({ kind }) => kind), ["trigger"]);
  });
});

Deno.test("a body that this implementation refuses is no finding", async () => {
  await withFile(async (path) => {
    const op = Operation.create({ type: "claim.assert", body: { key: 5 }, prev: [row(60).opId] }, alice);
    behindTriggers(path, (db) => insertAt(db, 61, op));
    assertEquals(found(await audit(path)), []);
  });
});

Deno.test("what keeps a file from being read is an error", async () => {
  await withFolder(async (folder) => {
    const code = async (path: string, options = {}) => (await assertRejects(() => audit(path, options), LogError)).code;
    assertEquals(await code(`${folder}/none.db`), "missing-file");
    assertEquals(await code(folder), "is-a-folder");
    assertEquals(await code(":memory:"), "invalid-argument");
    assertEquals(await code(`${folder}/none.db`, { workers: -1 }), "invalid-argument");
    assertEquals(contentsOf(folder), {});
  });
});

Deno.test("a change that was interrupted and must be rolled back is an error that says so", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    makeFile(path, ops);
    withDatabase(path, (db) => db.prepare("PRAGMA journal_mode = DELETE").value());
    const copy = `${folder}/copy.db`;
    withDatabase(path, (db) => {
      db.exec(
        "PRAGMA cache_spill = ON; PRAGMA cache_size = 1; BEGIN IMMEDIATE; CREATE TABLE x (y); INSERT INTO x VALUES (zeroblob(100000))",
      );
      for (const suffix of ["", "-journal"]) Deno.copyFileSync(path + suffix, copy + suffix);
      db.exec("ROLLBACK");
    });
    const before = contentsOf(folder);
    const error = await assertRejects(() => audit(copy), FileError);
    assertEquals(error.code, "read-only");
    assertEquals(contentsOf(folder), before);
  });
});

Deno.test({
  name: "a file in a folder that may not be written is read, unless -wal has commits that cannot be read",
  ignore: !canBeBound(),
  async fn() {
    await withFile(async (path) => {
      const folder = path.slice(0, path.lastIndexOf("/"));
      const script = decodeURIComponent(new URL("children/audit.ts", import.meta.url).pathname);
      const auditBound = async () => {
        const args = [...bound(), Deno.execPath(), "run", "--quiet", "--no-prompt", "--allow-all", script, path];
        const [command, ...rest] = args;
        const { stdout } = await new Deno.Command(command, { args: rest }).output();
        return JSON.parse(new TextDecoder().decode(stdout));
      };
      Deno.chmodSync(path, 0o444);
      Deno.chmodSync(folder, 0o555);
      try {
        const before = contentsOf(folder);
        assertEquals(await auditBound(), { operations: 60, findings: [] });
        assertEquals(contentsOf(folder), before);
        Deno.chmodSync(folder, 0o755);
        Deno.writeFileSync(`${path}-wal`, new Uint8Array(100));
        Deno.chmodSync(folder, 0o555);
        assertEquals(await auditBound(), { error: "read-only" });
      } finally {
        Deno.chmodSync(folder, 0o755);
      }
    });
  },
});

Deno.test("an audit ends when its signal aborts", async () => {
  await withFile(async (path) => {
    await assertRejects(() => audit(path, { signal: AbortSignal.abort() }), DOMException);
    const stop = new AbortController();
    const options = { signal: stop.signal, workers: 0, onProgress: () => stop.abort() };
    await assertRejects(() => audit(path, options), DOMException);
  });
});

Deno.test({
  name: "what an audit reads to rebuild what is derived grows with the log, and hardly faster",
  ignore: Deno.build.os !== "linux", // which counts the bytes that a process reads
  fn: () =>
    withFolder(async (folder) => {
      const [small, large] = await Promise.all([8000, 32_000].map(async (size) => {
        const report = await runChild("../../audit/children/rebuild_bytes.ts", [`${folder}/${size}.db`, `${size}`]);
        assert("value" in report, JSON.stringify(report));
        return report.value as number;
      }));
      assert(large < 6 * small, `of four times the operations ${(large / small).toFixed(1)} times the bytes`);
    }),
});
