import { assertEquals } from "@std/assert";
import type { Appended } from "../../src/log/appended.ts";
import { AppendBuffer } from "../../src/derived/buffer.ts";

/** Appended operations of these `seq`. */
function appended(...seqs: number[]): Appended[] {
  return seqs.map((seq) => ({ seq, opId: `op_${seq}`, prev: [], leaf: new Uint8Array(32) }));
}

/** The `seq` of what the buffer gives. */
function since(buffer: AppendBuffer, after: number, last: number): number[] | undefined {
  return buffer.since(after, last)?.links.map(({ seq }) => seq);
}

Deno.test("the buffer gives what was appended after a seq, when it holds all of it up to the end of the log", () => {
  const buffer = new AppendBuffer();
  assertEquals([since(buffer, 0, 0), since(buffer, 0, 5), buffer.size], [undefined, undefined, 0]);
  buffer.add(appended(4));
  buffer.add(appended(5, 6));
  assertEquals(since(buffer, 3, 6), [4, 5, 6]);
  assertEquals(since(buffer, 5, 6), [6]);
  assertEquals(since(buffer, 2, 6), undefined, "seq 3 was appended elsewhere");
  assertEquals(since(buffer, 3, 7), undefined, "seq 7 was appended elsewhere");
  buffer.clear();
  assertEquals([since(buffer, 3, 6), buffer.size], [undefined, 0]);
});

Deno.test("operations that do not continue those in the buffer replace them", () => {
  const buffer = new AppendBuffer();
  for (const next of [[8, 9], [5, 6], [5, 6]]) {
    buffer.add(appended(4, 5));
    buffer.add(appended(...next));
    assertEquals([since(buffer, next[0] - 1, next[1]), buffer.size], [next, 2]);
    assertEquals(since(buffer, 3, next[1]), undefined);
  }
});

Deno.test("the buffer copies leaf hashes, whose memory is used again, and gives those after a seq", () => {
  const buffer = new AppendBuffer();
  const leaf = new Uint8Array(32);
  const count = 1500;
  for (let seq = 1; seq <= count; seq++) {
    leaf.fill(seq % 251);
    buffer.add([{ seq, opId: `op_${seq}`, prev: [], leaf }]);
  }
  for (const after of [0, 1, 511, 512, 1024, count - 1]) {
    const { leaves, links } = buffer.since(after, count)!;
    const expected = Array.from({ length: count - after }, (_, i) => (after + 1 + i) % 251);
    assertEquals([...leaves], expected.flatMap((byte) => Array(32).fill(byte)));
    assertEquals([links.length, links[0].seq], [count - after, after + 1]);
  }
});
