import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { audit, FileError, Identity, OpLog } from "../../mod.ts";
import { internalsOf } from "../../src/oplog.ts";
import { Projections } from "../../src/derived/engine.ts";
import { ranges } from "../../src/derived/ranges.ts";
import { readWatermark } from "../../src/derived/watermarks.ts";
import { openRanges } from "../../src/sync/store.ts";
import { withDatabase } from "../folder.ts";
import { alice, note } from "../operations.ts";
import { runs } from "../runs.ts";
import { withLog } from "./logs.ts";
import { assertRecords, idAt, insertRows, storedNodes, unsigned } from "./range_logs.ts";

/** Times of operations by their place in the log. */
const ORDERS: Record<string, (n: number) => number> = {
  "ascending times": (n) => n * 137,
  "descending times": (n) => 1e9 - n * 1370,
  "one second": () => 1_700_000_000_123,
  "random times": (n) => (n * 7_919_000) % 1_000_003_000,
  "times beyond 2^32 seconds": (n) => 2 ** 42 + n * 1e9,
};

const rowsOf = (order: string, count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => ({ ts: ORDERS[order](from + n), id: idAt(from + n) }));
const catchUp = (log: OpLog) => openRanges(log).read(({ size }) => size);

for (const order of Object.keys(ORDERS)) {
  Deno.test(`the records are those of the rows, caught up at once or bit by bit: ${order}`, () => {
    const rows = rowsOf(order, 6000);
    using atOnce = OpLog.open();
    insertRows(atOnce, rows);
    assertRecords(atOnce);
    using bitByBit = OpLog.open();
    for (let at = 0, step = 1; at < rows.length; at += step, step = step > 2000 ? 1 : 2 * step + 1) {
      insertRows(bitByBit, rows.slice(at, at + step));
      assertEquals(catchUp(bitByBit), Math.min(rows.length, at + step));
    }
    assertRecords(bitByBit);
    assertEquals(storedNodes(bitByBit), storedNodes(atOnce));
  });
}

Deno.test("the tree depends on the order of the rows alone, however they are caught up", () => {
  const row = fc.record({ ts: fc.nat(40_000), id: fc.nat(1e6).map(idAt) });
  const batches = fc.array(fc.uniqueArray(row, { maxLength: 400, selector: ({ id }) => id }), { maxLength: 6 });
  fc.assert(
    fc.property(batches, (batches) => {
      const seen = new Set<string>();
      const fresh = batches.map((rows) => rows.filter(({ id }) => !seen.has(id) && seen.add(id)));
      using bitByBit = OpLog.open();
      for (const rows of fresh) {
        insertRows(bitByBit, rows);
        catchUp(bitByBit);
      }
      using atOnce = OpLog.open();
      insertRows(atOnce, fresh.flat());
      if (seen.size === 0) return;
      assertRecords(atOnce);
      assertRecords(bitByBit);
      assertEquals(storedNodes(bitByBit), storedNodes(atOnce));
    }),
    { numRuns: runs(25) },
  );
});

Deno.test("nodes are at least half full, but those at the right edge", () => {
  for (
    const [order, count] of [["ascending times", 10_000], ["descending times", 20_000], ["one second", 10_000]] as const
  ) {
    using log = OpLog.open();
    insertRows(log, rowsOf(order, count));
    catchUp(log);
    const rows = internalsOf(log).connection
      .query("SELECT level, length(entries) FROM mnema_ranges ORDER BY level, low").values<[number, number]>();
    for (const [level, nodes] of Map.groupBy(rows, ([level]) => level)) {
      const half = level === 0 ? 128 * 36 : 64 * 72;
      for (const [, length] of nodes.slice(0, -1)) assert(length >= half, `${order}: level ${level}, ${length} bytes`);
    }
    assert(rows.length < count / 128 + 10);
  }
});

Deno.test("chunks that are sorted by themselves give the same tree as one row after the other", () => {
  const rows = rowsOf("random times", 70_000);
  using atOnce = OpLog.open();
  insertRows(atOnce, rows);
  catchUp(atOnce);
  using inParts = OpLog.open();
  for (const [from, to] of [[0, 5000], [5000, 65_000], [65_000, 70_000]]) {
    insertRows(inParts, rows.slice(from, to));
    catchUp(inParts);
  }
  assertEquals(storedNodes(inParts), storedNodes(atOnce));
});

