import { assert, assertEquals } from "@std/assert";
import { Operation, OpLog } from "../../mod.ts";
import { type Channel, channelPair, runSession, type SessionOptions, type SyncReport } from "../../sync.ts";
import { MemoryStorage } from "../../src/sync/negentropy/memory.ts";
import { initiate, respond } from "../../src/sync/negentropy/negentropy.ts";
import type { Message } from "../../src/sync/messages.ts";
import { alice, note } from "../operations.ts";
import { assertEqualLogs, errorOf, inProcess, syncPair } from "./channels.ts";
import { assertRefuses, NO_OUTCOMES, playAgainst, type PlayedPeer } from "./peer.ts";

/** A log of so many notes. */
function logOf(count: number): OpLog {
  const log = OpLog.open();
  for (let n = 0; n < count; n++) log.record(alice, "note", { n });
  return log;
}

/** So many ids that no log holds. */
function inventedRecords(count: number) {
  return Array.from({ length: count }, (_, n) => ({
    timestamp: 1_700_000_000 + n,
    id: crypto.getRandomValues(new Uint8Array(32)),
  }));
}

/** After a session with a hostile peer, an honest one still gets everything. */
async function assertServes(log: OpLog): Promise<void> {
  using other = OpLog.open();
  await syncPair(inProcess, log, other);
  assertEqualLogs(log, other);
}

Deno.test("a responder that claims ids it does not have costs one request, and the session ends", async () => {
  using log = logOf(10);
  const { peer, session } = playAgainst(log, "initiator");
  await peer.begin({ operations: 20 });
  const records = new MemoryStorage(inventedRecords(20));
  let want = 0;
  for (let message = await peer.receive(); message?.kind !== "plan"; message = await peer.receive()) {
    assert(message?.kind === "ranges");
    await peer.send({ kind: "ranges", message: respond(records, message.message) });
  }
  want = (await peer.until("wants")).ids.length / 32;
  await peer.end(0);
  const report = await session;
  assertEquals([want, report.missingHere, report.received.operations, report.sent.operations], [20, 20, 0, 10]);
  await assertServes(log);
});

Deno.test("an initiator that wants ids that the responder does not have gets none", async () => {
  using log = logOf(10);
  const { peer, session } = playAgainst(log, "responder");
  await peer.begin({ operations: 10 });
  await peer.send({ kind: "plan", plan: { byIds: true, missingAtInitiator: 2, missingAtResponder: 0 } });
  await peer.send({ kind: "wants", ids: crypto.getRandomValues(new Uint8Array(64)) });
  await peer.end(0);
  assertEquals((await session).sent.operations, 0);
});

Deno.test("wrong fingerprints and invented ids end the reconciliation at the limit of rounds", async () => {
  using log = logOf(200);
  const played = playAgainst(log, "initiator", { limits: { rounds: 5 } });
  const { peer } = played;
  await peer.begin({ operations: 200 });
  const answering = (async () => {
    for (;;) {
      const message = await peer.receive();
      if (message?.kind !== "ranges") return message;
      // The fingerprint of everything is always another, so that the initiator describes its records again and again.
      await peer.send({ kind: "ranges", message: initiate(new MemoryStorage(inventedRecords(1000))) });
    }
  })();
  const last = await answering;
  assertEquals(last, { kind: "refuse", code: "rate-limited" });
  assertEquals((await played.session.catch((error) => error)).code, "rate-limited");
  await assertServes(log);
});

Deno.test("an initiator that never ends the reconciliation is refused", async () => {
  using log = logOf(50);
  const played = playAgainst(log, "responder", { limits: { rounds: 20 } });
  const { peer } = played;
  await peer.begin({ operations: 50 });
  const records = new MemoryStorage(inventedRecords(50));
  for (let n = 0; n < 20; n++) {
    await peer.send({ kind: "ranges", message: initiate(records) });
    await peer.until("ranges");
  }
  await peer.send({ kind: "ranges", message: initiate(records) });
  await assertRefuses(played, "rate-limited");
});

Deno.test("the bytes of the reconciliation are limited", async () => {
  using log = logOf(50);
  const played = playAgainst(log, "responder", { limits: { reconcileBytes: 3000 } });
  const { peer } = played;
  await peer.begin({ operations: 50 });
  const sending = (async () => {
    for (let n = 0; n < 10; n++) await peer.send({ kind: "ranges", message: initiate(new MemoryStorage([])) });
  })().catch(() => {});
  await assertRefuses(played, "rate-limited");
  await sending;
});

Deno.test("more differences than are reconciled are streamed instead", async () => {
  for (const side of ["initiator", "responder"]) {
    using a = logOf(60);
    using b = logOf(50);
    const { initiator } = await syncPair(inProcess, a, b, { [side]: { limits: { differences: 20 } } });
    assertEquals([initiator.missingHere, initiator.sent.operations, initiator.received.operations], [
      undefined,
      60,
      50,
    ]);
    assertEqualLogs(a, b);
  }
});

