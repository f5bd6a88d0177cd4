import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { SeqRuns } from "../../src/sync/seq_runs.ts";

Deno.test("the numbers that were added are found, and no others, in ascending order", () => {
  fc.assert(fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 60 })), (numbers) => {
    const runs = new SeqRuns();
    for (const seq of numbers.toSorted((a, b) => a - b)) runs.add(seq);
    for (let seq = 1; seq <= 61; seq++) assertEquals(runs.take(seq), numbers.includes(seq));
  }));
});

Deno.test("numbers may be added while others are looked up", () => {
  const runs = new SeqRuns();
  runs.add(2);
  assertEquals([runs.take(1), runs.take(2)], [false, true]);
  runs.add(3);
  runs.add(5);
  assertEquals([3, 4, 5, 6].map((seq) => runs.take(seq)), [true, false, true, false]);
});
