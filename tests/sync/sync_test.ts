import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { FileError, LogError, OpLog } from "../../mod.ts";
import { channelPair, runSession, sync, type SyncStatus } from "../../sync.ts";
import { withDatabase, withFolder } from "../folder.ts";
import { alice, bob, causalShuffle, note, vectorOperations } from "../operations.ts";
import { runs } from "../runs.ts";
import { assertEqualLogs } from "./channels.ts";

Deno.test("two logs of one process are synchronized, and the totals are those of the first", async () => {
  using a = OpLog.open();
  using b = OpLog.open();
  a.record(alice, "note", {});
  const report = await sync(a, b, { direction: "pull" });
  assertEquals([report.sent.operations, b.size], [0, 0]);
  const { sent } = await sync(a, b);
  assertEquals(sent, { operations: 1, new: 1, known: 0, refused: 0, pending: 0, refusals: {} });
  assertEqualLogs(a, b);
});

Deno.test("whatever each log holds, and in whatever order they meet, all end with the union", async () => {
  const ops = vectorOperations().slice(0, 120);
  const shuffled = (random: () => number) => causalShuffle(ops, (limit) => Math.floor(random() * limit));
  const log = fc.integer({ min: 0, max: 2 });
  await fc.assert(
    fc.asyncProperty(
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      fc.array(log),
      async (numbers, meetings) => {
        const random = () => numbers.next().value;
        const logs = [0, 1, 2].map(() => OpLog.open());
        try {
          for (const log of logs) {
            log.appendAll(shuffled(random).slice(0, Math.floor(random() * ops.length)), {
              verify: false,
            });
          }
          const union = new Set(logs.flatMap((log) => [...log.entries()].map(({ op }) => op.opId)));
          for (const n of meetings) await sync(logs[n], logs[(n + 1) % 3]);
          for (const n of [0, 1, 0]) await sync(logs[n], logs[n + 1]);
          assertEquals(logs[0].size, union.size);
          assertEqualLogs(...logs);
        } finally {
          for (const log of logs) log.close();
        }
      },
    ),
    { numRuns: runs(20) },
  );
});

Deno.test("a log is synchronized with itself, which changes nothing", async () => {
  using log = OpLog.open();
  log.record(alice, "note", {});
  const { sent, received } = await sync(log, log);
  assertEquals([sent.operations, received.operations], [0, 0]);
});

Deno.test("the status goes through the phases, and behind counts down", async () => {
  using a = OpLog.open();
  using b = OpLog.open();
  for (let n = 0; n < 30; n++) b.record(bob, "note", { n });
  const statuses: SyncStatus[] = [];
  const limits = { operationsInFlight: 10 };
  const report = await sync(a, b, { limits, onStatus: (status) => statuses.push(status) });
  const phases = statuses.map(({ phase }) => phase);
  assertEquals([...new Set(phases)], ["handshake", "reconcile", "transfer", "done"]);
  assertEquals([...new Set(statuses.map(({ behind }) => behind))], [0, 30, 20, 10]);
  const { phase: _, behind: __, ...last } = statuses.at(-1)!;
  assertEquals(last, report);
});

Deno.test("two logs of one process follow each other until the signal aborts", async () => {
  using a = OpLog.open();
  using b = OpLog.open();
  const controller = new AbortController();
  const following = sync(a, b, {
    follow: true,
    signal: controller.signal,
    onStatus: ({ phase, received }) => {
      if (phase === "follow" && b.size === 0) b.record(bob, "note", {});
      if (received.new === 1) controller.abort();
    },
  });
  assertEquals((await following).received.new, 1);
});

Deno.test("what one of the logs throws is thrown, whichever it is", () =>
  withFolder(async (folder) => {
    OpLog.open(`${folder}/b.db`).close();
    using a = OpLog.open();
    a.record(alice, "note", {});
    using b = OpLog.open(`${folder}/b.db`, { readonly: true });
    for (const [x, y] of [[a, b], [b, a]]) {
      const error = await assertRejects(() => sync(x, y), FileError);
      assertEquals(error.code, "read-only");
    }
    const { received } = await sync(b, a, { direction: "push" });
    assertEquals(received.operations, 0);
  }));

Deno.test("options that are none are refused, and the channel is closed", async () => {
  using log = OpLog.open();
  const cases: object[] = [
    { role: "server" },
    { direction: "up" },
    { allow: [] },
    { acceptAuthor: true },
    { onStatus: 1 },
    { limits: { rounds: 0 } },
    { limits: { maxMessageBytes: 1000 } },
    { limits: { idleMs: 0.5 } },
    { limits: 3 },
  ];
  for (const wrong of cases) {
    const [here, there] = channelPair();
    const options = { signer: alice, role: "initiator" as const, ...wrong };
    const error = await assertRejects(() => runSession(log, here, options), LogError);
    assertEquals(error.code, "invalid-argument");
    assertEquals(await there.receive(), undefined);
  }
});

Deno.test("a signal that has aborted before ends the session before it begins", async () => {
  using log = OpLog.open();
  const [here, there] = channelPair();
  const signal = AbortSignal.abort(new Error("too late"));
  await assertRejects(() => runSession(log, here, { signer: alice, role: "initiator", signal }), Error, "too late");
  assertEquals(await there.receive(), undefined);
});

Deno.test("an operation with a text beyond ASCII and one of a megabyte arrive as they are", async () => {
  using a = OpLog.open();
  using b = OpLog.open();
  for (const text of ["é𝄞\u0000\n", "x".repeat((1 << 20) - 600), "é".repeat(400_000)]) a.append(note(text));
  const { sent } = await sync(a, b);
  assertEquals(sent.new, 3);
  assertEquals([...a.entries()].map(({ op }) => op.wire), [...b.entries()].map(({ op }) => op.wire));
});

Deno.test("a damaged text that would break the lines of a message is not sent, and stops nothing else", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.db`;
    {
      using log = OpLog.open(path);
      log.record(alice, "note", {}, { prev: [] });
    }
    withDatabase(path, (database) => {
      for (const wire of ["{}\n{}", "{}\r", ""]) {
        const id = `op_${crypto.getRandomValues(new Uint8Array(32)).toHex()}`;
        database.exec("INSERT INTO ops (op_id, type, author, ts, wire) VALUES (?, 'note', 'mnk_', 0, ?)", id, wire);
      }
    });
    using a = OpLog.open(path);
    a.record(alice, "note", { n: 2 }, { prev: [] });
    using b = OpLog.open();
    const { sent } = await sync(a, b);
    assertEquals([sent.operations, sent.new, sent.refusals], [5, 2, { "bad-shape": 3 }]);
  }));