Deno.test("operations without valid signatures, and texts that are none, are refused one by one", async () => {
  using log = OpLog.open();
  const { peer, session } = playAgainst(log, "responder");
  await peer.beginStream({ operations: 4 });
  const good = note("good");
  await peer.sendWires([good.wire.replace('"text":"good"', '"text":"evil"'), "{}", "no JSON \u00e9", good.wire]);
  await peer.end(4);
  const { received } = await session;
  assertEquals([received.new, received.refused, log.size], [1, 3, 1]);
});

Deno.test("texts that are no operations are refused as such, also where only some authors are accepted", async () => {
  using log = OpLog.open();
  const asked: string[] = [];
  const acceptAuthor = (author: string) => asked.push(author) > 0;
  const { peer, session } = playAgainst(log, "responder", { acceptAuthor });
  await peer.beginStream({ operations: 3 });
  await peer.sendWires([`{"author":"mnk_${"G".repeat(64)}"}`, note("good").wire, "{}"]);
  await peer.end(3);
  const { received } = await session;
  assertEquals([received.new, received.refusals], [1, { "bad-shape": 2 }]);
  assertEquals(asked, [alice.author]);
});

Deno.test("a peer with endless patience gets no more signs of life for it", async () => {
  using log = OpLog.open();
  const { peer, session } = playAgainst(log, "responder", { limits: { idleMs: Number.MAX_SAFE_INTEGER } });
  await peer.beginStream({ follow: true, idleMs: Number.MAX_SAFE_INTEGER });
  await peer.send({ kind: "caught-up", operations: 0 });
  await peer.until("caught-up");
  for (let n = 0; n < 5; n++) {
    setTimeout(() => log.record(alice, "note", { n }), 5);
    assertEquals((await peer.receive())?.kind, "operations");
  }
  await peer.channel.close();
  await session.catch(() => {});
});

Deno.test("operations that nobody asked for are refused: none are expected", async () => {
  using log = OpLog.open();
  const played = playAgainst(log, "responder", { direction: "push" });
  await played.peer.beginStream({ operations: 1 });
  await played.peer.sendWires([note("unasked").wire]);
  await assertRefuses(played, "bad-message");
  assertEquals(log.size, 0);
});

Deno.test("operations that nobody asked for are refused: more than were missing", async () => {
  using log = logOf(3);
  const played = playAgainst(log, "responder");
  await played.peer.begin({ operations: 3 });
  await played.peer.send({ kind: "plan", plan: { byIds: true, missingAtInitiator: 0, missingAtResponder: 1 } });
  await played.peer.sendWires([note("one").wire, note("two").wire]);
  await assertRefuses(played, "bad-message");
});

Deno.test("operations during a dry run are refused", async () => {
  using log = OpLog.open();
  const played = playAgainst(log, "responder");
  await played.peer.beginStream({ operations: 1, dryRun: true });
  await played.peer.sendWires([note("one").wire]);
  await assertRefuses(played, "bad-message");
});

Deno.test("a flood of operations beyond the credit is refused", async () => {
  using log = OpLog.open();
  const played = playAgainst(log, "responder", { limits: { operationsInFlight: 8 } });
  await played.peer.beginStream({ operations: 100 });
  const sending = (async () => {
    for (let n = 0; n < 20; n++) {
      await played.peer.sendWires(Array.from({ length: 5 }, (_, i) => note(`${n} ${i}`).wire));
    }
  })().catch(() => {});
  await assertRefuses(played, "rate-limited");
  await sending;
  assert(log.size <= 100);
});

const OPERATIONS: Readonly<Record<string, string>> = {
  "without a newline at the end": "{}",
  "with an empty line": "{}\n\n{}\n",
  "that begin with an empty line": "\n{}\n",
  "with a carriage return": "{}\r\n",
  "of no bytes": "",
};

for (const [what, text] of Object.entries(OPERATIONS)) {
  Deno.test(`a message of operations ${what} is malformed`, async () => {
    using log = OpLog.open();
    const played = playAgainst(log, "responder");
    await played.peer.beginStream({ operations: 1 });
    await played.peer.send({ kind: "operations", lines: new TextEncoder().encode(text) });
    await assertRefuses(played, "bad-message");
  });
}

Deno.test("a message that is larger than is accepted is refused in every phase", async () => {
  for (const steps of phases()) {
    using log = logOf(3);
    const played = playAgainst(log, "responder", { limits: { maxMessageBytes: 1 << 18 } });
    await steps(played.peer);
    await played.peer.channel.send(new Uint8Array((1 << 18) + 1));
    await assertRefuses(played, "too-large");
  }
});

