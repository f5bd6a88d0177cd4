import { Database } from "@db/sqlite";
import { headers } from "@nats-io/transport-node";
import { jetstream } from "@nats-io/jetstream";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { LogError, OpLog } from "../../mod.ts";
import { StreamError } from "../../stream.ts";
import { alice, bob, forged, missigned, note } from "../operations.ts";
import {
  assertClean,
  assertSame,
  idsOf,
  join,
  openLog,
  TEAM,
  until,
  untilStatus,
  withClient,
  withServer,
} from "./nodes.ts";
import { noServer } from "./server.ts";

const ignore = noServer;

Deno.test({
  name: "two logs on a stream have the same operations and claims, and new ones reach the other",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using a = openLog(folder, "a");
      using b = openLog(folder, "b");
      for (let n = 0; n < 50; n++) a.append(note(`a${n}`));
      const tea = a.claims.assert(alice, { key: "drink", value: "tea", inputs: [note("a1").opId] });
      b.append(note("b"));
      await using first = await join(a, server);
      await first.settled();
      await using second = await join(b, server);
      await second.settled();
      await first.settled();
      assertSame(a, b);
      assertEquals(b.claims.get(tea.opId).status, "active");

      b.record(bob, "claim.refute", { key: "drink", scope: "key" });
      await until("the refute arrives", () => a.size === b.size);
      assertSame(a, b);
      assertEquals([first.status().published, second.status().published], [51, 2]);
      assertEquals([first.status().phase, first.status().behind, first.status().unpublished], ["following", 0, 0]);
      await second.close();
      assertEquals(second.status().phase, "closed");
      await assertClean(folder, "b");
    }),
});

Deno.test({
  name: "the position is kept with the operations: a restart reads nothing twice and publishes nothing twice",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using a = openLog(folder, "a");
      using b = openLog(folder, "b");
      a.appendAll([note("1"), note("2"), note("3")]);
      for (const log of [a, b]) {
        await using node = await join(log, server);
        await node.settled();
      }
      a.append(note("4"));
      b.append(note("5"));
      for (const log of [a, b]) {
        await using node = await join(log, server);
        await node.settled();
        const { published, duplicates, position } = node.status();
        assertEquals([published, duplicates], [1, 0]);
        assertEquals(position, log === a ? 4 : 5);
      }
      {
        await using node = await join(a, server);
        await node.settled();
        const { received, known, published } = node.status();
        assertEquals([received, known, published], [1, 0, 0]);
      }
      assertSame(a, b);
    }),
});

Deno.test({
  name: "a log that meets a stream with its own operations publishes none of them again",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using a = openLog(folder, "a");
      using b = openLog(folder, "b");
      const ops = Array.from({ length: 20 }, (_, n) => note(`${n}`));
      a.appendAll(ops);
      b.appendAll(ops.toReversed());
      {
        await using node = await join(a, server);
        await node.settled();
      }
      await using node = await join(b, server);
      await node.settled();
      assertEquals([node.status().published, node.status().known], [0, 20]);
    }),
});

Deno.test({
  name: "messages that are no operations are refused with a code, and do not stop the stream",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using a = openLog(folder, "a");
      using b = openLog(folder, "b");
      a.append(note("before"));
      await using first = await join(a, server);
      await first.settled();
      const op = note("forged");
      await withClient(server, async ({ connection }) => {
        const client = jetstream(connection);
        for (
          const payload of [
            "",
            "not an operation",
            `${op.wire}\n${note("second line").wire}`,
            forged(op).wire,
            missigned(op, bob).wire,
            Uint8Array.of(0xff, 0xfe),
            "[".repeat(100_000),
          ]
        ) await client.publish(`${TEAM}.ops.0`, payload);
      });
      a.append(note("after"));
      await using second = await join(b, server, { workers: 1 });
      await second.settled();
      await first.settled();
      for (const node of [first, second]) {
        const { refused, refusals } = node.status();
        assertEquals(refused, 7);
        assertEquals(refusals["bad-address"], 1);
        assertEquals(refusals["bad-signature"], 1);
      }
      assertEquals(idsOf(b), [note("before").opId, note("after").opId].sort());
      assertSame(a, b);
    }),
});

