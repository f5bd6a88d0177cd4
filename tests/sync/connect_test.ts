import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { LogError, OpLog } from "../../mod.ts";
import { connect, type ConnectOptions, serve, type SyncConnection, type SyncStatus } from "../../sync.ts";
import { retryDelay } from "../../src/sync/connect.ts";
import { makeCertificate } from "../certificate.ts";
import { withFolder } from "../folder.ts";
import { alice, bob, carol } from "../operations.ts";
import { works } from "../processes.ts";
import { eventually } from "./eventually.ts";
import { rejectsWith } from "./transports.ts";

/** Quick attempts, so that a test does not wait. */
const retryMs = { min: 5, max: 20 };
const follow: ConnectOptions = { signer: alice, follow: true, retryMs };

const follows = (connection: SyncConnection) =>
  eventually("the session follows", () => connection.status().phase === "follow");
const holds = (log: OpLog, ...ids: string[]) => eventually("it has arrived", () => ids.every((id) => log.has(id)));

Deno.test("a follower gets what is appended on either side, and a peer's own is not sent back", async () => {
  using here = OpLog.open();
  using there = OpLog.open();
  await using server = await serve(there, { signer: bob });
  await using connection = connect(here, server.url, follow);
  await follows(connection);
  const first = there.record(bob, "note", { text: "there" });
  await holds(here, first.opId);
  const second = here.record(alice, "note", { text: "here" });
  await holds(there, second.opId);
  await connection.close();
  const { sent, received } = await connection.done;
  assertEquals([sent.operations, sent.new, received.operations, received.new], [1, 1, 1, 1]);
});

Deno.test("a follower connects again when the server was restarted, and nothing is lost meanwhile", async () => {
  using here = OpLog.open();
  using there = OpLog.open();
  const first = await serve(there, { signer: bob });
  const { port } = first.address;
  const waits: (string | undefined)[] = [];
  await using connection = connect(here, first.url, { ...follow, onRetry: (error) => waits.push(error?.code) });
  await follows(connection);
  await first.close();
  await eventually("an attempt has failed", () => waits.includes("unreachable"));
  const [mine, theirs] = [here.record(alice, "note", { n: 1 }), there.record(bob, "note", { n: 2 })];
  await using _second = await serve(there, { signer: bob, port });
  await holds(here, theirs.opId);
  await holds(there, mine.opId);
  assertEquals(here.heads(), there.heads());
  await connection.close();
  const { sent, received } = await connection.done;
  assertEquals([sent.new, received.new], [1, 1]);
});

Deno.test("three nodes with writers at the same time converge through servers", async () => {
  using a = OpLog.open();
  using b = OpLog.open();
  using c = OpLog.open();
  await using hub = await serve(a, { signer: alice });
  await using relay = await serve(b, { signer: bob });
  await using toHub = connect(b, hub.url, { ...follow, signer: bob });
  await using toRelay = connect(c, relay.url, { ...follow, signer: carol });
  for (let n = 0; n < 20; n++) { // a and c have no connection with each other
    a.record(alice, "note", { n });
    b.record(bob, "note", { n });
    c.record(carol, "note", { n });
    await new Promise((resolve) => setTimeout(resolve));
  }
  await eventually("all have everything", () => [a, b, c].every(({ size }) => size === 60));
  assertEquals([a.heads(), b.heads()], [c.heads(), c.heads()]);
  for (const connection of [toHub, toRelay]) {
    assertEquals([connection.status().sent.refused, connection.status().received.refused], [0, 0]);
  }
});

Deno.test("the status leads from the connection to the end, and sums all sessions", async () => {
  using here = OpLog.open();
  using there = OpLog.open();
  there.record(bob, "note", { text: "there" });
  await using server = await serve(there, { signer: bob });
  const seen: SyncStatus[] = [];
  const report = await connect(here, server.url, { signer: alice, onStatus: (status) => seen.push(status) }).done;
  const phases = seen.map(({ phase }) => phase).filter((phase, i, all) => phase !== all[i - 1]);
  assertEquals(phases, ["connecting", "handshake", "reconcile", "transfer", "done"]);
  const { phase: _, behind, ...last } = seen.at(-1)!;
  assertEquals([last, behind], [report, 0]);
  assert(report.bytesSent > 0 && report.bytesReceived > 0);
});

Deno.test("a dry run reports what each side lacks and transfers nothing", async () => {
  using here = OpLog.open();
  using there = OpLog.open();
  here.record(alice, "note", { n: 1 });
  there.record(bob, "note", { n: 2 });
  there.record(bob, "note", { n: 3 });
  await using server = await serve(there, { signer: bob });
  const report = await connect(here, server.url, { signer: alice, dryRun: true }).done;
  assertEquals([report.missingHere, report.missingThere, here.size, there.size], [2, 1, 1, 2]);
});