Deno.test("a malformed message is refused in every phase", async () => {
  for (const bytes of [[], [255], [1], [2, 1], [8], [9, 0], [12], [13, 0], [0], [0, 99]]) {
    for (const steps of phases()) {
      using log = logOf(3);
      const played = playAgainst(log, "responder");
      await steps(played.peer);
      await played.peer.sendBytes(bytes);
      await assertRefuses(played, "bad-message");
    }
  }
});

Deno.test("a message of another phase is refused", async () => {
  const ids = new Uint8Array(32);
  const plan = { byIds: false, missingAtInitiator: 0, missingAtResponder: 0 };
  const messages: Message[] = [
    { kind: "hello", publicKey: ids, challenge: ids },
    { kind: "proof", signature: new Uint8Array(64) },
    { kind: "ranges", message: initiate(new MemoryStorage([])) },
    { kind: "plan", plan },
    { kind: "wants", ids },
    { kind: "operations", lines: new TextEncoder().encode("{}\n") },
    { kind: "outcomes", operations: 4, bytes: 1, outcomes: NO_OUTCOMES },
    { kind: "caught-up", operations: 0 },
    { kind: "totals", outcomes: { ...NO_OUTCOMES, new: 9 } },
    { kind: "alive" },
  ];
  const fitting = [["hello"], ["proof"], [], ["ranges", "plan"], ["operations"]];
  for (const [phase, steps] of phases().entries()) {
    for (const message of messages) {
      if (fitting[phase].includes(message.kind)) continue;
      using log = logOf(3);
      const played = playAgainst(log, "responder");
      await steps(played.peer);
      await played.peer.send(message);
      assertEquals([message.kind, await played.peer.untilRefused()], [message.kind, "bad-message"]);
      await played.session.catch(() => {});
    }
  }
});

Deno.test("a peer that falls silent is told so in every phase, and the session ends", async () => {
  for (const steps of phases()) {
    using log = logOf(3);
    const played = playAgainst(log, "responder", { limits: { idleMs: 40 } });
    await steps(played.peer);
    await assertRefuses(played, "idle");
  }
});

Deno.test("an initiator waits for a silent responder no longer than that", async () => {
  const steps: ((peer: PlayedPeer) => Promise<unknown>)[] = [
    () => Promise.resolve(),
    (peer) => peer.introduce(),
    async (peer) => {
      await peer.introduce();
      await peer.prove();
    },
    (peer) => peer.begin({ operations: 3 }),
    (peer) => peer.begin({ operations: 0 }),
  ];
  for (const play of steps) {
    using log = logOf(3);
    const played = playAgainst(log, "initiator", { limits: { idleMs: 40 } });
    await play(played.peer);
    await assertRefuses(played, "idle");
  }
});

Deno.test("a peer that takes nothing from the connection does not hold a session", async () => {
  using log = logOf(3);
  const [here] = channelPair();
  const stuck: Channel = { receive: () => here.receive(), send: () => new Promise(() => {}), close() {} };
  const options: SessionOptions = { signer: alice, role: "initiator", limits: { idleMs: 40 } };
  const error = await runSession(log, stuck, options).catch((error) => error);
  assertEquals(error.code, "idle");
});

Deno.test("a channel that cannot be closed does not hold a session", async () => {
  using log = logOf(3);
  const [here] = channelPair();
  const stuck: Channel = {
    receive: () => here.receive(),
    send: () => new Promise(() => {}),
    close: () => new Promise(() => {}),
  };
  const error = await runSession(log, stuck, { signer: alice, role: "responder", limits: { idleMs: 40 } })
    .catch((error) => error);
  assertEquals(error.code, "idle");
});

Deno.test("signs of life do not keep a session that does not follow", async () => {
  using log = OpLog.open();
  const played = playAgainst(log, "responder", { limits: { idleMs: 100 } });
  await played.peer.beginStream();
  await played.peer.send({ kind: "alive" });
  await assertRefuses(played, "bad-message");
});

Deno.test("a peer that acknowledges what was not sent, or takes it back, is refused", async () => {
  const taken: Message[][] = [
    [{ kind: "outcomes", operations: 4, bytes: 10, outcomes: NO_OUTCOMES }],
    [{ kind: "outcomes", operations: 3, bytes: 1 << 20, outcomes: NO_OUTCOMES }],
    [{ kind: "outcomes", operations: 3, bytes: 10, outcomes: { ...NO_OUTCOMES, new: 4 } }],
    [
      { kind: "outcomes", operations: 3, bytes: 10, outcomes: { ...NO_OUTCOMES, new: 3 } },
      { kind: "outcomes", operations: 2, bytes: 10, outcomes: { ...NO_OUTCOMES, new: 3 } },
    ],
    [
      { kind: "outcomes", operations: 3, bytes: 10, outcomes: { ...NO_OUTCOMES, new: 3 } },
      { kind: "outcomes", operations: 3, bytes: 10, outcomes: { ...NO_OUTCOMES, new: 2 } },
    ],
    [{ kind: "totals", outcomes: { ...NO_OUTCOMES, new: 2 } }],
  ];
  for (const messages of taken) {
    using log = logOf(3);
    const played = playAgainst(log, "responder");
    await played.peer.beginStream();
    await played.peer.until("end");
    for (const message of messages) await played.peer.send(message);
    await assertRefuses(played, "bad-message");
  }
});