Deno.test({
  name: "a message with the id of another operation does not keep that operation out",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using a = openLog(folder, "a");
      using b = openLog(folder, "b");
      await using first = await join(a, server);
      const op = note("wanted");
      await withClient(server, async ({ connection }) => {
        const named = headers();
        named.set("Nats-Msg-Id", op.opId); // the server takes the true one for a duplicate now
        await jetstream(connection).publish(`${TEAM}.ops.0`, "something else", { headers: named });
      });
      a.append(op);
      await first.settled();
      assertEquals(first.status().duplicates, 1);
      await using second = await join(b, server);
      await second.settled();
      assertEquals(idsOf(b), [op.opId]);
    }),
});

Deno.test({
  name: "an operation that comes before its parent waits for it, also over a restart",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using a = openLog(folder, "a");
      using b = openLog(folder, "b");
      const parent = note("parent");
      const child = note("child", [parent.opId]);
      {
        await using node = await join(a, server);
        await withClient(server, async ({ connection }) => {
          await jetstream(connection).publish(`${TEAM}.ops.0`, child.wire);
          await jetstream(connection).publish(`${TEAM}.ops.0`, note("other").wire);
        });
        await untilStatus(node, "the child waits", ({ pending, received }) => pending === 1 && received === 1);
      }
      await using node = await join(a, server);
      await node.settled();
      assertEquals([node.status().pending, node.status().received], [1, 0]);
      await withClient(server, async ({ connection }) => {
        await jetstream(connection).publish(`${TEAM}.ops.0`, parent.wire);
      });
      await untilStatus(node, "the child is appended", ({ pending, received }) => pending === 0 && received === 2);
      assertEquals(a.size, 3);
      await using second = await join(b, server);
      await second.settled();
      assertSame(a, b);
    }),
});

Deno.test({
  name: "an operation larger than the server takes stays local with its descendants, and others are published",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using a = openLog(folder, "a");
      using b = openLog(folder, "b");
      const large = note("x".repeat(5000));
      const child = note("child", [large.opId]);
      a.appendAll([note("1"), large, child, note("2")]);
      await using first = await join(a, server);
      await first.settled();
      const { unpublishable, heldBack, unpublished, published } = first.status();
      assertEquals(unpublishable.map(({ opId }) => opId), [large.opId]);
      assert(unpublishable[0].bytes > 5000);
      assertEquals([heldBack, unpublished, published], [1, 2, 2]);
      await using second = await join(b, server);
      await second.settled();
      assertEquals(idsOf(b), [note("1").opId, note("2").opId].sort());
    }, { config: "max_payload: 4096" }),
});

Deno.test({
  name: "a full stream refuses operations until its limit is raised, and is read meanwhile",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using a = openLog(folder, "a");
      using b = openLog(folder, "b");
      a.appendAll([note("1"), note("2"), note("3"), note("4")]);
      await withClient(server, async ({ manager }) => {
        await manager.streams.add({ name: TEAM, subjects: [`${TEAM}.ops.*`], max_msgs: 2, discard: "new" });
        await using first = await join(a, server);
        await assertRejects(() => first.settled(), StreamError, "raise its limits");
        await untilStatus(first, "two are in the stream", ({ unpublished }) => unpublished === 2);
        assertEquals(first.status().error?.code, "stream-full");
        await using second = await join(b, server);
        await untilStatus(second, "what is in the stream is read", ({ received }) => received === 2);
        await manager.streams.update(TEAM, { max_msgs: 10 });
        await until("the others are published", () => b.size === 4);
        await first.settled();
        assertEquals(first.status().error, undefined);
      });
      assertSame(a, b);
    }),
});

Deno.test({
  name: "settings that endanger operations are told",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using log = openLog(folder, "a");
      await withClient(server, async ({ manager }) => {
        await manager.streams.add({
          name: TEAM,
          subjects: [`${TEAM}.>`],
          storage: "memory",
          max_msgs: 5,
          discard: "old",
        });
      });
      await using node = await join(log, server);
      const codes = node.status().warnings.map(({ code }) => code);
      assertEquals(codes, ["one-replica", "memory-storage", "discards-old", "sync-interval"]);
    }),
});

