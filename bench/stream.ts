/**
 * Measures a log on a stream of one `nats-server`, and in the same run the limits it is up against: the client alone with
 * the same payloads, and `ingest` from a file.
 *
 * `deno task bench:stream [SIZE] [--nodes 20] [--simulated 1000]`
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { jetstream } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { OpLog } from "../mod.ts";
import { type LogStream, stream } from "../stream.ts";
import { newStreamConfig } from "../src/stream/settings.ts";
import { subjectOf } from "../src/stream/subjects.ts";
import { NatsServer } from "../tests/stream/server.ts";
import { author, generate, writeLines } from "./generate.ts";
import { refuseUnknown } from "./options.ts";
import { cpuSeconds } from "./process.ts";

const options = parseArgs(Deno.args, {
  unknown: refuseUnknown,
  string: ["nodes", "simulated"],
  default: { nodes: "20", simulated: "1000" },
});
const size = Number(options._[0] ?? 200_000);
/** As many acknowledgements as the log waits for at a time. */
const OUTSTANDING = 256;
/** So many single operations are timed. */
const SAMPLES = 50;

const folder = Deno.makeTempDirSync({ prefix: "mnema-bench-" });
try {
  await using server = await NatsServer.start(`${folder}/server`);
  await measureRates(server);
  await measureLatency(server, Number(options.nodes));
  await simulate(server, Number(options.simulated));
} finally {
  Deno.removeSync(folder, { recursive: true });
}

async function measureRates(server: NatsServer): Promise<void> {
  const lines = `${folder}/ops.jsonl`;
  writeLines(lines, generate(size));
  using log = OpLog.open(`${folder}/log.db`);
  const ingest = await measure(async () => void await log.ingest((await Deno.open(lines)).readable));

  const connection = await connect({ servers: hostOf(server), noAsyncTraces: true });
  const manager = await jetstream(connection).jetstreamManager();
  await manager.streams.add(newStreamConfig("alone", 1));
  const publishAlone = await measure(() => publishAll(connection, log));
  const consumeAlone = await measure(() => consumeAll(connection));
  await connection.close();

  const settings = { servers: server.url, stream: "log", create: true, replicas: 1 };
  const publish = await measure(async () => {
    await using node = await stream(log, settings);
    await node.settled();
  });
  await Deno.remove(lines);
  const read = await readInChild(server, "log", size);

  console.log(`\n${size} operations: operations a second, and µs of this process an operation`);
  console.log(`ingest from a file       ${shown(ingest)}`);
  console.log(`publishing, client alone ${shown(publishAlone)}`);
  console.log(`consuming, client alone  ${shown(consumeAlone)}`);
  console.log(`publishing a log         ${shown(publish, publishAlone, ingest)}`);
  const consume = { rate: Math.round(size / read.seconds), cpu: read.cpuSeconds / size * 1e6 };
  console.log(`consuming into a log     ${shown(consume, consumeAlone, ingest)}`);

  const quarter = Math.floor(size / 4);
  using small = OpLog.open();
  await small.ingest(log.entries({ limit: quarter }).map(({ op }) => op));
  await using part = await stream(small, { ...settings, stream: "part" });
  await part.settled();
  const { megabytes } = await readInChild(server, "part", quarter);
  console.log(`memory of a node that reads ${quarter} and ${size}, MB   ${megabytes}, ${read.megabytes}`);
  console.log(`disk of the stream, bytes an operation   ${Math.round(sizeOf(`${server.store}`) / (2.25 * size))}`);
}

/** Publishes the operations of a log with the client alone. */
async function publishAll(connection: NatsConnection, log: OpLog): Promise<void> {
  const client = jetstream(connection);
  const outstanding = new Set<Promise<unknown>>();
  for (const { op } of log.entries()) {
    const sent = client.publish(subjectOf("alone", op.wire), op.wire, { msgID: op.opId });
    outstanding.add(sent);
    sent.finally(() => outstanding.delete(sent));
    if (outstanding.size >= OUTSTANDING) await Promise.race(outstanding);
  }
  await Promise.all(outstanding);
}

/** Reads them with the client alone. */
async function consumeAll(connection: NatsConnection): Promise<void> {
  const client = jetstream(connection);
  const manager = await client.jetstreamManager();
  const { name } = await manager.consumers.add("alone", { ack_policy: "none", mem_storage: true });
  const consumer = await client.consumers.get("alone", name);
  for await (const { info } of await consumer.consume({ max_messages: 1024 })) if (info.pending === 0) return;
}

