import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { Identity, LogError, OpLog } from "../../mod.ts";
import { connect, serve, type ServeOptions, type SyncServer } from "../../sync.ts";
import { alice, bob, carol } from "../operations.ts";
import { eventually } from "./eventually.ts";
import { bytes, rejectsWith } from "./transports.ts";

/** A server on loopback with a log in memory. */
async function withServer(
  options: Partial<ServeOptions>,
  use: (server: SyncServer, log: OpLog) => Promise<void>,
): Promise<void> {
  using log = OpLog.open();
  await using server = await serve(log, { signer: bob, ...options });
  await use(server, log);
}

const httpOf = ({ address: { port } }: SyncServer) => `http://127.0.0.1:${port}`;

/** The value of a metric. */
function metric(text: string, name: string): number {
  const line = text.split("\n").find((line) => line.startsWith(`${name} `));
  assert(line !== undefined, `${name} is missing in\n${text}`);
  return Number(line.slice(name.length));
}

/** Connects without a session: what arrives is ignored. */
async function connectSilently(server: SyncServer): Promise<WebSocket> {
  const socket = new WebSocket(server.url);
  await new Promise((resolve) => socket.addEventListener("open", resolve));
  return socket;
}

const closed = (socket: WebSocket) => new Promise((resolve) => socket.addEventListener("close", resolve));

Deno.test("a peer that connects gets what it lacks, and gives what the server lacks", async () => {
  await withServer({}, async (server, there) => {
    using here = OpLog.open();
    here.record(alice, "note", { text: "here" });
    there.record(bob, "note", { text: "there" });
    const report = await connect(here, server.url, { signer: alice }).done;
    assertEquals([report.peer, report.sent.new, report.received.new], [bob.author, 1, 1]);
    assertEquals(here.heads(), there.heads());
  });
});

Deno.test("a server beyond loopback refuses to start without an allow list", async () => {
  using log = OpLog.open();
  for (const hostname of ["0.0.0.0", "::", "192.0.2.1", "example.org", "127.0.0.1.example.org"]) {
    for (const allow of [undefined, []]) {
      const error = await assertRejects(() => serve(log, { signer: bob, hostname, allow }), LogError);
      assertEquals(error.code, "not-allowed");
      assertStringIncludes(error.message, "name the peers that it admits");
    }
  }
});

Deno.test("an allow list takes whole author ids only", async () => {
  using log = OpLog.open();
  for (const allow of [["mnk_12"], [alice.author.toUpperCase()], [alice.author + " "], [""], alice.author]) {
    const error = await assertRejects(() => serve(log, { signer: bob, allow }), LogError);
    assertEquals(error.code, "invalid-argument");
  }
});

Deno.test("options that are not what they must be are refused, and nothing listens", async () => {
  using log = OpLog.open();
  const odd: Partial<ServeOptions>[] = [
    { port: -1 },
    { maxSessions: 0 },
    { cert: "a certificate without a key" },
    { limits: { idleMs: 0 } },
    { cert: "no certificate", key: "no key" },
  ];
  for (const options of odd) await assertRejects(() => serve(log, { signer: bob, ...options }), LogError);
});

Deno.test("only a peer on the allow list is admitted, and another learns that it is not", async () => {
  await withServer({ allow: [alice.author] }, async (server, there) => {
    using here = OpLog.open();
    there.record(bob, "note", { text: "secret" });
    const error = await rejectsWith("not-allowed", () => connect(here, server.url, { signer: carol }).done);
    assertStringIncludes(error.message, "the peer refused the session");
    assertEquals(here.size, 0);
    await connect(here, server.url, { signer: alice }).done;
    assertEquals(here.size, 1);
  });
});

Deno.test("operations of an author that is not accepted are refused, and the others enter", async () => {
  await withServer({ acceptAuthors: [alice.author] }, async (server, there) => {
    using here = OpLog.open();
    here.record(carol, "note", { text: "by Carol" }, { prev: [] });
    here.record(alice, "note", { text: "by Alice" }, { prev: [] });
    const { sent } = await connect(here, server.url, { signer: carol }).done;
    assertEquals([sent.new, sent.refused, sent.refusals], [1, 1, { "not-allowed": 1 }]);
    assertEquals([...there.entries()].map(({ op }) => op.author), [alice.author]);
  });
});

