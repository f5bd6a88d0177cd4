/**
 * What must hold over every transport: the same scenarios, for a factory of connected channels.
 *
 * @module
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import { type Identity, Operation, OpLog } from "../../mod.ts";
import { runSession, type SyncReport, type SyncStatus } from "../../sync.ts";
import { withFolder } from "../folder.ts";
import { alice, bob, carol, missigned, note } from "../operations.ts";
import {
  assertAuditsClean,
  assertEqualLogs,
  type ConnectedPair,
  errorOf,
  Expected,
  type MakePair,
  runPair,
  type SideOptions,
  syncPair,
  untilHas,
} from "./channels.ts";

/** Registers a test for each scenario. */
export function testScenarios(transport: string, makePair: MakePair): void {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    Deno.test(`over ${transport}, ${name}`, () => scenario(makePair));
  }
}

/** The scenarios by their claims. */
export const SCENARIOS: Readonly<Record<string, (makePair: MakePair) => Promise<void>>> = {
  "an empty log receives everything, without a round of reconciliation": async (makePair) => {
    using full = logOf(alice, 300);
    using empty = OpLog.open();
    const { initiator, responder } = await syncPair(makePair, empty, full);
    assertEquals([initiator.received.new, initiator.sent.operations], [300, 0]);
    assertEquals([initiator.rounds, initiator.missingHere, initiator.missingThere], [0, 300, 0]);
    assertEquals([responder.missingHere, responder.missingThere], [0, 300]);
    assertEquals([initiator.peer, responder.peer], [bob.author, alice.author]);
    assertEqualLogs(full, empty);
  },

  "logs that differ end with the union, and little more than the difference is sent": async (makePair) => {
    using a = logOf(alice, 400);
    using b = OpLog.open();
    await syncPair(makePair, a, b);
    for (let n = 0; n < 5; n++) a.record(alice, "note", { n });
    for (let n = 0; n < 7; n++) b.record(bob, "note", { n });
    const { initiator } = await syncPair(makePair, a, b);
    assertEquals([initiator.sent.new, initiator.received.new, initiator.sent.known], [5, 7, 0]);
    assertEquals([initiator.missingHere, initiator.missingThere], [7, 5]);
    assertLess(initiator.bytesSent + initiator.bytesReceived, 32_000);
    assertEqualLogs(a, b);
  },

  "equal logs exchange no operation": async (makePair) => {
    using a = logOf(alice, 100);
    using b = OpLog.open();
    await syncPair(makePair, a, b);
    const { initiator } = await syncPair(makePair, b, a);
    assertEquals([initiator.sent.operations, initiator.received.operations, initiator.rounds], [0, 0, 1]);
    assertEquals([initiator.missingHere, initiator.missingThere], [0, 0]);
  },

  "two empty logs have nothing to do": async (makePair) => {
    using a = OpLog.open();
    using b = OpLog.open();
    const { initiator } = await syncPair(makePair, a, b);
    assertEquals([initiator.missingHere, initiator.missingThere], [0, 0]);
  },

  "pull receives and sends nothing, push the reverse": async (makePair) => {
    using a = logOf(alice, 20);
    using b = logOf(bob, 30);
    const pull = await syncPair(makePair, a, b, { initiator: { direction: "pull" } });
    assertEquals([pull.initiator.received.new, pull.initiator.sent.operations, b.size], [30, 0, 30]);
    b.record(bob, "note", {});
    const push = await syncPair(makePair, a, b, { initiator: { direction: "push" } });
    assertEquals([push.initiator.sent.new, push.initiator.received.operations, a.size], [20, 0, 50]);
  },

  "the responder may leave out a direction, and refuses when none is left": async (makePair) => {
    using a = logOf(alice, 20);
    using b = logOf(bob, 30);
    const { initiator } = await syncPair(makePair, a, b, { responder: { direction: "push" } });
    assertEquals([initiator.received.new, initiator.sent.operations], [30, 0]);
    const refused = await runPair(makePair, a, b, {
      initiator: { direction: "push" },
      responder: { direction: "push" },
    });
    assertRefused(refused, "not-allowed", "responder");
  },

  "a dry run reports what is missing and transfers nothing": async (makePair) => {
    using a = logOf(alice, 2);
    using b = logOf(bob, 60);
    const { initiator } = await syncPair(makePair, a, b, { initiator: { dryRun: true } });
    assertEquals([initiator.missingHere, initiator.missingThere], [60, 2]);
    assertEquals([initiator.sent.operations, initiator.received.operations, a.size, b.size], [0, 0, 2, 60]);
  },

  "a refused operation does not stop what does not depend on it, and the sender learns the codes": async (makePair) => {
    using a = OpLog.open();
    using b = OpLog.open();
    const first = a.record(alice, "note", { text: "first" }, { prev: [] });
    const bad = missigned(note("bad"), bob);
    a.append(bad, { verify: false });
    a.record(alice, "note", { text: "after the bad one" }, { prev: [bad.opId] });
    const last = a.record(alice, "note", { text: "last" }, { prev: [first.opId] });
    const { initiator } = await syncPair(makePair, a, b);
    assertEquals(initiator.sent, {
      operations: 4,
      new: 2,
      known: 0,
      refused: 1,
      pending: 1,
      refusals: { "bad-signature": 1 },
    });
    assertEquals([b.size, b.has(last.opId)], [2, true]);
  },

  "operations of authors that are not accepted are refused": async (makePair) => {
    using a = logOf(alice, 10);
    for (let n = 0; n < 5; n++) a.record(carol, "note", { n }, { prev: [] });
    using b = OpLog.open();
    const acceptAuthor = (author: string) => author === alice.author;
    const { initiator } = await syncPair(makePair, a, b, { responder: { acceptAuthor } });
    assertEquals([initiator.sent.new, initiator.sent.refusals], [10, { "not-allowed": 5 }]);
    assertEquals(b.byType("note").every(({ author }) => author === alice.author), true);
  },

  "a stranger is refused, and learns why": async (makePair) => {
    using a = logOf(alice, 3);
    using b = OpLog.open();
    const ends = await runPair(makePair, a, b, { responder: { allow: (author) => author === carol.author } });
    assertRefused(ends, "not-allowed", "responder");
    const reverse = await runPair(makePair, a, b, { initiator: { allow: (author) => author === carol.author } });
    assertRefused(reverse, "not-allowed", "initiator");
    assertEquals(b.size, 0);
  },

  "both ends may have the same key": async (makePair) => {
    using a = logOf(alice, 3);
    using b = logOf(alice, 4);
    const { initiator } = await syncPair(makePair, a, b, { responder: { signer: alice } });
    assertEquals(initiator.peer, alice.author);
    assertEqualLogs(a, b);
  },

  "an operation that no message of the receiver holds is not sent": async (makePair) => {
    using a = OpLog.open();
    using b = OpLog.open();
    a.record(alice, "note", { text: "x".repeat(300_000) });
    a.record(alice, "note", { text: "small" }, { prev: [] });
    const { initiator, responder } = await runPair(makePair, a, b, {
      responder: { limits: { maxMessageBytes: 1 << 18 } },
    });
    assert(initiator.status === "fulfilled" && responder.status === "fulfilled");
    assertEquals(initiator.value.sent.refusals, { "too-large": 1 });
    assertEquals([initiator.value.sent.new, responder.value.received.operations], [1, 1]);
  },

  "small limits of what is in flight only cost time": async (makePair) => {
    using a = logOf(alice, 60);
    using b = logOf(bob, 60);
    const limits = { operationsInFlight: 7, bytesInFlight: 2000 };
    await syncPair(makePair, a, b, { initiator: { limits }, responder: { limits } });
    assertEqualLogs(a, b);
  },

  "three logs with claims and concurrent writers converge": async (makePair) => {
    using a = logOf(alice, 40);
    using b = OpLog.open();
    using c = OpLog.open();
    a.claims.assert(alice, { key: "rate", value: 1 });
    await syncPair(makePair, a, b);
    await syncPair(makePair, b, c);
    const writing = [a, b, c].map((log, i) => writeMeanwhile(log, [alice, bob, carol][i]));
    await Promise.all([syncPair(makePair, a, b), syncPair(makePair, b, c)]);
    for (const stop of writing) stop();
    for (const [x, y] of [[a, b], [b, c], [c, a], [a, b]]) await syncPair(makePair, x, y);
    assertEqualLogs(a, b, c);
  },

  "a partition heals: what both sides have refuted and asserted meanwhile is the same in the end": async (makePair) => {
    using a = OpLog.open();
    using b = OpLog.open();
    for (const key of ["one", "two", "three"]) a.claims.assert(alice, { key, value: 1 });
    await syncPair(makePair, a, b);
    a.claims.refute(alice, "one", { reason: "wrong" });
    a.claims.correct(alice, "two", 2);
    b.claims.correct(bob, "two", 3);
    b.claims.assert(bob, { key: "four", value: 4 });
    await syncPair(makePair, a, b);
    assertEqualLogs(a, b);
  },

  "two files are synchronized, and audit clean": (makePair) =>
    withFolder(async (folder) => {
      {
        using a = OpLog.open(`${folder}/a.db`);
        using b = OpLog.open(`${folder}/b.db`);
        fill(a, alice, 500);
        fill(b, bob, 300);
        await syncPair(makePair, a, b);
        assertEqualLogs(a, b);
      }
      await assertAuditsClean(`${folder}/a.db`);
      await assertAuditsClean(`${folder}/b.db`);
    }),

  "what either side appends is passed on while they follow, and the end is in good order": async (makePair) => {
    using a = logOf(alice, 10);
    using b = logOf(bob, 10);
    await using session = await follow(makePair, a, b);
    const here = a.record(alice, "note", { text: "here" });
    const there = b.record(bob, "note", { text: "there" });
    await Promise.all([untilHas(b, here.opId), untilHas(a, there.opId)]);
    const { initiator, responder } = await session.stop();
    assertEquals([initiator.sent.new, initiator.received.new], [11, 11]);
    assertEquals([responder.sent.new, responder.received.new], [11, 11]); // nothing was sent back
    assertEquals([initiator.sent.known, responder.sent.known], [0, 0]);
    assertEqualLogs(a, b);
  },

  "the responder may end the following": async (makePair) => {
    using a = logOf(alice, 1);
    using b = OpLog.open();
    const controller = new AbortController();
    await using session = await follow(makePair, a, b, { responder: { signal: controller.signal } });
    controller.abort();
    const { initiator } = await session.ended;
    assertEquals(initiator.sent.new, 1);
  },

  "what one peer sends is passed on to another, once": async (makePair) => {
    using hub = OpLog.open();
    using left = logOf(alice, 5);
    using right = logOf(bob, 5);
    await using first = await follow(makePair, left, hub);
    await using second = await follow(makePair, right, hub);
    const news = left.record(alice, "note", { text: "news" });
    await untilHas(right, news.opId);
    const reply = right.record(bob, "note", { text: "reply" });
    await untilHas(left, reply.opId);
    const [one, two] = [await first.stop(), await second.stop()];
    assertEquals([one.initiator.sent.known, two.initiator.sent.known], [0, 0]);
    assertEquals([one.initiator.received.known, two.initiator.received.known], [0, 0]);
    assertEqualLogs(left, hub, right);
  },

  "three logs that follow each other in a ring come to rest with the same operations": async (makePair) => {
    using a = logOf(alice, 3);
    using b = logOf(bob, 3);
    using c = logOf(carol, 3);
    await using first = await follow(makePair, a, b);
    await using second = await follow(makePair, b, c);
    await using third = await follow(makePair, c, a);
    const news = [a.record(alice, "note", {}), b.record(bob, "note", {}), c.record(carol, "note", {})];
    for (const log of [a, b, c]) for (const { opId } of news) await untilHas(log, opId);
    await Promise.all([first, second, third].map((session) => session.stop()));
    assertEquals(a.size, 12);
    assertEqualLogs(a, b, c);
  },

  "a session that follows outlives its idle time while both are there": async (makePair) => {
    using a = logOf(alice, 1);
    using b = OpLog.open();
    const limits = { idleMs: 200 };
    await using session = await follow(makePair, a, b, { initiator: { limits }, responder: { limits } });
    await session.signsOfLife.until((count) => count >= 6, "signs of life of the peer");
    const late = b.record(bob, "note", { text: "late" });
    await untilHas(a, late.opId);
    await session.stop();
  },

  "an abort ends a session that does not follow with its reason": async (makePair) => {
    using a = logOf(alice, 200);
    using b = OpLog.open();
    const controller = new AbortController();
    const onStatus = ({ sent }: SyncStatus) => sent.operations > 0 && controller.abort(new Error("enough"));
    const limits = { operationsInFlight: 5 };
    const ends = await runPair(makePair, a, b, {
      initiator: { signal: controller.signal, onStatus },
      responder: { limits },
    });
    assertEquals(errorOf(ends.initiator).message, "enough");
    assertEquals(errorOf(ends.responder).code, "busy");
    await syncPair(makePair, a, b);
    assertEqualLogs(a, b);
  },
};

