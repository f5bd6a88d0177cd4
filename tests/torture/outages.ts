/**
 * Outages: a server of streams is killed at random moments while two logs publish and read, and started again with what it
 * has stored, or now and then with nothing.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { type LogStream, stream, type StreamOptions } from "../../stream.ts";
import { assertSame, TEAM, until, withClient } from "../stream/nodes.ts";
import { NatsServer, noServer } from "../stream/server.ts";
import { checkLog, Promised } from "./check.ts";
import { appendSlowly } from "./exchanges.ts";
import type { Context, Part, Step } from "./part.ts";
import type { Random } from "./random.ts";

/** Outages of a server of streams. */
export const outages: Part = {
  name: "outages",
  summary: "whenever a server of streams is killed, both logs come to hold what either has acknowledged, once",
  weight: 2,
  short: 1,
  long: 20,
  skipped: noServer ? "it needs a nats-server: on Debian, apt-get install nats-server" : undefined,
  run: (context) => context.each((step) => outlast(context, step)),
};

/** Kills of a server. */
const KILLS = 5;
/** How long a server works before it is killed, and is away, at most. */
const MAX_PAUSE_MS = 400;
/** How often a server comes back with nothing. */
const EMPTIED = 0.2;
/** Operations that are appended between two kills by each log, so that a busy machine does not skip an outage. */
const MIN_APPENDED = 3;

/** A log on the stream, and what it was promised. */
interface Side {
  readonly path: string;
  readonly log: OpLog;
  readonly promised: Promised;
  readonly tag: string;
  acknowledge(opIds: readonly string[]): void;
}

async function outlast(context: Context, { random, folder }: Step): Promise<void> {
  await using server = await NatsServer.start(`${folder}/server`);
  const sides = ["here", "there"].map((tag) => sideOf(folder, tag));
  try {
    await exchange(context, server, sides, random);
    assertSame(...sides.map(({ log }) => log));
  } finally {
    for (const { log } of sides) log.close();
  }
  for (const { path, promised } of sides) context.count("operations", await checkLog(path, promised));
}

/** Both append while the server comes and goes; then both have all, and so has the stream, each operation once. */
async function exchange(context: Context, server: NatsServer, sides: readonly Side[], random: Random): Promise<void> {
  const options: StreamOptions = {
    servers: server.url,
    stream: TEAM,
    create: true,
    replicas: 1,
    workers: 0,
    timeoutMs: 2000,
    checkMs: 200,
  };
  const [here, there] = sides;
  await using first = await stream(here.log, options);
  await using second = await stream(there.log, options);
  const ended = new AbortController();
  const work = sides.map((side) => keepAppending(side, random.fork(side.tag), ended.signal));
  try {
    for (let n = 0; n < KILLS; n++) {
      const goals = sides.map(({ promised }) => promised.opIds.size + MIN_APPENDED);
      await until("both append", () => sides.every(({ promised }, i) => promised.opIds.size >= goals[i]));
      await pause(random);
      await server.kill();
      const isEmptied = random.chance(EMPTIED);
      if (isEmptied) Deno.removeSync(server.store, { recursive: true });
      await pause(random);
      await server.start();
      context.count(isEmptied ? "kills of a server whose store is lost" : "kills of a server");
    }
  } finally {
    ended.abort();
    await Promise.all(work);
  }
  const all = here.promised.opIds.union(there.promised.opIds);
  const statuses = () => [first.status(), second.status()];
  await until("both logs have all", () => sides.every(({ log }) => log.size === all.size), statuses);
  await settle(first, second);
  for (const { promised } of sides) all.forEach((opId) => promised.opIds.add(opId));
  await withClient(server, async ({ manager }) => {
    const { state } = await manager.streams.info(TEAM);
    assertEquals(state.messages, all.size, "the stream does not have each operation once");
  });
  for (const { refused, error } of statuses()) assertEquals([refused, error], [0, undefined]);
}

function sideOf(folder: string, tag: string): Side {
  const path = `${folder}/${tag}.db`;
  const promised = new Promised();
  const acknowledge = (opIds: readonly string[]) => opIds.forEach((opId) => promised.opIds.add(opId));
  return { path, log: OpLog.open(path), promised, tag, acknowledge };
}

async function keepAppending(side: Side, random: Random, signal: AbortSignal): Promise<void> {
  for (let n = 0; !signal.aborted; n++) {
    await appendSlowly({ ...side, tag: `${side.tag}.${n}` }, random.fork(n), signal);
    await pause(random);
  }
}

async function settle(...streams: LogStream[]): Promise<void> {
  for (const each of streams) await each.settled();
}

function pause(random: Random): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, random.integer(MAX_PAUSE_MS)));
}