Deno.test("a request with an Origin header, as every page in a browser sends it, is refused", async () => {
  await withServer({}, async (server) => {
    const socket = new WebSocket(server.url, { headers: { origin: "http://127.0.0.1" } });
    const event = await new Promise<Event>((resolve) => socket.addEventListener("error", resolve));
    assertEquals(event.type, "error");
    assertEquals(server.status().refusals["not-allowed"], 1);
  });
});

Deno.test("a plain request for /sync, and one for nothing, get an answer that says so", async () => {
  await withServer({}, async (server) => {
    const ask = async (path: string, init?: RequestInit) => {
      const response = await fetch(httpOf(server) + path, init);
      return [response.status, await response.text()];
    };
    assertEquals(await ask("/sync"), [426, "this is the path of a WebSocket\n"]);
    assertEquals(await ask("/elsewhere"), [404, "there is nothing here; sessions are on /sync\n"]);
    assertEquals(await ask("/health", { method: "POST" }), [405, "/health is only read\n"]);
    assertEquals(await ask("/health"), [200, "ok\n"]);
  });
});

Deno.test("other paths are answered by the handler that is given, and none of the server's own", async () => {
  await withServer({ fetch: (request) => new Response(new URL(request.url).pathname) }, async (server) => {
    const ask = async (path: string) => await (await fetch(httpOf(server) + path)).text();
    assertEquals([await ask("/"), await ask("/page"), await ask("/health")], ["/", "/page", "ok\n"]);
  });
});

Deno.test("a handler that throws is answered with an error without its text", async () => {
  const fails = () => {
    throw new Error("a secret");
  };
  await withServer({ fetch: fails }, async (server) => {
    const response = await fetch(httpOf(server));
    assertEquals([response.status, await response.text()], [500, "the request failed\n"]);
  });
});

