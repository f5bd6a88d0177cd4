import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { linesOf } from "../processes.ts";
import { NatsServer, noServer } from "../stream/server.ts";
import { PERMISSIONS } from "./mnema.ts";
import type { Mnema } from "./mnema.ts";
import { withNode } from "./node.ts";

/** Runs `use` with a server, and the command line with the permission to connect to it. */
function withStream(use: (mnema: Mnema, server: NatsServer) => Promise<void>, config?: string): Promise<void> {
  return withNode(async (mnema) => {
    await using server = await NatsServer.start(`${mnema.folder}/server`, { config });
    await use(mnema.with({ permissions: [...PERMISSIONS, `--allow-net=127.0.0.1`] }), server);
  });
}

const ONE = ["--stream", "team", "--create", "--replicas", "1"];

Deno.test({
  name: "stream --once exchanges what both have, and reports it as text and as JSON",
  ignore: noServer,
  fn: () =>
    withStream(async (mnema, server) => {
      await mnema.does("append", "note", "{}");
      const first = await mnema.run("stream", server.url, ...ONE, "--once");
      assertEquals([first.code, first.out], [0, "received 0, known 1, refused 0; published 1\n"]);
      assertMatch(first.err, /^mnema: warning: the stream team has one replica.*\nmnema: warning: .*sync_interval.*\n/);
      await mnema.does("init", "--log", "b.db");
      const second = await mnema.run("stream", server.url, "--stream", "team", "--once", "--log", "b.db", "--json");
      const { phase, received, published, held_back } = JSON.parse(second.out);
      assertEquals([second.code, phase, received, published, held_back], [0, "following", 1, 0, 0]);
      assertEquals(await mnema.does("heads", "--log", "b.db"), await mnema.does("heads"));
    }),
});

Deno.test({
  name: "an operation that is too large is reported, and makes stream --once fail",
  ignore: noServer,
  fn: () =>
    withStream(async (mnema, server) => {
      const large = (await mnema.does("append", "note", `{"text":"${"x".repeat(5000)}"}`)).trim();
      await mnema.does("append", "note", "{}");
      const { code, out, err } = await mnema.run("stream", server.url, ...ONE, "--once");
      assertEquals([code, out], [1, "received 0, known 0, refused 0; published 0, 2 not in the stream\n"]);
      assertStringIncludes(err, `${large} is not publishable`);
      assertStringIncludes(err, "1 operation held back");
    }, "max_payload: 4096"),
});

Deno.test({
  name: "stream follows until it is interrupted, and serves its health and metrics meanwhile",
  ignore: noServer || Deno.build.os === "windows",
  fn: () =>
    withStream(async (mnema, server) => {
      const child = mnema.spawn("stream", server.url, ...ONE, "--listen", "127.0.0.1:0");
      const notes = linesOf(child.stderr);
      let metrics = "";
      let isFollowing = false;
      while (metrics === "" || !isFollowing) {
        const { value = "" } = await notes.next();
        metrics = value.match(/http:\S+/)?.[0] ?? metrics;
        isFollowing ||= value.startsWith("mnema: following team on ");
      }
      const text = await (await fetch(metrics)).text();
      assertStringIncludes(text, 'mnema_stream_connected{stream="team"} 1\n');
      const health = await fetch(new URL("/health", metrics));
      assertEquals([health.status, await health.text()], [200, "following\n"]);
      const other = await fetch(new URL("/other", metrics));
      const posted = await fetch(metrics, { method: "POST" });
      assertEquals([other.status, posted.status], [404, 405]);
      await Promise.all([other.text(), posted.text()]);
      child.kill("SIGTERM");
      const [{ code }, out] = await Promise.all([child.status, new Response(child.stdout).text()]);
      await notes.return(undefined);
      assertEquals([code, out], [130, "received 0, known 0, refused 0; published 0\n"]);
    }),
});

Deno.test({
  name: "a stream that is missing or cannot be created is one sentence",
  ignore: noServer,
  fn: () =>
    withStream(async (mnema, server) => {
      const missing = await mnema.refuses("stream", server.url, "--stream", "team");
      assertMatch(missing, /^there is no stream team on 127\.0\.0\.1:\d+; create it with: --create$/);
      const replicas = await mnema.refuses("stream", server.url, "--stream", "team", "--create");
      assertStringIncludes(replicas, "cannot be created with 3 replicas");
      const creds = await mnema.refuses("stream", server.url, ...ONE, "--creds", "none.creds");
      assertEquals(creds, "there is no file none.creds");
      await server.kill();
      assertMatch(await mnema.refuses("stream", server.url, ...ONE, "--once"), /cannot be reached/);
    }),
});

Deno.test("what a server sends that is no protocol is not written to standard output", async () => {
  await withNode(async (mnema) => {
    const info = { server_id: "x", version: "2.9.10", proto: 1, max_payload: 1024, headers: true };
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const answering = (async () => {
      for await (const connection of listener) {
        const text = `INFO ${JSON.stringify(info)}\r\nPONG\r\n\x1b[31mBOO\r\n`;
        await connection.write(new TextEncoder().encode(text));
        await connection.readable.pipeTo(new WritableStream());
      }
    })();
    const granted = mnema.with({ permissions: [...PERMISSIONS, "--allow-net=127.0.0.1"] });
    const url = `nats://127.0.0.1:${listener.addr.port}`;
    const { code, out, err } = await granted.run("stream", url, "--stream", "team", "--once");
    listener.close();
    await answering;
    assertEquals([code, out], [1, ""]);
    assertMatch(err, /^mnema: [ -~]*\n$/);
  });
});

Deno.test("stream names the host that it lacks the permission for, and the file", async () => {
  await withNode(async (mnema) => {
    const args = ["stream", "nats://example.org,nats://127.0.0.1:5", "--stream", "team"];
    assertStringIncludes(await mnema.refuses(...args), "with --allow-net=example.org:4222");
    const granted = mnema.with({ permissions: [...PERMISSIONS, "--allow-net=example.org:4222,127.0.0.1:5"] });
    assertStringIncludes(await granted.refuses(...args, "--creds", "/keys/x.creds"), "--allow-read=/keys");
    assertStringIncludes(await granted.refuses(...args, "--listen", "127.0.0.1:6"), "--allow-net=127.0.0.1:6");
  });
});

Deno.test("wrong arguments of stream are wrong usage", async () => {
  await withNode(async (mnema) => {
    const cases: [args: string[], named: string][] = [
      [[], "URL is missing"],
      [["nats://127.0.0.1:1"], "--stream NAME is missing"],
      [["http://127.0.0.1:1", "--stream", "team"], "nats://host:4222"],
      [["nats://me:secret@127.0.0.1:1", "--stream", "team"], "file of credentials"],
      [["nats://127.0.0.1:1", "--stream", "two words"], "the name of a stream"],
      [["nats://127.0.0.1:1", "--stream", "team", "--replicas", "9"], "at most 5"],
      [["nats://127.0.0.1:1", "--stream", "team", "--listen", "9464"], "HOST:PORT"],
    ];
    const said = await mnema.misusesEach(cases.map(([args]) => ["stream", ...args]));
    for (const [i, [args, named]] of cases.entries()) assertStringIncludes(said[i], named, args.join(" "));
  });
});