/** Reads a stream into a new log, in a process of its own. */
async function readInChild(server: NatsServer, name: string, count: number) {
  const script = decodeURIComponent(new URL("stream_node.ts", import.meta.url).pathname);
  const args = ["run", "--quiet", "--allow-all", script, server.url, name, `${folder}/read-${name}.db`, String(count)];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const report: { seconds: number; cpuSeconds: number; megabytes: number } = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  return report;
}

/** Measures how long it takes until all of some nodes have an operation that one appends. */
async function measureLatency(server: NatsServer, count: number): Promise<void> {
  const logs = Array.from({ length: count }, (_, n) => OpLog.open(`${folder}/node-${n}.db`));
  const nodes: LogStream[] = [];
  for (const log of logs) {
    nodes.push(await stream(log, { servers: server.url, stream: "nodes", create: true, replicas: 1, workers: 0 }));
  }
  const times: number[] = [];
  for (let n = 0; n < SAMPLES; n++) {
    const arrivals = logs.map(async (log) => {
      for await (const _ of log.follow()) return;
    });
    const start = performance.now();
    logs[n % count].record(author(0), "note", { n });
    await Promise.all(arrivals);
    times.push(performance.now() - start);
  }
  console.log(
    `\n${count} nodes in one process: until all have an operation, ms, median and slowest   ${spread(times)}`,
  );
  for (const node of nodes) await node.close();
  for (const log of logs) log.close();
}

/** Measures how long it takes until many consumers of plain clients have a message: what a server does for many nodes. */
async function simulate(server: NatsServer, count: number): Promise<void> {
  const connections: NatsConnection[] = [];
  try {
    for (let n = 0; n < count; n++) connections.push(await connect({ servers: hostOf(server), noAsyncTraces: true }));
    const client = jetstream(connections[0]);
    const manager = await client.jetstreamManager();
    await manager.streams.add(newStreamConfig("many", 1));
    let arrived = 0;
    let done = Promise.withResolvers<void>();
    for (const connection of connections) {
      const { name } = await manager.consumers.add("many", { ack_policy: "none", mem_storage: true });
      const consumer = await jetstream(connection).consumers.get("many", name);
      await consumer.consume({
        max_messages: 128,
        callback: () => {
          if (++arrived === count) done.resolve();
        },
      });
    }
    const payload = [...generate(1)][0].wire;
    const times: number[] = [];
    for (let n = 0; n < SAMPLES; n++) {
      arrived = 0;
      done = Promise.withResolvers();
      const start = performance.now();
      await client.publish(subjectOf("many", payload), payload);
      await done.promise;
      times.push(performance.now() - start);
    }
    console.log(
      `\n${count} consumers without a log: until all have a message, ms, median and slowest   ${spread(times)}`,
    );
  } finally {
    await Promise.all(connections.map((connection) => connection.close()));
  }
}

function hostOf({ url }: NatsServer): string {
  return url.slice("nats://".length);
}

/** Operations a second, and the time of this process for each, in microseconds. */
interface Measured {
  rate: number;
  cpu: number;
}

async function measure(work: () => Promise<void>): Promise<Measured> {
  const [start, cpu] = [performance.now(), cpuSeconds()];
  await work();
  return {
    rate: Math.round(size / ((performance.now() - start) / 1000)),
    cpu: (cpuSeconds() - cpu) / size * 1e6,
  };
}

/** A measurement, and its part of the lowest of some limits. */
function shown({ rate, cpu }: Measured, ...limits: Measured[]): string {
  const lowest = Math.min(...limits.map(({ rate }) => rate));
  const part = limits.length === 0 ? "" : `   ${(rate / lowest).toFixed(2)} of the lower limit`;
  return `${String(rate).padStart(7)} ${cpu.toFixed(0).padStart(4)}${part}`;
}

function spread(times: number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  return [sorted[Math.floor(sorted.length / 2)], sorted[sorted.length - 1]].map((time) => time.toFixed(1)).join(", ");
}

/** The bytes of all files below a folder. */
function sizeOf(path: string): number {
  return Deno.readDirSync(path).reduce((sum, { name, isDirectory }) => {
    return sum + (isDirectory ? sizeOf(`${path}/${name}`) : Deno.statSync(`${path}/${name}`).size);
  }, 0);
}