Deno.test("metrics count sessions, operations, bytes and refusals", async () => {
  await withServer({ allow: [alice.author] }, async (server, there) => {
    using here = OpLog.open();
    here.record(alice, "note", { text: "here" });
    there.record(bob, "note", { text: "there" });
    await connect(here, server.url, { signer: alice }).done;
    await rejectsWith("not-allowed", () => connect(here, server.url, { signer: carol }).done);
    await eventually("both sessions have ended", () => server.status().open.length === 0);
    const response = await fetch(`${httpOf(server)}/metrics`);
    assertEquals(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    const text = await response.text();
    assertEquals(metric(text, "mnema_sync_sessions_total"), 2);
    assertEquals(metric(text, 'mnema_sync_sessions{state="admitted"}'), 0);
    assertEquals(metric(text, 'mnema_sync_operations_total{direction="sent",outcome="new"}'), 1);
    assertEquals(metric(text, 'mnema_sync_operations_total{direction="received",outcome="new"}'), 1);
    assertEquals(metric(text, 'mnema_sync_refusals_total{code="not-allowed"}'), 1);
    assertEquals(metric(text, "mnema_log_last_seq"), 2);
    assert(metric(text, 'mnema_sync_bytes_total{direction="sent"}') > 0);
    for (const line of text.trimEnd().split("\n")) {
      assertMatch(line, /^(?:# (?:HELP|TYPE) mnema_\w+ .+|mnema_\w+(?:\{(?:\w+="[\w-]+",?)+\})? \d+)$/);
    }
  });
});

Deno.test("the status of a server shows its open sessions", async () => {
  await withServer({}, async (server) => {
    using here = OpLog.open();
    await using _connection = connect(here, server.url, { signer: alice, follow: true });
    await eventually("the session follows", () => server.status().open[0]?.phase === "follow");
    assertEquals(server.status().open.map(({ peer }) => peer), [alice.author]);
    const text = await (await fetch(`${httpOf(server)}/metrics`)).text();
    assertEquals([metric(text, "mnema_sync_peers"), metric(text, "mnema_sync_behind_operations")], [1, 0]);
  });
});

Deno.test("a silent client is disconnected, and the server stays available", async () => {
  const ended = Promise.withResolvers<unknown>();
  const options = { limits: { idleMs: 50 }, onSession: (_: unknown, error?: unknown) => ended.resolve(error) };
  await withServer(options, async (server) => {
    const socket = await connectSilently(server);
    await closed(socket);
    await rejectsWith("idle", async () => {
      throw await ended.promise;
    });
    assertEquals(server.status().refusals, { idle: 1 });
    using here = OpLog.open();
    await connect(here, server.url, { signer: alice }).done;
  });
});

Deno.test("a client that sends nonsense is refused with a code", async () => {
  await withServer({}, async (server) => {
    const socket = await connectSilently(server);
    socket.send(bytes("nonsense"));
    await closed(socket);
    await eventually("it is counted", () => server.status().refusals["bad-message"] === 1);
  });
});

Deno.test("a message in endless fragments is cut off at the limit of a message", async () => {
  await withServer({}, async (server) => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.address.port });
    const writer = connection.writable.getWriter();
    await writer.write(bytes(
      "GET /sync HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    ));
    const fragment = new Uint8Array(8 + 65_535); // its mask is 0
    fragment.set([0x02, 0x80 | 126, 0xff, 0xff]);
    await assertRejects(async () => {
      while (true) { // until the server has closed the connection
        await writer.write(fragment);
        fragment[0] = 0; // a continuation
      }
    });
    await eventually("it is counted", () => server.status().refusals["too-large"] === 1);
    await connection.readable.cancel().catch(() => {});
  });
});

Deno.test("no more sessions are open than the limit, and the next peer learns that the server is busy", async () => {
  await withServer({ maxSessions: 1 }, async (server) => {
    using here = OpLog.open();
    await using connection = connect(here, server.url, { signer: alice, follow: true });
    await eventually("the session follows", () => connection.status().phase === "follow");
    await rejectsWith("busy", () => connect(here, server.url, { signer: carol }).done);
    await connection.close();
    await eventually("the session has ended", () => server.status().open.length === 0);
    await connect(here, server.url, { signer: carol }).done;
  });
});

Deno.test("silent connections do not take the place of admitted peers beyond the limit of handshakes", async () => {
  await withServer({ maxHandshakes: 2 }, async (server) => {
    using here = OpLog.open();
    await using connection = connect(here, server.url, { signer: alice, follow: true });
    await eventually("the session follows", () => connection.status().phase === "follow");
    const silent = [await connectSilently(server), await connectSilently(server)];
    await eventually("both are in the handshake", () => server.status().open.length === 3);
    await rejectsWith("busy", () => connect(here, server.url, { signer: carol }).done);
    const ends = silent.map(closed);
    for (const socket of silent) socket.close();
    await Promise.all(ends);
    await eventually("their sessions have ended", () => server.status().open.length === 1);
    await connect(here, server.url, { signer: carol }).done;
  });
});

Deno.test("closing a server ends sessions that follow in good order", async () => {
  using there = OpLog.open();
  using here = OpLog.open();
  const server = await serve(there, { signer: bob });
  const lost: unknown[] = [];
  await using connection = connect(here, server.url, {
    signer: alice,
    follow: true,
    onRetry: (error) => lost.push(error?.code),
  });
  await eventually("the session follows", () => connection.status().phase === "follow");
  await Promise.all([server.close(), server.close()]);
  await server.finished;
  await eventually("the client has noticed", () => lost.length > 0);
  assertEquals(lost[0], undefined);
});

Deno.test("a signal closes a server", async () => {
  using log = OpLog.open();
  const ends = new AbortController();
  const server = await serve(log, { signer: bob, signal: ends.signal });
  ends.abort();
  await server.finished;
});

Deno.test("a port in use is an error that says so", async () => {
  await withServer({}, async (server, log) => {
    const { port } = server.address;
    const error = await assertRejects(() => serve(log, { signer: Identity.generate(), port }), LogError);
    assertEquals([error.code, error.message.includes("the port is in use")], ["io", true]);
  });
});
