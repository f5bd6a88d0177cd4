import { assert, assertEquals, assertThrows } from "@std/assert";
import { LogError, OpLog } from "../../mod.ts";
import { internalsOf } from "../../src/oplog.ts";
import { fromHex, toHex } from "../../src/bytes.ts";
import { openRanges } from "../../src/sync/store.ts";
import { initiate, reconcile, respond } from "../../src/sync/negentropy/negentropy.ts";
import { contentsOf, withDatabase, withFolder } from "../folder.ts";
import { alice } from "../operations.ts";
import { assertRecords, idAt, insertRows } from "../derived/range_logs.ts";

const rows = (count: number, lacking: readonly number[] = []) =>
  Array.from({ length: count }, (_, n) => n).filter((n) => !lacking.includes(n))
    .map((n) => ({ ts: 1_700_000_000_000 + n * 137, id: idAt(n) }));

/** Reconciles two logs as two nodes would. */
function reconcileLogs(here: OpLog, there: OpLog, frameLimit?: number): { have: string[]; need: string[] } {
  const [ours, theirs] = [openRanges(here), openRanges(there)];
  const [have, need] = [new Set<string>(), new Set<string>()];
  let message: Uint8Array | undefined = ours.read(initiate);
  for (let rounds = 0; message !== undefined; rounds++) {
    const question: Uint8Array = message;
    const answer = theirs.read((records) => respond(records, question, { frameLimit }));
    const result = ours.read((records) => reconcile(records, answer, { frameLimit }));
    result.have.forEach((id) => have.add(toHex(id)));
    result.need.forEach((id) => need.add(toHex(id)));
    message = result.reply;
    assert(rounds < 100);
  }
  return { have: [...have].sort(), need: [...need].sort() };
}

Deno.test("two logs find what each lacks, and an empty one that it lacks everything", () => {
  using here = OpLog.open();
  using there = OpLog.open();
  const [onlyThere, onlyHere] = [[3, 700, 4999], [0, 1, 2, 2500]];
  insertRows(here, rows(5000, onlyThere));
  insertRows(there, rows(5000, onlyHere));
  const ids = (list: number[]) => list.map(idAt).sort();
  for (const frameLimit of [4096, undefined]) {
    assertEquals(reconcileLogs(here, there, frameLimit), { have: ids(onlyHere), need: ids(onlyThere) });
  }
  using empty = OpLog.open();
  assertEquals(reconcileLogs(empty, there).need.length, 4996);
  assertEquals(reconcileLogs(there, empty).have.length, 4996);
  assertEquals(reconcileLogs(empty, empty), { have: [], need: [] });
});

Deno.test("a record is the whole second and the id of an operation", () => {
  using log = OpLog.open();
  const op = log.record(alice, "note", {}, { ts: 1_700_000_000_999 });
  assertEquals(openRanges(log).read((records) => records.at(0)), {
    timestamp: 1_700_000_000,
    id: fromHex(op.opId.slice(3)),
  });
});

Deno.test("what is appended between two reads is in the second, and not in the first", () => {
  using log = OpLog.open();
  insertRows(log, rows(10));
  const ranges = openRanges(log);
  ranges.read((records) => {
    insertRows(log, rows(12).slice(10));
    assertEquals([records.size, ranges.size], [10, 10]);
  });
  assertEquals(ranges.read(({ size }) => size), 12);
});

Deno.test("the records of an empty log are none, also where it cannot be written", () => {
  withFolder((folder) => {
    OpLog.open(`${folder}/log.db`).close();
    for (const readonly of [true, false]) {
      using log = OpLog.open(`${folder}/log.db`, { readonly });
      const ranges = openRanges(log);
      assertEquals(ranges.read((records) => [records.size, [...records.range(0, 0)]]), [0, []]);
      assertEquals(ranges.read((records) => records.sum(0, 0)), new Uint8Array(32));
      assertEquals(ranges.read((records) => records.lowerBound({ timestamp: 5, prefix: new Uint8Array() })), 0);
    }
  });
});

Deno.test("the records of a readonly log are read, caught up or not, and the file stays as it was", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    const append = (from: number, to: number, caughtUp: boolean) => {
      using log = OpLog.open(path);
      insertRows(log, rows(to).slice(from));
      if (caughtUp) assertRecords(log);
    };
    for (const [from, to, caughtUp] of [[0, 700, false], [700, 1000, true], [1000, 1100, false]] as const) {
      append(from, to, caughtUp);
      const before = contentsOf(folder)["log.db"];
      using log = OpLog.open(path, { readonly: true });
      assertRecords(log);
      assertEquals(contentsOf(folder)["log.db"], before);
    }
  });
});

Deno.test("the records of a log that another program has locked are read", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    using log = OpLog.open(path, { busyTimeoutMs: 0 });
    insertRows(log, rows(300));
    withDatabase(path, (database) => {
      database.exec("BEGIN IMMEDIATE");
      assertRecords(log);
      database.exec("ROLLBACK");
    });
    assertRecords(log);
  });
});

Deno.test("records are used within a read alone", () => {
  using log = OpLog.open();
  const ranges = openRanges(log);
  const error = assertThrows(() => ranges.size, LogError);
  assertEquals(error.code, "invalid-argument");
  assertThrows(() => ranges.read(() => internalsOf(log).connection.query("no SQL").value()), LogError);
  assertThrows(() => ranges.size, LogError);
});

Deno.test("a read may be within another", () => {
  using log = OpLog.open();
  insertRows(log, rows(5));
  const ranges = openRanges(log);
  assertEquals(ranges.read((outer) => ranges.read((inner) => inner.size) + outer.size), 10);
});