Deno.test("pull only receives, and push only sends", async () => {
  for (const [direction, sizes] of [["pull", [2, 1]], ["push", [1, 2]]] as const) {
    using here = OpLog.open();
    using there = OpLog.open();
    here.record(alice, "note", { n: 1 });
    there.record(bob, "note", { n: 2 });
    await using server = await serve(there, { signer: bob });
    await connect(here, server.url, { signer: alice, direction }).done;
    assertEquals<readonly number[]>([here.size, there.size], sizes);
  }
});

Deno.test("a server that proves another key than those that are trusted is not synchronized with", async () => {
  using here = OpLog.open();
  using there = OpLog.open();
  here.record(alice, "note", { text: "secret" });
  await using server = await serve(there, { signer: bob });
  await rejectsWith("not-allowed", () => connect(here, server.url, { signer: alice, allow: [carol.author] }).done);
  assertEquals(there.size, 0);
});

Deno.test("without following, a peer that is not reached is an error at once", async () => {
  using log = OpLog.open();
  await rejectsWith("unreachable", () => connect(log, "ws://127.0.0.1:1", { signer: alice }).done);
});

Deno.test("following ends with an error that another attempt would meet again", async () => {
  using here = OpLog.open();
  using there = OpLog.open();
  await using server = await serve(there, { signer: bob, allow: [carol.author] });
  const connection = connect(here, server.url, follow);
  await rejectsWith("not-allowed", () => connection.done);
  assertEquals(connection.status().phase, "failed");
});

Deno.test("closing ends the wait for the next attempt", async () => {
  using log = OpLog.open();
  const waiting = Promise.withResolvers<void>();
  const patient = { ...follow, retryMs: { min: 1_000_000, max: 1_000_000 }, onRetry: () => waiting.resolve() };
  const connection = connect(log, "ws://127.0.0.1:1", patient);
  await waiting.promise;
  await connection.close();
  assertEquals([(await connection.done).sent.operations, connection.status().phase], [0, "done"]);
});

Deno.test("a signal ends a session that follows in good order, and breaks off any other", async () => {
  using here = OpLog.open();
  using there = OpLog.open();
  await using server = await serve(there, { signer: bob });
  const ends = new AbortController();
  const connection = connect(here, server.url, { ...follow, signal: ends.signal });
  await follows(connection);
  ends.abort();
  assertEquals((await connection.done).peer, bob.author);
  const late = connect(here, server.url, {
    signer: alice,
    signal: AbortSignal.abort(new LogError("closed", "enough")),
  });
  assertEquals((await assertRejects(() => late.done, LogError)).code, "closed");
});

Deno.test("an attempt that is not answered ends after a time", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }); // accepts nothing
  using log = OpLog.open();
  const { port } = listener.addr as Deno.NetAddr;
  await rejectsWith(
    "unreachable",
    () => connect(log, `ws://127.0.0.1:${port}`, { signer: alice, connectTimeoutMs: 50 }).done,
  );
});

Deno.test("addresses and options that are not what they must be are refused", () => {
  using log = OpLog.open();
  const addresses = [
    "http://127.0.0.1",
    "127.0.0.1:8420",
    "",
    "ws://me@127.0.0.1",
    "ws://127.0.0.1/#x",
    "ssh://-x/log",
  ];
  for (const address of addresses) {
    const error = assertThrows(() => connect(log, address, { signer: alice }), LogError);
    assertEquals(error.code, "invalid-argument", address);
  }
  const odd: Partial<ConnectOptions>[] = [
    { retryMs: { min: 0 } },
    { retryMs: { min: 2, max: 1 } },
    {
      follow: true,
      dryRun: true,
    },
    { allow: ["mnk_1"] },
    { connectTimeoutMs: 0 },
  ];
  for (const options of odd) {
    assertThrows(() => connect(log, "ws://127.0.0.1:1", { signer: alice, ...options }), LogError);
  }
});

Deno.test("the time between attempts doubles up to a limit, half of it at random", () => {
  const limits = { min: 100, max: 1000 };
  for (let failures = 1; failures < 2000; failures++) {
    const longest = Math.min(1000, 100 * 2 ** (failures - 1));
    const delay = retryDelay(failures, limits);
    assert(delay >= longest / 2 && delay <= longest, `${delay} after ${failures} failures`);
  }
});

Deno.test({
  name: "a server with a certificate is reached by wss, by whoever trusts its authority",
  ignore: !works("openssl", "version"),
  async fn() {
    await withFolder(async (folder) => {
      makeCertificate(folder);
      const [cert, key] = ["cert.pem", "key.pem"].map((name) => Deno.readTextFileSync(`${folder}/${name}`));
      using here = OpLog.open();
      using there = OpLog.open();
      there.record(bob, "note", { text: "there" });
      await using server = await serve(there, { signer: bob, cert, key });
      assert(server.url.startsWith("wss://127.0.0.1:"));
      await rejectsWith("unreachable", () => connect(here, server.url, { signer: alice }).done);
      await connect(here, server.url, { signer: alice, caCerts: [cert] }).done;
      assertEquals(here.size, 1);
    });
  },
});