/** A log with so many notes by an author, in memory. */
function logOf(author: Identity, count: number): OpLog {
  const log = OpLog.open();
  fill(log, author, count);
  return log;
}

function fill(log: OpLog, author: Identity, count: number): void {
  let prev: string[] = [];
  log.appendAll(Array.from({ length: count }, (_, n) => {
    const op = Operation.create({ type: "note", body: { n }, prev, ts: 1_700_000_000_000 + 1000 * n }, author);
    prev = [op.opId];
    return op;
  }));
}

/** Appends claims now and then, until it is stopped. */
function writeMeanwhile(log: OpLog, author: Identity): () => void {
  let n = 0;
  const timer = setInterval(() => log.claims.assert(author, { key: "rate", value: n++ }), 1);
  return () => clearInterval(timer);
}

function assertRefused(ends: Awaited<ReturnType<typeof runPair>>, code: string, by: "initiator" | "responder"): void {
  const other = by === "initiator" ? "responder" : "initiator";
  const [own, told] = [errorOf(ends[by]), errorOf(ends[other])];
  assertEquals([own.code, own.refusedBy], [code, "this node"]);
  assertEquals([told.code, told.refusedBy], [code, "peer"]);
}

/** Starts a session that follows, and returns once both sides do. */
async function follow(
  makePair: MakePair,
  a: OpLog,
  b: OpLog,
  options: { initiator?: SideOptions; responder?: SideOptions } = {},
) {
  const pair: ConnectedPair = await makePair();
  const controller = new AbortController();
  const phases = new Expected<Record<string, string>>({});
  const signsOfLife = new Expected(0);
  let received = 0;
  const seen: Record<string, string> = {};
  const onStatus = (side: string) => ({ phase, bytesReceived }: SyncStatus) => {
    seen[side] = phase;
    phases.set(seen);
    if (side === "responder") return;
    if (bytesReceived - received === 1) signsOfLife.set(signsOfLife.value + 1); // the only message of one byte
    received = bytesReceived;
  };
  const run = async (): Promise<{ initiator: SyncReport; responder: SyncReport }> => {
    const sessions = [
      runSession(a, pair.initiator, {
        signer: alice,
        signal: controller.signal,
        ...options.initiator,
        role: "initiator",
        follow: true,
        onStatus: onStatus("initiator"),
      }),
      runSession(b, pair.responder, {
        signer: bob,
        ...options.responder,
        role: "responder",
        onStatus: onStatus("responder"),
      }),
    ];
    await Promise.allSettled(sessions);
    await pair.close();
    const [initiator, responder] = await Promise.all(sessions);
    return { initiator, responder };
  };
  const ended = run();
  ended.catch(() => {});
  await Promise.race([
    phases.until(({ initiator, responder }) => initiator === "follow" && responder === "follow", "following"),
    ended,
  ]);
  const stop = async () => {
    controller.abort();
    return await ended;
  };
  return { ended, stop, signsOfLife, [Symbol.asyncDispose]: async () => void await stop() };
}
