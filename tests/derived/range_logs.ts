/** Logs of unsigned operations with chosen times and ids, for tests of their records. */

import { createHash } from "node:crypto";
import { assertEquals } from "@std/assert";
import { Operation, type OpLog } from "../../mod.ts";
import { fromHex, toHex } from "../../src/bytes.ts";
import { MemoryStorage } from "../../src/sync/negentropy/memory.ts";
import type { RecordStorage } from "../../src/sync/negentropy/storage.ts";
import { internalsOf } from "../../src/oplog.ts";
import { openRanges } from "../../src/sync/store.ts";

/** An operation of the right shape, signed by nobody. */
export function unsigned(ts: number, id: string): Operation {
  const [author, sig] = ["mnk_" + "a".repeat(64), "b".repeat(128)];
  return Operation.fromWire({ v: 1, type: "note", author, ts, prev: [], body: {}, sig, op_id: `op_${id}` });
}

const ids: string[] = [];

/** The nth id: in no order. */
export function idAt(n: number): string {
  return ids[n] ??= createHash("sha256").update(`id ${n}`).digest("hex");
}

/** Inserts rows without wire texts of their own: as fast as SQLite does it. */
export function insertRows(log: OpLog, rows: readonly { ts: number; id: string }[]): void {
  const { connection } = internalsOf(log);
  const list = JSON.stringify(rows.map(({ ts, id }) => [`op_${id}`, ts]));
  connection.query(
    "INSERT INTO ops (op_id, type, author, ts, wire) SELECT value ->> 0, 'note', 'a', value ->> 1, '' FROM json_each(?)",
  ).run(list);
}

/** The records of a log as its rows say. */
export function recordsOf(log: OpLog): MemoryStorage {
  const rows = internalsOf(log).connection.query("SELECT ts, op_id FROM ops").values<[number, string]>();
  return new MemoryStorage(rows.map(([ts, opId]) => (
    { timestamp: Math.min(Math.floor(ts / 1000), 2 ** 32 - 1), id: fromHex(opId.slice(3)) }
  )));
}

/** Asserts that the stored records are those of the rows, in every way that they are asked for. */
export function assertRecords(log: OpLog): void {
  const expected = recordsOf(log);
  openRanges(log).read((records) => assertSame(records, expected));
}

function assertSame(records: RecordStorage, expected: RecordStorage): void {
  const { size } = expected;
  assertEquals(records.size, size);
  const list = ({ timestamp, id }: { timestamp: number; id: Uint8Array }) => `${timestamp} ${toHex(id)}`;
  assertEquals(Array.from(records.range(0, size), list), Array.from(expected.range(0, size), list));
  const indexes = Array.from({ length: 20 }, (_, n) => Math.floor((n / 19) ** 2 * size));
  for (const begin of indexes) {
    for (const end of indexes) {
      if (begin <= end) assertEquals(records.sum(begin, end), expected.sum(begin, end), `${begin} to ${end}`);
    }
    if (begin === size) continue;
    const { timestamp, id } = expected.at(begin);
    assertEquals(records.at(begin), { timestamp, id });
    for (const length of [0, 1, 2, 31, 32]) {
      for (const bound of [{ timestamp, prefix: id.subarray(0, length) }, { timestamp: timestamp + 1, prefix: id }]) {
        assertEquals(records.lowerBound(bound), expected.lowerBound(bound));
      }
    }
  }
  assertEquals(records.lowerBound({ timestamp: Infinity, prefix: new Uint8Array() }), size);
  assertEquals(records.lowerBound({ timestamp: 0, prefix: new Uint8Array() }), 0);
}

/** The rows of the tree, to compare. */
export function storedNodes(log: OpLog): string[] {
  internalsOf(log).projections.prepare(); // nothing: only the tables are read
  return internalsOf(log).connection
    .query("SELECT level || ' ' || hex(low) || ' ' || hex(entries) FROM mnema_ranges ORDER BY level, low")
    .values<[string]>().flat();
}
