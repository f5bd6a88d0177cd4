import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { openWebSocket, SyncError, webSocketChannel } from "../../sync.ts";
import { bytes, rejectsWith, testTransport, webSocketPair } from "./transports.ts";

testTransport("a WebSocket", webSocketPair);

/** A server on loopback that upgrades every request and hands its socket over. */
function serveSockets(use: (socket: WebSocket) => void): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    use(socket);
    return response;
  });
}

const urlOf = ({ addr }: Deno.HttpServer<Deno.NetAddr>) => new URL(`ws://127.0.0.1:${addr.port}/`);

/** Upgrades a raw connection to a WebSocket that nobody reads. */
async function connectRaw({ addr }: Deno.HttpServer<Deno.NetAddr>): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: addr.port });
  await connection.write(bytes(
    "GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
  ));
  return connection;
}

Deno.test("a text message is refused, and the peer learns why", async () => {
  const refused = Promise.withResolvers<unknown>();
  await using server = serveSockets((socket) => {
    const channel = webSocketChannel(socket);
    channel.receive().catch(refused.resolve).finally(() => channel.close());
  });
  const socket = new WebSocket(urlOf(server));
  const channel = webSocketChannel(socket);
  socket.addEventListener("open", () => socket.send("text"));
  const there = await rejectsWith("bad-message", () => channel.receive());
  assertStringIncludes(there.message, "the peer refused the connection");
  await rejectsWith("bad-message", async () => {
    throw await refused.promise;
  });
  await channel.close();
});

Deno.test("a lost connection is reported as unreachable to whoever waits for a message", async () => {
  const accepted = Promise.withResolvers<WebSocket>();
  await using server = serveSockets((socket) => accepted.resolve(socket));
  const raw = await connectRaw(server);
  const channel = webSocketChannel(await accepted.promise);
  const received = channel.receive();
  raw.close();
  await rejectsWith("unreachable", () => received);
  await channel.close();
});

Deno.test("a peer that sends far ahead of the reader is disconnected, and memory stays bounded", async () => {
  const limits = { maxMessageBytes: 1 << 18, bytesInFlight: 1 << 18 };
  const { initiator: here, responder: there, close } = await webSocketPair(limits);
  const message = new Uint8Array(1 << 18);
  await assertRejects(async () => {
    while (true) await here.send(message); // until the other end, which reads nothing, closes the connection
  }, SyncError);
  let kept = 0;
  await rejectsWith("too-large", async () => {
    while (await there.receive() !== undefined) kept++;
  });
  assert(kept > 0 && kept <= 5, `${kept} messages were kept`);
  await close();
});

Deno.test("sending waits while the peer reads nothing", async () => {
  const accepted = Promise.withResolvers<WebSocket>();
  await using server = serveSockets((socket) => {
    socket.addEventListener("open", () => accepted.resolve(socket));
  });
  const raw = await connectRaw(server);
  const socket = await accepted.promise;
  const channel = webSocketChannel(socket);
  let sent = 0;
  const sending = (async () => {
    while (true) {
      await channel.send(new Uint8Array(1 << 20));
      sent++;
    }
  })();
  let before = -1;
  while (sent !== before || socket.bufferedAmount === 0) { // until the buffers of the system are full
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert(socket.bufferedAmount <= 2 << 20, `${socket.bufferedAmount} bytes are buffered`);
  raw.close();
  await rejectsWith("unreachable", () => sending);
  await channel.close();
});

Deno.test("an address where nobody listens is unreachable", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const error = await rejectsWith("unreachable", () => openWebSocket(new URL(`ws://127.0.0.1:${port}/sync`)));
  assertStringIncludes(error.message, `127.0.0.1:${port} cannot be reached`);
});

Deno.test("a server that answers with something else than an upgrade is unreachable", async () => {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response("hello"));
  await rejectsWith("unreachable", () => openWebSocket(urlOf(server)));
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
