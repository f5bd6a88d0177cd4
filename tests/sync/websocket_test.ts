import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "../../src/sync/ws.ts";
import { type Channel, openWebSocket } from "../../sync.ts";
import { bytes, rejectsWith, testTransport, webSocketPair } from "./transports.ts";

testTransport("a WebSocket", webSocketPair);

/** A server on loopback that upgrades every request, with Deno's own WebSocket, and hands its socket over. */
function serveSockets(use: (socket: WebSocket) => void): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.binaryType = "arraybuffer";
    use(socket);
    return response;
  });
}

/** A server on loopback that answers every request in the same way. */
function serveResponse(respond: () => Response): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, respond);
}

const urlOf = ({ addr }: Deno.HttpServer<Deno.NetAddr>) => new URL(`ws://127.0.0.1:${addr.port}/`);

/** Sends messages until the connection is lost, and counts them. */
function flood(channel: Channel, size: number): { sent: number; end: Promise<void> } {
  const state = { sent: 0, end: Promise.resolve() };
  state.end = (async () => {
    while (true) {
      await channel.send(new Uint8Array(size));
      state.sent++;
    }
  })();
  state.end.catch(() => {}); // it is awaited at the end
  return state;
}

/** Waits until a flood is held up. */
async function heldUp(state: { sent: number }): Promise<number> {
  let before = -1;
  while (state.sent !== before || state.sent === 0) { // until the buffers of the system are full
    before = state.sent;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return before;
}

Deno.test("messages are exchanged with another implementation, which closes in good order", async () => {
  await using server = serveSockets((socket) => {
    socket.addEventListener("message", ({ data }) => {
      socket.send(data);
      socket.close(1000);
    });
  });
  const channel = await openWebSocket(urlOf(server));
  const message = new Uint8Array(70_000).fill(7);
  await channel.send(message);
  assertEquals(await channel.receive(), message);
  assertEquals(await channel.receive(), undefined);
  await channel.close();
});

Deno.test("a text message is refused, and the peer learns why", async () => {
  const closed = Promise.withResolvers<number>();
  await using server = serveSockets((socket) => {
    socket.addEventListener("open", () => socket.send("text"));
    socket.addEventListener("close", ({ code }) => closed.resolve(code));
  });
  const channel = await openWebSocket(urlOf(server));
  await rejectsWith("bad-message", () => channel.receive());
  assertEquals(await closed.promise, 1003);
  await channel.close();
});

Deno.test("a closing code that means a refusal is one, and any other is a lost connection", async () => {
  for (const [sent, code] of [[1009, "too-large"], [1002, "bad-message"], [4321, "unreachable"]] as const) {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    server.on("connection", (socket) => socket.close(sent));
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const channel = await openWebSocket(new URL(`ws://127.0.0.1:${port}/`));
    await rejectsWith(code, () => channel.receive());
    await channel.close();
    await new Promise((resolve) => server.close(resolve));
  }
});

Deno.test("a connection that is cut off is reported as unreachable to whoever waits for a message", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { initiator, responder, close } = await webSocketPair();
  const { port } = listener.addr as Deno.NetAddr;
  const attempt = openWebSocket(new URL(`ws://127.0.0.1:${port}/`));
  (await listener.accept()).close();
  await rejectsWith("unreachable", () => attempt);
  const received = initiator.receive();
  await responder.close();
  assertEquals(await received, undefined);
  await close();
});

Deno.test("a peer has to wait while this node reads nothing, and nothing is lost", async () => {
  for (const end of ["initiator", "responder"] as const) {
    const pair = await webSocketPair({ maxMessageBytes: 1 << 18 });
    const [sender, receiver] = [pair[end], end === "initiator" ? pair.responder : pair.initiator];
    const state = flood(sender, 1 << 18);
    const sent = await heldUp(state);
    let received = 0;
    while (received < sent && await receiver.receive() !== undefined) received++;
    assertEquals(received, sent);
    await pair.close();
    await rejectsWith("unreachable", () => state.end);
  }
});

Deno.test("a server whose message has endless fragments is disconnected", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const attempt = openWebSocket(new URL(`ws://127.0.0.1:${port}/`), { limits: { maxMessageBytes: 1 << 18 } });
  const connection = await listener.accept();
  const request = new Uint8Array(4096);
  const length = await connection.read(request);
  const [, key] = /Sec-WebSocket-Key: (.*)\r/i.exec(new TextDecoder().decode(request.subarray(0, length!)))!;
  const hash = await crypto.subtle.digest("SHA-1", bytes(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`));
  const accept = new Uint8Array(hash).toBase64();
  const writer = connection.writable.getWriter();
  await writer.write(bytes(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  ));
  const channel = await attempt;
  const fragment = new Uint8Array(4 + 65_535);
  fragment.set([0x02, 126, 0xff, 0xff]);
  const flooded = (async () => {
    while (true) {
      await writer.write(fragment);
      fragment[0] = 0; // a continuation
    }
  })().catch(() => {}); // until this node has closed the connection
  await rejectsWith("too-large", () => channel.receive());
  await channel.close();
  await flooded;
  await connection.readable.cancel().catch(() => {});
});

Deno.test("an address where nobody listens is unreachable", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const error = await rejectsWith("unreachable", () => openWebSocket(new URL(`ws://127.0.0.1:${port}/sync`)));
  assertStringIncludes(error.message, `127.0.0.1:${port} cannot be reached`);
});

Deno.test("a server that answers with something else than an upgrade is an error with its status", async () => {
  for (const [status, code] of [[200, "unreachable"], [403, "not-allowed"], [503, "busy"]] as const) {
    await using server = serveResponse(() => new Response("hello", { status }));
    const error = await rejectsWith(code, () => openWebSocket(urlOf(server)));
    assert(error.message.includes(String(status)));
  }
});

Deno.test("an attempt to connect ends when its signal aborts", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }); // never answers
  const { port } = listener.addr as Deno.NetAddr;
  const aborts = new AbortController();
  const attempt = openWebSocket(new URL(`ws://127.0.0.1:${port}/`), { signal: aborts.signal });
  using _connection = await listener.accept();
  aborts.abort("enough");
  assertEquals(await attempt.catch((reason) => reason), "enough");
});
