import { jetstream } from "@nats-io/jetstream";
import { assert, assertEquals } from "@std/assert";
import { alice, note } from "../operations.ts";
import { assertSame, idsOf, join, openLog, TEAM, until, untilStatus, withClient, withServer } from "./nodes.ts";
import { noServer } from "./server.ts";

const ignore = noServer;

/** The ids of the operations in the stream, read by another client. */
async function publishedIds(server: { port: number }): Promise<string[]> {
  const ids: string[] = [];
  await withClient(server, async ({ manager }) => {
    const { state } = await manager.streams.info(TEAM);
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await manager.streams.getMessage(TEAM, { seq });
      ids.push(message!.json<{ op_id: string }>().op_id);
    }
  });
  return ids.sort();
}

Deno.test({
  name: "a lost connection is opened again, and what was appended meanwhile is exchanged",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using a = openLog(folder, "a");
      using b = openLog(folder, "b");
      await using first = await join(a, server);
      await using _second = await join(b, server);
      a.append(note("before"));
      await until("it arrives", () => b.size === 1);
      await server.kill();
      await untilStatus(first, "the connection is lost", ({ phase }) => phase === "waiting");
      assertEquals(first.status().error?.code, "unreachable");
      a.append(note("a meanwhile"));
      b.append(note("b meanwhile"));
      await server.start();
      await until("both have all", () => a.size === 3 && b.size === 3);
      await first.settled();
      assertSame(a, b);
      assert(first.status().disconnects > 0);
      assertEquals([first.status().error, first.status().losses], [undefined, 0]);
      assertEquals(await publishedIds(server), idsOf(a));
    }),
});

Deno.test({
  name: "a server that does not answer for a while delays, and loses nothing",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using a = openLog(folder, "a");
      using b = openLog(folder, "b");
      await using first = await join(a, server, { timeoutMs: 500 });
      await using second = await join(b, server, { timeoutMs: 500 });
      for (let n = 0; n < 500; n++) a.append(note(`${n}`));
      server.suspend();
      a.append(note("while it does not answer"));
      await untilStatus(first, "it gives up waiting", ({ phase }) => phase === "waiting");
      assert(first.status().outstanding <= 256);
      server.resume();
      await until("all arrive", () => b.size === 501);
      await first.settled();
      await second.settled();
      assertSame(a, b);
    }),
});

Deno.test({
  name: "a stream that is deleted and created again gets everything back from the nodes",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using a = openLog(folder, "a");
      using b = openLog(folder, "b");
      a.appendAll([note("1"), note("2")]);
      b.append(note("3"));
      await using first = await join(a, server);
      await using second = await join(b, server);
      await until("both have all", () => a.size === 3 && b.size === 3);
      await withClient(server, async ({ manager }) => {
        await manager.streams.delete(TEAM);
      });
      a.append(note("4"));
      await until("it arrives over the new stream", () => b.size === 4);
      await first.settled();
      await second.settled();
      assertEquals(await publishedIds(server), idsOf(a));
      assertEquals([first.status().losses, first.status().lastLoss], [1, "recreated"]);
      assertSame(a, b);
    }),
});

Deno.test({
  name: "a stream that is deleted while nobody looks, and has other messages now, is read from its first",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using a = openLog(folder, "a");
      using b = openLog(folder, "b");
      a.appendAll([note("1"), note("2")]);
      {
        await using node = await join(a, server);
        await node.settled();
      }
      await withClient(server, async ({ manager }) => {
        await manager.streams.delete(TEAM);
      });
      b.appendAll([note("3"), note("4"), note("5")]);
      await using second = await join(b, server);
      await second.settled();
      await using first = await join(a, server);
      await first.settled();
      await second.settled();
      assertSame(a, b);
      assertEquals(await publishedIds(server), idsOf(a));
    }),
});

Deno.test({
  name: "a server that lost its newest messages gets them again, also when it has taken as many others since",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using a = openLog(folder, "a");
      using b = openLog(folder, "b");
      using c = openLog(folder, "c");
      a.append(note("old"));
      {
        await using node = await join(a, server);
        await node.settled();
        await server.kill();
        server.saveTo(`${folder}/saved`);
        await server.start();
        a.appendAll([note("lost 1"), note("lost 2")]);
        await untilStatus(node, "they are published", ({ unpublished }) => unpublished === 0);
      }
      await server.kill();
      server.restoreFrom(`${folder}/saved`);
      await server.start();
      await withClient(server, async ({ connection, manager }) => {
        await until("the stream is back", async () => {
          try {
            return (await manager.streams.info(TEAM)).state.last_seq === 1;
          } catch {
            return false;
          }
        });
        c.appendAll([note("new 1"), note("new 2")]);
        for (const { op } of c.entries()) await jetstream(connection).publish(`${TEAM}.ops.8`, op.wire);
      });
      await using first = await join(a, server);
      await first.settled();
      assertEquals([first.status().losses, first.status().lastLoss], [1, "replaced"]);
      await using second = await join(b, server);
      await second.settled();
      assertSame(a, b);
      assertEquals(b.size, 5);
      assertEquals(await publishedIds(server), idsOf(a));
    }),
});

Deno.test({
  name: "a loss is noticed while the connection stays",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using a = openLog(folder, "a");
      a.appendAll([note("1"), note("2")]);
      await withClient(server, async ({ manager }) => {
        await manager.streams.add({ name: TEAM, subjects: [`${TEAM}.ops.*`] });
      });
      await using node = await join(a, server, { checkMs: 50 });
      await node.settled();
      await withClient(server, async ({ manager }) => {
        await manager.streams.deleteMessage(TEAM, 2);
      });
      await untilStatus(node, "it is read again", ({ losses }) => losses > 0);
      await until("the second is published again", async () => (await publishedCount(server)) === 2);
      await node.settled();
      assertEquals(node.status().unpublished, 0);
    }),
});

async function publishedCount(server: { port: number }): Promise<number> {
  let messages = 0;
  await withClient(server, async ({ manager }) => {
    ({ state: { messages } } = await manager.streams.info(TEAM));
  });
  return messages;
}

Deno.test({
  name: "after a rebuild the stream is read again, and nothing is published again",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using a = openLog(folder, "a");
      a.claims.assert(alice, { key: "drink", value: "tea", inputs: [] });
      {
        await using node = await join(a, server);
        await node.settled();
      }
      a.rebuild();
      await using node = await join(a, server);
      await node.settled();
      assertEquals([node.status().known, node.status().published], [1, 0]);
      a.rebuild(); // while it is connected
      a.append(note("after"));
      await until("it is published", async () => (await publishedCount(server)) === 2);
    }),
});

Deno.test({
  name: "who waits until all is settled does not notice that somebody rebuilds the log meanwhile",
  ignore,
  fn: () =>
    withServer(async (server, folder) => {
      using a = openLog(folder, "a");
      await using node = await join(a, server);
      await node.settled();
      a.rebuild();
      a.append(note("after"));
      await node.settled();
      assertEquals([node.status().disconnects, await publishedCount(server)], [0, 1]);
    }),
});
