import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { LogError } from "../../mod.ts";
import {
  type Channel,
  openWebSocket,
  type SessionLimits,
  streamChannel,
  SyncError,
  webSocketChannel,
} from "../../sync.ts";

/** Two connected ends of a transport. */
export interface Ends extends AsyncDisposable {
  here: Channel;
  there: Channel;
}

/** The limits of both ends. */
export type Limits = Partial<SessionLimits>;

/** A WebSocket over a server on loopback: `there` is the server's end. */
export async function webSocketPair(limits?: Limits): Promise<Ends> {
  const accepted = Promise.withResolvers<Channel>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    accepted.resolve(webSocketChannel(socket, { limits }));
    return response;
  });
  const here = await openWebSocket(new URL(`ws://127.0.0.1:${server.addr.port}/`), { limits });
  const there = await accepted.promise;
  return {
    here,
    there,
    async [Symbol.asyncDispose]() {
      await Promise.all([here.close(), there.close()]);
      await server.shutdown();
    },
  };
}

/** Two pairs of byte streams, as between a command and the one that started it. */
export function streamPair(limits?: Limits): Promise<Ends> {
  const [forth, back] = [new TransformStream<Uint8Array>(), new TransformStream<Uint8Array>()];
  const here = streamChannel(back.readable, forth.writable, { limits });
  const there = streamChannel(forth.readable, back.writable, { limits });
  return Promise.resolve({
    here,
    there,
    async [Symbol.asyncDispose]() {
      await Promise.all([here.close(), there.close()]);
    },
  });
}

/** Bytes of a text. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Registers the tests that every transport must pass. */
export function testTransport(name: string, open: (limits?: Limits) => Promise<Ends>): void {
  Deno.test(`${name} carries messages whole and in order, both ways at once`, async () => {
    await using ends = await open();
    const sizes = [0, 1, 255, 256, 65_535, 65_536, 300_000];
    const messages = sizes.map((size) => new Uint8Array(size).fill(size % 251));
    const send = async (channel: Channel) => {
      for (const message of messages) await channel.send(message);
    };
    const receive = async (channel: Channel) => {
      for (const message of messages) assertEquals(await channel.receive(), message);
    };
    const { here, there } = ends;
    await Promise.all([send(here), send(there), receive(here), receive(there)]);
  });

  Deno.test(`${name} reports the end when the peer has closed, after everything that was sent`, async () => {
    await using ends = await open();
    const { here, there } = ends;
    const sent = here.send(bytes("last")).then(() => here.close());
    assertEquals(await there.receive(), bytes("last"));
    assertEquals(await there.receive(), undefined);
    await there.close();
    await sent;
    await here.close(); // a second time
  });

  Deno.test(`${name} refuses a message larger than the limit`, async () => {
    await using ends = await open({ maxMessageBytes: 1 << 18 });
    const { here, there } = ends;
    const sent = here.send(new Uint8Array((1 << 18) + 1)).catch(() => {}); // the peer may have closed before the end of it
    await rejectsWith("too-large", () => there.receive());
    await there.close();
    await sent;
  });

  Deno.test(`${name} does not send after its end`, async () => {
    await using ends = await open();
    await Promise.all([ends.here.close(), ends.there.close()]);
    await rejectsWith("unreachable", () => ends.here.send(bytes("late")));
  });
}

/** Asserts that a promise rejects with a `SyncError` of a code, and returns the error. */
export async function rejectsWith(code: string, act: () => Promise<unknown>): Promise<LogError> {
  const error = await assertRejects(act, LogError);
  assertInstanceOf(error, SyncError);
  assertEquals(error.code, code, error.message);
  return error;
}
