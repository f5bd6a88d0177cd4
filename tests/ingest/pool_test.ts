import { assert, assertEquals, assertRejects } from "@std/assert";
import { LogError } from "../../mod.ts";
import { CheckPool } from "../../src/ingest/pool.ts";
import { vectorLines } from "../operations.ts";

const lines = vectorLines();

Deno.test("a worker that dies is an error for everything that it was checking, and for what comes after", async () => {
  const pool = new CheckPool(2, 1 << 20, new URL("./children/dying_worker.ts", import.meta.url));
  const block = () => ({ texts: lines.slice(0, 400) });
  for (const result of await Promise.allSettled([pool.check(block()), pool.check(block()), pool.check(block())])) {
    assert(result.status === "rejected" && result.reason instanceof LogError);
    assertEquals(result.reason.code, "worker-failed");
  }
  assertEquals((await assertRejects(() => pool.check(block()), LogError)).code, "worker-failed");
  pool.close();
});

Deno.test("where no worker can start, the same work is done without", async () => {
  const pool = new CheckPool(2, 1 << 20, new URL("./children/no_such_worker.ts", import.meta.url));
  const blocks = [0, 1, 2].map((i) => pool.check({ texts: lines.slice(300 * i, 300 * (i + 1)) }));
  for (const { at, refusals } of await Promise.all(blocks)) assertEquals([at.length, refusals], [300, []]);
  pool.close();
});

Deno.test("a worker is used although its first message was lost", async () => {
  const pool = new CheckPool(1, 1 << 20, new URL("./children/unheard_worker.ts", import.meta.url));
  const blocks = [0, 1, 2].map((i) => pool.check({ texts: lines.slice(300 * i, 300 * (i + 1)) }));
  for (const { at, refusals } of await Promise.all(blocks)) assertEquals([at.length, refusals], [300, []]);
  assert(pool.depth > 0, "no worker was used");
  pool.close();
});

Deno.test("a worker that repeats that it has started is sent each block once", async () => {
  const pool = new CheckPool(1, 1 << 20, new URL("./children/repeating_worker.ts", import.meta.url));
  const blocks = [1, 2, 3].map((count) => pool.check({ texts: Array(300 * count).fill(lines[0]) }));
  assertEquals((await Promise.all(blocks)).map(({ positions }) => positions), [300, 600, 900]);
  assert(pool.depth > 0, "no worker was used");
  pool.close();
});