Deno.test("a count that is not that of the operations sent is refused", async () => {
  for (const kind of ["end", "caught-up"] as const) {
    using log = OpLog.open();
    const played = playAgainst(log, "responder");
    await played.peer.beginStream({ follow: true });
    await played.peer.send({ kind, operations: 1 });
    await assertRefuses(played, "bad-message");
  }
});

Deno.test("terms with which nothing could be sent are refused", async () => {
  using log = OpLog.open();
  const played = playAgainst(log, "responder");
  await played.peer.introduce();
  await played.peer.prove();
  const limits = { maxMessageBytes: 0, bytesInFlight: 1, operationsInFlight: 1, differences: 1, idleMs: 1 };
  const flags = { pull: true, push: true, follow: false, dryRun: false };
  await played.peer.send({ kind: "request", terms: { ...flags, operations: 0, ...limits } });
  await assertRefuses(played, "bad-message");
});

Deno.test("a responder that accepts more than was asked for is refused", async () => {
  using log = OpLog.open();
  const played = playAgainst(log, "initiator", { direction: "pull" });
  await played.peer.introduce();
  await played.peer.prove();
  const { terms } = await played.peer.until("request");
  await played.peer.send({ kind: "accept", terms: { ...terms, push: true } });
  await assertRefuses(played, "bad-message");
});

Deno.test("wants of more than the log holds, or than the plan says, are refused", async () => {
  const plan = (missingAtInitiator: number): Message => (
    { kind: "plan", plan: { byIds: true, missingAtInitiator, missingAtResponder: 0 } }
  );
  const cases: Message[][] = [
    [plan(4)],
    [plan(2), { kind: "wants", ids: new Uint8Array(96) }],
    [plan(0), { kind: "wants", ids: new Uint8Array(32) }],
  ];
  for (const messages of cases) {
    using log = logOf(3);
    const played = playAgainst(log, "responder");
    await played.peer.begin({ operations: 3 });
    for (const message of messages) await played.peer.send(message);
    await assertRefuses(played, "bad-message");
  }
});

Deno.test("what arrived before a bad message is kept", async () => {
  using log = OpLog.open();
  const played = playAgainst(log, "responder");
  await played.peer.beginStream({ operations: 2 });
  const kept = note("kept");
  await played.peer.sendWires([kept.wire]);
  await played.peer.sendBytes([255]);
  await assertRefuses(played, "bad-message");
  assertEquals([log.size, log.has(kept.opId)], [1, true]);
});

Deno.test("a failure of the own log is thrown as it is, and the peer is told to try later", async () => {
  using log = OpLog.open();
  const played = playAgainst(log, "responder");
  await played.peer.begin();
  log.close();
  await played.peer.send({ kind: "plan", plan: { byIds: false, missingAtInitiator: 0, missingAtResponder: 0 } });
  await played.peer.sendWires([note("late").wire]).catch(() => {});
  assertEquals(await played.peer.untilRefused(), "busy");
  assertEquals((await played.session.catch((error) => error)).code, "closed");
});

Deno.test("a peer that refuses and closes is heard, also while this node is sending", async () => {
  using log = OpLog.open();
  log.append(Operation.create({ type: "note", body: { text: "x".repeat(900_000) } }, alice));
  for (let n = 0; n < 30; n++) log.record(alice, "note", { n, text: "x".repeat(200_000) });
  const { peer, session } = playAgainst(log, "responder");
  await peer.beginStream();
  await peer.until("operations");
  await peer.send({ kind: "refuse", code: "rate-limited" });
  await peer.channel.close();
  const ends = await Promise.allSettled<SyncReport>([session]);
  const { code, refusedBy } = errorOf(ends[0]);
  assertEquals([code, refusedBy], ["rate-limited", "peer"]);
});

/** What an initiator does before each phase of a session. */
function phases(): ((peer: PlayedPeer) => Promise<unknown>)[] {
  return [
    () => Promise.resolve(),
    (peer) => peer.introduce(),
    async (peer) => {
      await peer.introduce();
      await peer.prove();
    },
    (peer) => peer.begin({ operations: 3 }),
    (peer) => peer.beginStream({ operations: 3 }),
  ];
}
