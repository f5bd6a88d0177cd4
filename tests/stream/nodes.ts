/**
 * Logs on a stream, for tests with real servers.
 *
 * @module
 */

import { jetstream, type JetStreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { assertEquals } from "@std/assert";
import { audit, OpLog } from "../../mod.ts";
import { type LogStream, stream, type StreamOptions, type StreamStatus } from "../../stream.ts";
import { withFolder } from "../folder.ts";
import { NatsServer, type ServerOptions } from "./server.ts";

/** The stream of all tests. */
export const TEAM = "team";

const DEADLINE_MS = 120_000;
const POLL_MS = 10;

/** Waits until a condition holds. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  describe: () => unknown = () => "",
): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!await holds()) {
    if (Date.now() > deadline) throw new Error(`not within ${DEADLINE_MS} ms: ${what} ${Deno.inspect(describe())}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Runs `use` with a server, and a folder for logs. */
export function withServer(
  use: (server: NatsServer, folder: string) => Promise<void>,
  options: ServerOptions = {},
): Promise<void> {
  return withFolder(async (folder) => {
    await using server = await NatsServer.start(`${folder}/server`, options);
    await use(server, folder);
  });
}

/** Opens a log that does not wait for the disk. */
export function openLog(folder: string, name: string): OpLog {
  return OpLog.open(`${folder}/${name}.db`, { durability: "normal" });
}

/** Connects a log to the stream of the tests. */
export function join(log: OpLog, server: { url: string }, options: Partial<StreamOptions> = {}): Promise<LogStream> {
  const defaults = { servers: server.url, stream: TEAM, create: true, replicas: 1, workers: 0 };
  return stream(log, { ...defaults, timeoutMs: 2000, checkMs: 200, ...options });
}

/** Waits for a status. */
export function untilStatus(node: LogStream, what: string, holds: (status: StreamStatus) => boolean): Promise<void> {
  return until(what, () => holds(node.status()));
}

/** The ids of all operations of a log. */
export function idsOf(log: OpLog): string[] {
  return [...log.entries()].map(({ op }) => op.opId).sort();
}

/** The claims of a log, as text. */
export function claimsOf(log: OpLog): string {
  return JSON.stringify([...log.claims.query()]);
}

/** Asserts that logs have the same operations and the same claims. */
export function assertSame(...logs: OpLog[]): void {
  const [first, ...others] = logs;
  for (const log of others) {
    assertEquals(idsOf(log), idsOf(first));
    assertEquals(claimsOf(log), claimsOf(first));
  }
}

/** Asserts that an audit of a log finds nothing. */
export async function assertClean(folder: string, name: string): Promise<void> {
  const { findings, unchecked, clean } = await audit(`${folder}/${name}.db`, { workers: 0 });
  assertEquals([findings, unchecked, clean], [[], [], true]);
}

/** Runs `use` with a plain client of a server, such as an attacker has. */
export async function withClient(
  server: { port: number },
  use: (client: { connection: NatsConnection; manager: JetStreamManager }) => Promise<void>,
): Promise<void> {
  const connection = await connect({ servers: `127.0.0.1:${server.port}`, reconnect: false });
  try {
    await use({ connection, manager: await jetstream(connection).jetstreamManager() });
  } finally {
    await connection.close();
  }
}
