import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { LogError } from "../../mod.ts";
import { type Channel, openWebSocket, type SessionLimits, streamChannel, SyncError } from "../../sync.ts";
import { HttpServer } from "../../src/sync/http.ts";
import { completeLimits } from "../../src/sync/limits.ts";
import { webSocketAcceptor } from "../../src/sync/websocket.ts";
import type { ConnectedPair } from "./channels.ts";
import { testScenarios } from "./scenarios.ts";

/** The limits of both ends. */
export type Limits = Partial<SessionLimits>;

/** A WebSocket over a server on loopback, whose end is the responder. */
export async function webSocketPair(limits?: Limits): Promise<ConnectedPair> {
  const accepted = Promise.withResolvers<Channel>();
  const accept = await webSocketAcceptor(completeLimits(limits).maxMessageBytes);
  const server = await HttpServer.listen({
    hostname: "127.0.0.1",
    port: 0,
    maxConnections: 10,
    handler: () => new Response(),
    onUpgrade: (request, socket, head) => accept(request, socket, head, accepted.resolve),
  });
  const initiator = await openWebSocket(new URL(`ws://127.0.0.1:${server.address.port}/`), { limits });
  const responder = await accepted.promise;
  return {
    initiator,
    responder,
    async close() {
      await Promise.all([initiator.close(), responder.close()]);
      await server.close(1000);
    },
  };
}

/** Two pairs of byte streams, as between a command and the one that started it. */
export function streamPair(limits?: Limits): Promise<ConnectedPair> {
  const [forth, back] = [pipe(), pipe()];
  const initiator = streamChannel(back.readable, forth.writable, { limits });
  const responder = streamChannel(forth.readable, back.writable, { limits });
  const close = async () => {
    await Promise.all([initiator.close(), responder.close()]);
  };
  return Promise.resolve({ initiator, responder, close });
}

/** A stream that holds some chunks until they are read, as a pipe of the system does. */
function pipe(): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({}, { highWaterMark: 1 }, { highWaterMark: 4 });
}

/** Runs `use` with both ends of a transport. */
export async function withEnds(
  open: (limits?: Limits) => Promise<ConnectedPair>,
  limits: Limits,
  use: (here: Channel, there: Channel) => Promise<void>,
): Promise<void> {
  const { initiator, responder, close } = await open(limits);
  try {
    await use(initiator, responder);
  } finally {
    await close();
  }
}

/** Bytes of a text. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Registers the tests that every transport must pass, and the scenarios of a session. */
export function testTransport(name: string, open: (limits?: Limits) => Promise<ConnectedPair>): void {
  Deno.test(`${name} carries messages whole and in order, both ways at once`, () =>
    withEnds(open, {}, async (here, there) => {
      const sizes = [0, 1, 255, 256, 65_535, 65_536, 300_000];
      const messages = sizes.map((size) => new Uint8Array(size).fill(size % 251));
      const send = async (channel: Channel) => {
        for (const message of messages) await channel.send(message);
      };
      const receive = async (channel: Channel) => {
        for (const message of messages) assertEquals(await channel.receive(), message);
      };
      await Promise.all([send(here), send(there), receive(here), receive(there)]);
    }));

  Deno.test(`${name} reports the end when the peer has closed, after everything that was sent`, () =>
    withEnds(open, {}, async (here, there) => {
      const sent = here.send(bytes("last")).then(() => here.close());
      assertEquals(await there.receive(), bytes("last"));
      assertEquals(await there.receive(), undefined);
      await there.close();
      await sent;
      await here.close(); // a second time
    }));

  Deno.test(`${name} refuses a message larger than the limit`, () =>
    withEnds(open, { maxMessageBytes: 1 << 18 }, async (here, there) => {
      const sent = here.send(new Uint8Array((1 << 18) + 1)).catch(() => {}); // the peer may have closed before the end of it
      await rejectsWith("too-large", () => there.receive());
      await there.close();
      await sent;
    }));

  Deno.test(`${name} does not send after its end`, () =>
    withEnds(open, {}, async (here, there) => {
      await Promise.all([here.close(), there.close()]);
      await rejectsWith("unreachable", () => here.send(bytes("late")));
    }));

  testScenarios(name, () => open());
}

/** Asserts that a promise rejects with a `SyncError` of a code, and returns the error. */
export async function rejectsWith(code: string, act: () => Promise<unknown>): Promise<LogError> {
  const error = await assertRejects(act, LogError);
  assertInstanceOf(error, SyncError);
  assertEquals(error.code, code, error.message);
  return error;
}