Deno.test("records are kept in the file, and rebuilt as they were", () => {
  withLog((path) => {
    let before: string[];
    {
      using log = OpLog.open(path);
      insertRows(log, rowsOf("random times", 3000));
      catchUp(log);
      before = storedNodes(log);
    }
    using log = OpLog.open(path);
    assertEquals(internalsOf(log).connection.query("SELECT seq FROM mnema_watermarks WHERE name = 'ranges'").value(), [
      3000,
    ]);
    insertRows(log, rowsOf("random times", 10, 3000));
    internalsOf(log).projections.discardAll();
    assertRecords(log);
    assertEquals(storedNodes(log).length, before.length);
  });
});

Deno.test("what another program appends is among the records", () => {
  withLog((path) => {
    using log = OpLog.open(path);
    insertRows(log, rowsOf("ascending times", 500));
    assertRecords(log);
    withDatabase(path, (database) => {
      for (let n = 500; n < 520; n++) {
        database.prepare("INSERT INTO ops (op_id, type, author, ts, wire) VALUES (?, 'note', 'a', ?, '')")
          .run(`op_${idAt(n)}`, n * 99);
      }
    });
    assertRecords(log);
    assertEquals(catchUp(log), 520);
  });
});

Deno.test("an ingest of many operations keeps the records caught up, one of few does not", async () => {
  const watermark = (log: OpLog) =>
    internalsOf(log).connection.query("SELECT seq FROM mnema_watermarks WHERE name = 'ranges'").value<[number]>();
  const source = Array.from({ length: 9000 }, (_, n) => unsigned(n * 100, idAt(n)));
  using log = OpLog.open();
  const { writer } = internalsOf(log);
  writer.transaction(() => writer.insertNew(source.slice(0, 8000)));
  assertEquals(watermark(log), undefined);
  writer.transaction(() => writer.insertNew(source.slice(8000)));
  assertEquals(watermark(log), [9000]);
  const few = Array.from({ length: 10 }, (_, n) => note(`${n}`));
  await log.ingest(few, { workers: 0 });
  assertEquals(watermark(log), [9000]);
  assertRecords(log);
});

Deno.test("an ingest does not build the records of a large log that has none", () => {
  using log = OpLog.open();
  const { connection } = internalsOf(log);
  const projections = new Projections(connection, [], [ranges]);
  const appendTo = (size: number) => {
    const from = log.size;
    insertRows(log, rowsOf("ascending times", size - from, from));
    const appended = { opId: "", prev: [], ts: 0, leaf: new Uint8Array(32) };
    projections.appended(Array.from({ length: 8192 }, (_, n) => ({ ...appended, seq: size - 8191 + n })));
    return readWatermark(connection, ranges, size);
  };
  assertEquals(appendTo(65_537), 0);
  catchUp(log);
  assertEquals(appendTo(75_000), 75_000);
});

Deno.test("what is rolled back is not among the records", () => {
  using log = OpLog.open();
  const { writer } = internalsOf(log);
  assertThrows(
    () =>
      writer.transaction(() => {
        writer.insertNew(Array.from({ length: 9000 }, (_, n) => unsigned(n, idAt(n))));
        throw new Error("no");
      }),
    Error,
    "no",
  );
  log.append(note("a"));
  assertRecords(log);
  assertEquals(catchUp(log), 1);
});

Deno.test("a row without an id of an operation is damage to the file", () => {
  for (const id of ["x", "op_" + "0".repeat(63), "op_" + "F".repeat(64), "op_" + "g".repeat(64)]) {
    using log = OpLog.open();
    insertRows(log, rowsOf("ascending times", 3));
    internalsOf(log).connection.query("INSERT INTO ops (op_id, type, author, ts, wire) VALUES (?, 'a', 'b', 5, '')")
      .run(id);
    assertEquals(assertThrows(() => catchUp(log), FileError).code, "corrupt");
  }
});

