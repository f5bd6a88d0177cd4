import { assertEquals, assertThrows } from "@std/assert";
import { FileError, LogError, OpLog } from "../../mod.ts";
import { contentsOf, withDatabase, withFolder } from "../folder.ts";
import { runChild } from "../log/children/run.ts";
import { alice, headsOf, note } from "../operations.ts";
import { unsigned } from "../claims/histories.ts";
import { insertOutside, whileLocked } from "../outside.ts";
import { counts, texts } from "./projections.ts";
import { assertProjected, derivedOf, MADE, makeLog, UNCHECKED, withLog } from "./logs.ts";

Deno.test("a readonly log gives what a writable one gives, and its file stays byte for byte as it was", () => {
  const states: Record<string, (path: string) => void> = {
    "without derived tables": (path) =>
      withDatabase(path, (database) => {
        const named = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'mnema_*'";
        for (const [name] of database.prepare(named).values<[string]>()) database.exec(`DROP TABLE "${name}"`);
      }),
    "behind": () => {},
    "up to date": (path) => {
      using log = OpLog.open(path);
      derivedOf(log);
    },
    "with watermarks past the end": (path) =>
      withDatabase(path, (database) => database.exec("UPDATE mnema_watermarks SET seq = 1000")),
    "of another version": (path) =>
      withDatabase(path, (database) => database.exec("UPDATE mnema_watermarks SET version = version + 1")),
  };
  for (const [what, prepare] of Object.entries(states)) {
    withFolder((folder) => {
      const path = `${folder}/log.db`;
      makeLog(path);
      prepare(path);
      const before = contentsOf(folder);
      {
        using log = OpLog.open(path, { readonly: true });
        for (let time = 0; time < 3; time++) assertEquals(derivedOf(log), MADE, what);
        assertEquals(log.replay(counts), MADE[0], what);
        const other = texts("of-the-reader");
        assertEquals([log.project(other), log.project(other), log.project(counts)], [["a"], ["a"], MADE[0]]);
      }
      assertEquals(contentsOf(folder), before, what);
    });
  }
});

Deno.test("a readonly log that is behind steps through what is new alone, and once", () => {
  withLog((path) => {
    makeLog(path);
    const projection = texts();
    {
      using log = OpLog.open(path);
      log.project(projection);
      log.append(note("b"));
    }
    projection.calls = 0;
    using reader = OpLog.open(path, { readonly: true });
    for (let time = 0; time < 3; time++) assertEquals(reader.project(projection), ["a", "b"]);
    insertOutside(path, [note("c")]);
    for (let time = 0; time < 3; time++) assertEquals(reader.project(projection), ["a", "b", "c"]);
    assertEquals(projection.calls, 2);
  });
});

Deno.test("a readonly log follows what others append", () => {
  withLog((path) => {
    makeLog(path);
    using reader = OpLog.open(path, { readonly: true });
    using writer = OpLog.open(path);
    const projection = texts();
    for (let n = 0; n < 6; n++) {
      insertOutside(path, [note(`${n}`)]);
      if (n % 2 === 0) writer.project(texts());
      const expected = ["a", ...Array.from({ length: n + 1 }, (_, i) => `${i}`)];
      assertEquals(reader.project(projection), expected);
      assertEquals(reader.heads().length, 2 + n);
      assertEquals([...reader.claims.query({ status: "refuted" })].length, 1);
    }
    writer.rebuild();
    assertEquals(reader.project(projection).length, 7);
  });
});

Deno.test("a readonly log refuses to rebuild anything", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    makeLog(path);
    const before = contentsOf(folder);
    {
      using log = OpLog.open(path, { readonly: true });
      for (const change of [() => log.rebuild(), () => void log.project(counts, { rebuild: true })]) {
        assertEquals(assertThrows(change, FileError).code, "read-only");
        assertEquals(derivedOf(log), MADE);
      }
    }
    assertEquals(contentsOf(folder), before);
  });
});

