import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { FileError, OpLog } from "../../mod.ts";
import { internalsOf } from "../../src/oplog.ts";
import { type Position, Positions } from "../../src/stream/positions.ts";
import { withDatabase, withFolder } from "../folder.ts";
import { note } from "../operations.ts";
import { assertClean } from "./nodes.ts";

/** Runs `use` with the positions of a new log. */
function withPositions(use: (positions: Positions, log: OpLog) => void): void {
  using log = OpLog.open();
  const { connection, writer } = internalsOf(log);
  const positions = new Positions(connection, "team");
  writer.transaction(() => positions.prepare());
  positions.reset("today");
  use(positions, log);
}

Deno.test("ranges are the set of what was marked, in any order", () => {
  const ranges = fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 6 })), { maxLength: 20 });
  fc.assert(fc.property(ranges, (marks) => {
    withPositions((positions) => {
      const marked = new Set<number>();
      for (const [first, more] of marks) {
        positions.mark(first, first + more);
        for (let seq = first; seq <= first + more; seq++) marked.add(seq);
      }
      const gaps: number[] = [];
      for (let gap = positions.nextGap(0, 50); gap !== undefined; gap = positions.nextGap(gap.upTo, 50)) {
        for (let seq = gap.after + 1; seq <= gap.upTo; seq++) gaps.push(seq);
      }
      const all = Array.from({ length: 50 }, (_, i) => i + 1);
      assertEquals(gaps, all.filter((seq) => !marked.has(seq)));
      for (const seq of all) assertEquals(positions.rangeOf(seq) !== undefined, marked.has(seq));
    });
  }));
});

Deno.test("ranges that touch are one row", () => {
  withPositions((positions, log) => {
    for (const [first, last] of [[1, 2], [5, 6], [3, 4], [9, 9], [8, 8]]) positions.mark(first, last);
    const rows = internalsOf(log).connection.query("SELECT first, last FROM mnema_stream_ranges").values();
    assertEquals(rows, [[1, 6], [8, 9]]);
  });
});

Deno.test("a position is read as it was stored, and one that was discarded meanwhile is not stored again", () => {
  withPositions((positions, log) => {
    const position: Position = { created: "today", seq: 7, stamp: "12", waiting: [3, 5] };
    positions.move(position);
    assertEquals(positions.read(), position);
    log.rebuild();
    assertEquals(positions.read(), undefined);
    assertThrows(() => positions.move(position), FileError, "was discarded");
  });
});

/** Values that no version of this module has stored. */
const DAMAGED = [
  "UPDATE mnema_streams SET seq = -1",
  "UPDATE mnema_streams SET seq = 'x'",
  "UPDATE mnema_streams SET stamp = x'00'",
  "UPDATE mnema_streams SET waiting = '{}'",
  "UPDATE mnema_streams SET waiting = '['",
  "UPDATE mnema_streams SET waiting = '[1.5]'",
  `UPDATE mnema_streams SET waiting = '[${"1,".repeat(20_000)}1]'`,
];

Deno.test("a damaged position is none: the stream is read from its first message", () => {
  for (const sql of DAMAGED) {
    withPositions((positions, log) => {
      positions.move({ created: "today", seq: 7, stamp: "12", waiting: [] });
      internalsOf(log).connection.execute(sql);
      assertEquals([positions.read(), sql], [undefined, sql]);
    });
  }
});

Deno.test("tables of streams that are not as they are created are replaced", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    OpLog.open(path).close();
    withDatabase(path, (database) => database.exec("CREATE TABLE mnema_streams (x)"));
    using log = OpLog.open(path);
    const { connection, writer } = internalsOf(log);
    const positions = new Positions(connection, "team");
    writer.transaction(() => positions.prepare());
    assertEquals(positions.read(), undefined);
    positions.reset("today");
    assertEquals(positions.read()?.created, "today");
  });
});

Deno.test("an audit knows the tables of streams", async () => {
  await withFolder(async (folder) => {
    {
      using log = OpLog.open(`${folder}/log.db`);
      log.append(note("x"));
      const { connection, writer } = internalsOf(log);
      const positions = new Positions(connection, "team");
      writer.transaction(() => positions.prepare());
      positions.reset("today");
      positions.mark(1, 1);
    }
    await assertClean(folder, "log");
  });
});
