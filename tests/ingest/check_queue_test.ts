import { assertEquals, assertRejects } from "@std/assert";
import type { CheckedBlock } from "../../src/ingest/check.ts";
import { CheckQueue } from "../../src/ingest/check_queue.ts";

const BLOCK: CheckedBlock = {
  bytes: new Uint8Array(),
  table: new Uint8Array(),
  at: new Uint32Array(),
  positions: 0,
  refusals: [],
};

Deno.test("blocks are taken in their order, whichever is checked first", async () => {
  const queue = new CheckQueue();
  const checks = Array.from({ length: 3 }, () => Promise.withResolvers<CheckedBlock>());
  checks.forEach(({ promise }) => queue.add(promise));
  assertEquals([queue.size, queue.unchecked, queue.isNextChecked], [3, 3, false]);

  checks[1].resolve({ ...BLOCK, positions: 2 });
  await checks[1].promise;
  assertEquals([queue.size, queue.unchecked, queue.isNextChecked], [3, 2, false]);

  const first = queue.take();
  assertEquals([queue.size, queue.unchecked, queue.isNextChecked], [2, 2, true]);
  checks[0].resolve({ ...BLOCK, positions: 1 });
  assertEquals([(await first).positions, queue.unchecked], [1, 1]);
  assertEquals((await queue.take()).positions, 2);
  checks[2].resolve(BLOCK);
  await queue.take();
  assertEquals([queue.size, queue.unchecked, queue.isNextChecked], [0, 0, false]);
});

Deno.test("a check that fails is thrown when its turn comes", async () => {
  const queue = new CheckQueue();
  queue.add(Promise.resolve(BLOCK));
  queue.add(Promise.reject(new Error("a worker died")));
  await Promise.resolve();
  assertEquals([queue.unchecked, queue.isNextChecked], [0, true]);
  await queue.take();
  await assertRejects(() => queue.take(), Error, "a worker died");
});
