import { assertEquals } from "@std/assert";
import type { Operation, OpLog } from "../../mod.ts";
import { type LogStream, StreamError } from "../../stream.ts";
import { withFolder } from "../folder.ts";
import { alice, bob } from "../operations.ts";
import { assertClean, assertSame, claimsOf, join, openLog, TEAM, until, withClient } from "./nodes.ts";
import { freePorts, NatsServer, noServer } from "./server.ts";

const NODES = ["a", "b", "c", "d", "e"];
const ROUNDS = 30;

/** A cluster of three servers. */
async function startCluster(folder: string): Promise<NatsServer[]> {
  const ports = freePorts(3);
  return await Promise.all(ports.map((port, i) => {
    const routes = [port, ...ports.toSpliced(i, 1)];
    return NatsServer.start(`${folder}/s${i}`, { cluster: { name: `s${i}`, routes } });
  }));
}

/** Whether all replicas of the stream are up to date, as a server sees them. */
async function isWhole(server: NatsServer): Promise<boolean> {
  let isWhole = false;
  try {
    await withClient(server, async ({ manager }) => {
      const { cluster } = await manager.streams.info(TEAM);
      isWhole = cluster?.leader !== undefined && cluster.replicas?.length === 2 &&
        cluster.replicas.every(({ current, offline }) => current && !offline);
    });
  } catch {
    return false; // no leader is elected yet
  }
  return isWhole;
}

/** Joins once the cluster answers: for a while it has no leader. */
async function joinEventually(...args: Parameters<typeof join>): Promise<LogStream> {
  let joined: LogStream | undefined;
  await until("the cluster has the stream", async () => {
    try {
      joined = await join(...args);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
    }
    return joined !== undefined;
  });
  return joined!;
}

/** Appends some evidence and a claim on it, as each node does all the time. */
function appendSome(log: OpLog, name: string, round: number): Operation[] {
  const content = { name, round };
  const evidence = log.record(alice, "evidence.add", { source: name, kind: "event", content });
  const draft = { key: `${name}.${round % 5}`, value: round, inputs: [evidence.opId] };
  return [evidence, log.claims.assert(bob, draft)];
}

Deno.test({
  name: "five nodes on three servers, of which one is killed and then another, converge without losing anything",
  ignore: noServer,
  fn: () =>
    withFolder(async (folder) => {
      const servers = await startCluster(folder);
      const urls = servers.map(({ url }) => url);
      const logs = NODES.map((name) => openLog(folder, name));
      const nodes: LogStream[] = [];
      try {
        const options = { servers: urls, replicas: 3, timeoutMs: 1000 };
        for (const log of logs) nodes.push(await joinEventually(log, servers[0], options));
        const appended: string[] = [];
        const append = (round: number) => {
          for (const [i, log] of logs.entries()) {
            appended.push(...appendSome(log, NODES[i], round).map(({ opId }) => opId));
          }
        };
        const spread = (count: number) =>
          until("they arrive", () => logs.every((log) => log.size >= count), () => nodes.map((node) => node.status()));
        let round = 0;
        for (; round < ROUNDS / 3; round++) append(round);
        await servers[0].kill();
        for (; round < 2 * ROUNDS / 3; round++) append(round);
        await spread(appended.length);
        await servers[0].start();
        await until("three servers have the stream again", () => isWhole(servers[1]));
        await servers[1].kill();
        for (; round < ROUNDS; round++) append(round);
        await spread(appended.length);
        await servers[1].start();
        await until("all is settled", async () => {
          try {
            for (const node of nodes) await node.settled();
            return true;
          } catch {
            return false; // a connection was lost meanwhile
          }
        });
        assertSame(...logs);
        for (const log of logs) for (const opId of appended) assertEquals(log.has(opId), true);

        using rebuilt = openLog(folder, "new");
        {
          await using node = await joinEventually(rebuilt, servers[2], { ...options, create: false });
          await node.settled();
        }
        assertSame(logs[0], rebuilt);
        assertEquals(claimsOf(rebuilt), claimsOf(logs[0]));
      } finally {
        for (const node of nodes) await node.close();
        for (const log of logs) log.close();
        for (const server of servers) await server.kill();
      }
      for (const name of [...NODES, "new"]) await assertClean(folder, name);
    }),
});