Deno.test({
  name: "a stream that cannot carry operations is refused, and one that is not there",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using log = openLog(folder, "a");
      const missing = await assertRejects(() => join(log, server, { create: false }), StreamError);
      assertEquals([missing.code, missing.stream], ["no-stream", TEAM]);
      await withClient(server, async ({ manager }) => {
        await manager.streams.add({ name: "queue", subjects: ["queue.ops.*"], retention: "workqueue" });
        await manager.streams.add({ name: "other", subjects: ["other.*.x"] });
      });
      for (const name of ["queue", "other"]) {
        const { code } = await assertRejects(() => join(log, server, { stream: name }), StreamError);
        assertEquals(code, "bad-stream");
      }
    }),
});

Deno.test({
  name: "closing the log ends the stream with an error",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      const log = openLog(folder, "a");
      await using node = await join(log, server);
      await node.settled();
      log.close();
      await withClient(server, async ({ connection }) => {
        await jetstream(connection).publish(`${TEAM}.ops.0`, note("x").wire);
      });
      const { code } = await assertRejects(() => node.finished, LogError);
      assertEquals(code, "closed");
    }),
});

Deno.test({
  name: "a signal ends it, and what it has read stays",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using log = openLog(folder, "a");
      const stop = new AbortController();
      await using node = await join(log, server, { signal: stop.signal });
      await withClient(server, async ({ connection }) => {
        await jetstream(connection).publish(`${TEAM}.ops.0`, note("x").wire);
      });
      await until("it is read", () => log.size === 1);
      stop.abort();
      await node.finished;
      assertEquals([log.size, node.status().phase], [1, "closed"]);
    }),
});

Deno.test({
  name: "a log that is locked when reading begins does not keep the stream from going on, nor from its end",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using a = openLog(folder, "a");
      using b = OpLog.open(`${folder}/b.db`, { busyTimeoutMs: 20 });
      a.append(note("1"));
      await using first = await join(a, server);
      await first.settled();
      await using second = await join(b, server);
      const other = new Database(`${folder}/b.db`);
      try {
        other.exec("BEGIN IMMEDIATE");
        await untilStatus(second, "reading has failed", ({ phase, error }) => {
          return phase === "waiting" && error?.code === "locked";
        });
        other.exec("ROLLBACK");
      } finally {
        other.close();
      }
      await untilStatus(second, "the stream is read again", ({ received }) => received === 1);
      await second.settled();
      await second.close();
      assertSame(a, b);
    }),
});

Deno.test({
  name: "who waits until all is done, while the server is asked, is told that the stream was closed",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using log = openLog(folder, "a");
      await using node = await join(log, server);
      await node.settled();
      server.suspend();
      const waiting = assertRejects(() => node.settled(), LogError);
      await node.close();
      server.resume();
      assertEquals((await waiting).code, "closed");
    }),
});

Deno.test("a server that cannot be reached is an error", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `nats://127.0.0.1:${listener.addr.port}`;
  listener.close();
  using log = OpLog.open();
  const { code } = await assertRejects(() => join(log, { url }), StreamError);
  assertEquals(code, "unreachable");
});

Deno.test("wrong options are refused before anything is connected", async () => {
  using log = OpLog.open();
  const url = "nats://127.0.0.1:1";
  for (
    const options of [
      { stream: "two words" },
      { stream: "a.b" },
      { stream: "*" },
      { stream: "" },
      { servers: [] },
      { servers: "http://127.0.0.1:1" },
      { servers: "nats://user:password@127.0.0.1:1" },
      { servers: "127.0.0.1" },
      { replicas: 0 },
      { replicas: 6 },
      { timeoutMs: 0 },
      { workers: -1 },
    ]
  ) {
    const { code } = await assertRejects(() => join(log, { url }, options), LogError);
    assertEquals([code, options], ["invalid-argument", options]);
  }
});
