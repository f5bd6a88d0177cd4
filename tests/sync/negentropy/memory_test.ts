import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { fromHex, toHex } from "../../../src/bytes.ts";
import { compareBounds, isBefore } from "../../../src/sync/negentropy/storage.ts";
import { arbitrarySets, recordAt, storageOf } from "./records.ts";

Deno.test("records are sorted by timestamp, then by id, and a repeated one counts once", () => {
  const record = (timestamp: number, byte: number) => ({ timestamp, id: new Uint8Array(32).fill(byte) });
  const storage = storageOf([record(2, 1), record(1, 9), record(2, 0), record(1, 9)]);
  assertEquals([...storage.range(0, storage.size)], [record(1, 9), record(2, 0), record(2, 1)]);
});

Deno.test("a sum is that of the ids as little-endian numbers modulo 2^256", () => {
  const number = ({ id }: { id: Uint8Array }) => BigInt("0x" + toHex(id.toReversed()));
  fc.assert(fc.property(arbitrarySets(300), fc.nat(300), fc.nat(300), ({ here }, a, b) => {
    const storage = storageOf(here);
    const [begin, end] = [a, b].map((index) => Math.min(index, storage.size)).sort((a, b) => a - b);
    const sum = Array.from(storage.range(begin, end), number).reduce((sum, id) => (sum + id) % 2n ** 256n, 0n);
    assertEquals(storage.sum(begin, end), fromHex(sum.toString(16).padStart(64, "0")).reverse());
  }));
});

Deno.test("a search finds the first record that is not before a bound", () => {
  const storage = storageOf(Array.from({ length: 200 }, (_, n) => recordAt(n, 50)));
  const records = [...storage.range(0, storage.size)];
  for (const { timestamp, id } of records) {
    for (let length = 0; length <= 32; length += 4) {
      const bound = { timestamp, prefix: id.subarray(0, length) };
      const index = records.findIndex((record) => !isBefore(record, bound));
      assertEquals([storage.lowerBound(bound), storage.lowerBound(bound, index)], [index, index]);
    }
  }
  assertEquals(storage.lowerBound({ timestamp: Infinity, prefix: new Uint8Array() }), 200);
});

Deno.test("bounds are in order by timestamp, then by prefix, the shorter first, and the end is last", () => {
  const bounds = [[0, ""], [0, "00"], [0, "0000"], [0, "01"], [7, ""], [Infinity, ""]] as const;
  const decoded = bounds.map(([timestamp, prefix]) => ({ timestamp, prefix: fromHex(prefix) }));
  decoded.forEach((a, i) => decoded.forEach((b, j) => assertEquals(Math.sign(compareBounds(a, b)), Math.sign(i - j))));
});