Deno.test("while another connection holds the write lock, derived state is read all the same, and stored later", () => {
  withLog((path) => {
    using log = OpLog.open(path, { busyTimeoutMs: 0 });
    log.append(note("a"));
    const projection = texts();
    log.project(projection);
    log.append(note("b"));
    projection.calls = 0;
    whileLocked(path, () => {
      assertEquals(log.heads().length, 2);
      assertEquals(log.project(projection), ["a", "b"]);
      assertEquals(log.project(projection), ["a", "b"]);
      assertEquals(log.project(texts("new")), ["a", "b"]);
      assertEquals([...log.claims.query()], []);
      assertEquals(assertThrows(() => log.project(projection, { rebuild: true }), FileError).code, "locked");
      assertEquals(assertThrows(() => log.rebuild(), FileError).code, "locked");
      assertEquals(log.project(projection), ["a", "b"]);
    });
    log.append(note("c"));
    assertEquals(log.project(projection), ["a", "b", "c"]);
    projection.calls = 0;
    using other = OpLog.open(path);
    assertEquals(other.project(projection), ["a", "b", "c"]);
    assertEquals(projection.calls, 0, "it is stored in the file");
  });
});

/** A log that answers from copies in memory, because the file could not be written when it was asked. */
function withCopies(use: (log: OpLog, path: string) => void): void {
  withLog((path) => {
    using log = OpLog.open(path, { busyTimeoutMs: 0, durability: "normal" });
    log.append(note("a"));
    log.heads();
    log.claims.assert(alice, { key: "drink", value: "tea" });
    log.project(counts);
    log.claims.query();
    log.claims.assert(alice, { key: "drink", value: "coffee" });
    whileLocked(path, () => {
      assertEquals(log.project(counts), { note: 1, "claim.assert": 2 });
      assertEquals([...log.claims.query()].map(({ status }) => status), ["superseded", "active"]);
    });
    use(log, path);
  });
}

function assertDerived(path: string): void {
  for (const readonly of [true, false]) {
    using log = OpLog.open(path, { readonly });
    assertEquals(
      log.heads().length,
      headsOf([...log.entries()].map(({ op }) => op)).length,
    );
    assertProjected(log, counts);
    assertEquals([...log.claims.query()].map(({ status }) => status), ["superseded", "active"]);
  }
}

Deno.test("a log that answered from copies can be rebuilt", () => {
  withCopies((log, path) => {
    log.rebuild();
    assertEquals(log.heads().length, 1);
    assertEquals(log.claims.current("drink")?.value, "coffee");
    assertDerived(path);
  });
  withCopies((log, path) => {
    assertEquals(log.project(counts, { rebuild: true }), { note: 1, "claim.assert": 2 });
    assertDerived(path);
  });
});

Deno.test("a log that answered from copies catches the tables in the file up, and not the copies", () => {
  withCopies((log, path) => {
    log.appendAll(Array.from({ length: 5000 }, (_, n) => unsigned(`${n}`, "note", {}, [])), UNCHECKED);
    log.close();
    assertDerived(path);
  });
});

Deno.test("a log that answered from copies is as it was when something is refused after that", () => {
  withCopies((log, path) => {
    assertEquals(
      assertThrows(() => log.record(alice, "claim.correct", { key: "drink" }), LogError).code,
      "bad-body",
    );
    assertEquals(log.heads().length, 1);
    assertProjected(log, counts);
    log.append(note("b"));
    assertEquals(log.heads().length, 2);
    assertDerived(path);
  });
});

const LIBRARY = ["--allow-ffi", "--allow-env=DENO_SQLITE_PATH,DENO_SQLITE_LOCAL"];

Deno.test("where Deno may not write the file, derived state is read all the same", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    makeLog(path);
    const before = contentsOf(folder);
    const flags = [...LIBRARY, `--allow-read=${folder}`, `--allow-write=${path}-wal,${path}-shm`];
    assertEquals(await runChild("../../derived/children/project_readonly.ts", [path], { flags }), { value: MADE });
    assertEquals(contentsOf(folder)["log.db"], before["log.db"]);
  });
});