Deno.test("the audit compares the records with the log", async () => {
  await withLog(async (path) => {
    {
      using log = OpLog.open(path);
      for (let n = 0; n < 40; n++) log.record(alice, "note", { n }, { ts: 1000 * (n % 7) });
      catchUp(log);
    }
    assertEquals((await audit(path)).findings, []);
    withDatabase(path, (database) => database.exec("UPDATE mnema_ranges SET entries = substr(entries, 37)"));
    const { findings } = await audit(path);
    assertEquals(findings.map(({ kind }) => kind), ["derived-differs"]);
    assert(findings[0].message.includes("mnema_ranges"));
  });
});

/** Damage to the tree of three thousand records: what a reader makes of it must end. */
const DAMAGES: Record<string, string> = {
  "no root": "DELETE FROM mnema_ranges WHERE level = (SELECT max(level) FROM mnema_ranges)",
  "no leaf": "DELETE FROM mnema_ranges WHERE level = 0",
  "a leaf that is gone": "DELETE FROM mnema_ranges WHERE level = 0 AND low = (SELECT max(low) FROM mnema_ranges)",
  "no node": "DELETE FROM mnema_ranges",
  "a high level": "INSERT INTO mnema_ranges VALUES (9007199254740991, zeroblob(36), zeroblob(72))",
  "a negative level": "UPDATE mnema_ranges SET level = -level",
  "a level more": "INSERT INTO mnema_ranges SELECT 2, low, entries FROM mnema_ranges WHERE level = 1",
  "levels one above the other":
    "INSERT INTO mnema_ranges SELECT value, zeroblob(36), entries FROM json_each('[2,3,4,5,6,7,8]'), mnema_ranges WHERE level = 1",
  "empty nodes": "UPDATE mnema_ranges SET entries = x''",
  "an empty leaf": "UPDATE mnema_ranges SET entries = x'' WHERE level = 0",
  "short leaves": "UPDATE mnema_ranges SET entries = substr(entries, 1, 36) WHERE level = 0",
  "half an entry": "UPDATE mnema_ranges SET entries = substr(entries, 1, 40)",
  "texts": "UPDATE mnema_ranges SET entries = 'text'",
  "numbers": "UPDATE mnema_ranges SET entries = 5, low = 7 WHERE low = zeroblob(36)",
  "large nodes": "UPDATE mnema_ranges SET entries = zeroblob(3600000)",
  "zeros in the root": "UPDATE mnema_ranges SET entries = zeroblob(720) WHERE level = 1",
  "zeros in the leaves": "UPDATE mnema_ranges SET entries = zeroblob(length(entries)) WHERE level = 0",
  "huge counts":
    "UPDATE mnema_ranges SET entries = CAST(replace(entries, x'000000', x'ffffff') AS BLOB) WHERE level = 1",
  "other bytes": "UPDATE mnema_ranges SET entries = randomblob(length(entries))",
  "other bytes in the root": "UPDATE mnema_ranges SET entries = randomblob(length(entries)) WHERE level = 1",
};

for (const [what, sql] of Object.entries(DAMAGES)) {
  Deno.test(`damaged records give an answer or an error, and a rebuild repairs them: ${what}`, () => {
    using log = OpLog.open();
    insertRows(log, rowsOf("ascending times", 3000));
    catchUp(log);
    internalsOf(log).connection.execute(sql);
    const tolerate = (work: () => unknown) => {
      try {
        work();
      } catch (error) {
        assert(error instanceof FileError && error.code === "derived-damaged", Deno.inspect(error));
      }
    };
    for (let attempt = 0; attempt < 2; attempt++) {
      const opened = openRanges(log);
      tolerate(() => opened.read(({ size }) => size));
      for (const index of [0, 1, 1500, 2999]) {
        tolerate(() => opened.read((records) => index < records.size && records.at(index)));
        tolerate(() => opened.read((records) => records.sum(0, index)));
        tolerate(() => opened.read((records) => [...records.range(index, index + 300)]));
        tolerate(() => opened.read((records) => records.lowerBound({ timestamp: index, prefix: new Uint8Array(3) })));
      }
      insertRows(log, rowsOf("random times", 500, 5000 + 500 * attempt));
    }
    internalsOf(log).projections.rebuild([ranges]);
    assertRecords(log);
  });
}

Deno.test("an operation is among the records of a log however it was appended", async () => {
  using log = OpLog.open();
  log.record(Identity.generate(), "note", {});
  log.append(note("a"));
  await log.ingest([note("b")], { workers: 0 });
  assertRecords(log);
  assertEquals(catchUp(log), 3);
});
