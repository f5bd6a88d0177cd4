import { assert, assertEquals, assertFalse, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  AmbiguousIdError,
  DanglingReferenceError,
  LogError,
  NotFoundError,
  type Operation,
  OperationError,
  OpLog,
} from "../../mod.ts";
import { withFolder } from "../folder.ts";
import { alice, bob, causalShuffle, forged, headsOf, note, vectorOperations } from "../operations.ts";
import { readVectors } from "../vectors.ts";
import { runs } from "../runs.ts";

const expected = readVectors<{ operations: number; last_op_id: string; heads: string[]; by_type: object }>(
  "log.expect.json",
);
const operations = vectorOperations();

Deno.test("log.jsonl goes in and gives the expected heads, counts and last operation", () => {
  using log = OpLog.open();
  const seqs = log.appendAll(operations);
  assertEquals(seqs, operations.map((_, i) => i + 1));
  assertEquals(log.size, expected.operations);
  assertEquals(log.lastOpId(), expected.last_op_id);
  assertEquals(log.heads(), expected.heads);
  assertEquals(log.stats().types, expected.by_type);
  assertEquals(
    log.byType("note").map((op) => op.wire),
    operations.filter((op) => op.type === "note").map((o) => o.wire),
  );
});

Deno.test("an operation reads back as it was appended, in an order that respects prev", () => {
  using log = OpLog.open();
  for (const op of operations.slice(0, 100)) {
    const seq = log.append(op);
    assertEquals([log.seqOf(op.opId), log.has(op.opId)], [seq, true]);
    const read = log.get(op.opId);
    assertEquals(read.wire, op.wire);
    assertEquals(read.toWire(), op.toWire());
    read.verify();
    for (const id of op.prev) assert(log.seqOf(id)! < seq);
  }
});

Deno.test("appending what is there returns its seq and changes nothing", () => {
  using log = OpLog.open();
  const some = operations.slice(0, 50);
  const seqs = log.appendAll(some);
  const before = log.stats();
  for (const [i, op] of some.entries()) assertEquals(log.append(op), seqs[i]);
  assertEquals(log.appendAll([...some, ...some]), [...seqs, ...seqs]);
  assertEquals(log.stats(), before);
});

Deno.test("the heads and counts are the same in whatever order operations arrived", () => {
  const some = operations.slice(0, 40);
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat()), fc.nat(40), (stream, split) => {
      const order = causalShuffle(some, (limit) => stream.next().value! % limit);
      using log = OpLog.open();
      for (const op of order.slice(0, split)) log.append(op);
      assertEquals(log.heads(), headsOf(order.slice(0, split)));
      log.appendAll(order.slice(split));
      assertEquals(log.heads(), headsOf(some));
      assertEquals([...log.entries()].map(({ op }) => op.opId), order.map((op) => op.opId));
    }),
    { numRuns: runs(30) },
  );
});

Deno.test("an operation that follows what the log does not hold is refused with the missing ids", () => {
  using log = OpLog.open();
  const [first, second] = [note("first"), note("second")];
  const third = note("third", [first.opId, second.opId]);
  log.append(first);
  const error = assertThrows(() => log.append(third), DanglingReferenceError);
  assertEquals([error.code, error.opId, error.missing], ["dangling-reference", third.opId, [second.opId]]);
  assertEquals(log.size, 1);
  assertEquals(log.append(third, { checkPrev: false }), 2);
});

Deno.test("a forged operation is refused, even when the log holds the one it pretends to be", () => {
  using log = OpLog.open();
  const op = note("genuine");
  for (let held = 0; held < 2; held++) {
    const error = assertThrows(() => log.append(forged(op)), OperationError);
    assertEquals([error.check, error.opId], ["content address", op.opId]);
    assertEquals(log.size, held);
    log.append(op);
  }
});

Deno.test("a batch with one refused operation leaves nothing behind", () => {
  const batches: [Operation[], string][] = [
    [[note("a"), forged(note("b")), note("c")], "bad-address"],
    [[note("a"), note("b", ["op_" + "0".repeat(64)]), note("c")], "dangling-reference"],
    [[note("a"), note("x".repeat(1000)), note("c")], "too-large"],
  ];
  using log = OpLog.open(":memory:", { maxOperationBytes: 1000 });
  log.append(note("before"));
  for (const [batch, code] of batches) {
    assertEquals(assertThrows(() => log.appendAll(batch), LogError).code, code);
    assertEquals([log.size, log.heads()], [1, [note("before").opId]]);
  }
  assertEquals(log.appendAll([note("a"), note("b", [note("a").opId])]), [2, 3]);
});

Deno.test("what a batch took back is not there to be followed", () => {
  withFolder((folder) => {
    for (const path of [":memory:", `${folder}/log.db`]) {
      using log = OpLog.open(path);
      const kept = note("kept");
      const first = note("first");
      const second = note("second", [first.opId]);
      log.append(kept);
      assertThrows(() => log.appendAll([first, note("x", ["op_" + "0".repeat(64)])]), DanglingReferenceError);
      assertEquals(assertThrows(() => log.append(second), DanglingReferenceError).missing, [first.opId]);
      assertEquals([log.append(first), log.append(second), log.append(note("z", [kept.opId]))], [2, 3, 4]);
    }
  });
});

Deno.test("an operation that was appended long ago, and follows nothing, returns its seq", () => {
  using log = OpLog.open();
  const ops = Array.from({ length: 5000 }, (_, n) => note(`${n}`));
  log.appendAll(ops, { verify: false });
  const follower = note("follower", [ops[0].opId, ops[4999].opId]);
  assertEquals([log.append(ops[0]), log.append(ops[1]), log.append(ops[4999])], [1, 2, 5000]);
  assertEquals([log.append(follower), log.append(follower), log.size], [5001, 5001, 5001]);
  assertEquals(log.heads(), headsOf([...ops, follower]));
});

Deno.test("the size limit counts bytes of UTF-8 and lets the exact size in", () => {
  const op = note("é🙂東");
  const bytes = new TextEncoder().encode(op.wire).length;
  using tight = OpLog.open(":memory:", { maxOperationBytes: bytes - 1 });
  assertEquals(assertThrows(() => tight.append(op), LogError).code, "too-large");
  using fitting = OpLog.open(":memory:", { maxOperationBytes: bytes });
  assertEquals(fitting.append(op), 1);
});

Deno.test("record follows everything in the log and becomes its only head", () => {
  using log = OpLog.open();
  const first = log.record(alice, "note", { text: "one" });
  assertEquals(first.prev, []);
  const fork = [note("left", [first.opId]), note("right", [first.opId])];
  log.appendAll(fork);
  const merge = log.record(bob, "note", { text: "two" }, { ts: 5 });
  assertEquals([merge.prev, merge.author, merge.ts], [fork.map((op) => op.opId).sort(), bob.author, 5]);
  assertEquals(log.heads(), [merge.opId]);
  merge.verify();
});

Deno.test("record follows what another connection appended since the last record", () => {
  withFolder((folder) => {
    using here = OpLog.open(`${folder}/log.db`);
    using there = OpLog.open(`${folder}/log.db`);
    const first = here.record(alice, "note", { text: "one" });
    const second = there.record(bob, "note", { text: "two" });
    assertEquals(second.prev, [first.opId]);
    const apart = note("apart");
    there.append(apart);
    assertEquals(here.record(alice, "note", { text: "three" }).prev, [second.opId, apart.opId].sort());
  });
});

Deno.test("record follows what an append put beside the last record", () => {
  using log = OpLog.open();
  const first = log.record(alice, "note", { text: "one" });
  const apart = note("apart");
  log.append(apart);
  assertEquals(log.record(alice, "note", { text: "two" }).prev, [first.opId, apart.opId].sort());
});

Deno.test("record does not follow what was recorded inside an ingest that was rolled back", async () => {
  using log = OpLog.open();
  const kept = log.record(alice, "note", { text: "kept" });
  const source = function* () {
    yield note("apart").wire;
    log.record(alice, "note", { text: "rolled back" });
    yield forged(note("forged")).wire;
  };
  await assertRejects(() => log.ingest(source(), { atomic: true }), LogError);
  assertEquals(log.record(alice, "note", { text: "after" }).prev, [kept.opId]);
});

Deno.test("record refuses what create refuses, and the log stays as it was", () => {
  using log = OpLog.open();
  assertThrows(() => log.record(alice, "Not a type", {}), OperationError, "$.type");
  assertThrows(() => log.record(alice, "note", { half: 0.5 }), OperationError, "$.body.half");
  assertEquals(log.size, 0);
});

Deno.test("record names the deepest 1,024 of more heads, and of equal depth those with the smallest ids", () => {
  using log = OpLog.open();
  const many = Array.from({ length: 1030 }, (_, n) => note(`head ${n}`));
  log.appendAll(many, { verify: false });
  const deep = note("deep", [many[0].opId]);
  log.append(deep, { verify: false });
  const shallow = many.slice(1).map(({ opId }) => opId).sort();
  const op = log.record(alice, "note", { text: "after" });
  assertEquals(op.prev, [deep.opId, ...shallow.slice(0, 1023)].sort());
  assertEquals(log.heads(), [op.opId, ...shallow.slice(1023)].sort());
});

Deno.test("an abbreviated id resolves to its only match", () => {
  using log = OpLog.open();
  log.appendAll(operations);
  const id = expected.last_op_id;
  for (const abbreviated of [id, id.slice(0, 20), id.slice(0, 9) + "…", id.slice(0, 9) + "..."]) {
    assertEquals(log.resolve(abbreviated), id);
  }
  const error = assertThrows(() => log.resolve("op_5"), AmbiguousIdError);
  assertEquals([error.code, error.prefix], ["ambiguous-id", "op_5"]);
  assert(error.candidates.length > 1 && error.candidates.every((candidate) => candidate.startsWith("op_5")));
  assertThrows(() => log.resolve(id.slice(0, -1) + (id.endsWith("f") ? "0" : "f")), NotFoundError);
  for (const bad of ["", "op_", "5b96", "op_5B96", "op_%", "op_" + "0".repeat(65)]) {
    assertEquals(assertThrows(() => log.resolve(bad), LogError).code, "invalid-argument");
  }
});

Deno.test("what is not in the log is not found", () => {
  using log = OpLog.open();
  const { opId } = note("elsewhere");
  assertEquals([log.seqOf(opId), log.has(opId), log.lastOpId(), log.heads(), log.size], [
    undefined,
    false,
    undefined,
    [],
    0,
  ]);
  assertEquals(assertThrows(() => log.get(opId), NotFoundError).opId, opId);
  assertEquals([...log.entries()], []);
  assertEquals(log.stats().span, undefined);
});

Deno.test("a closed log says so, and closing twice is no error", () => {
  const log = OpLog.open();
  log.append(note("a"));
  const entries = log.entries();
  log.close();
  log.close();
  for (const use of [() => log.size, () => log.append(note("b")), () => log.heads(), () => entries.next()]) {
    assertEquals(assertThrows(use, LogError).code, "closed");
  }
});

Deno.test("a read-only log reads, refuses changes, and leaves the file as it is", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    {
      using log = OpLog.open(path);
      log.appendAll(operations.slice(0, 10));
    }
    const before = Deno.readFileSync(path);
    {
      using log = OpLog.open(path, { readonly: true });
      assertEquals([log.size, log.heads()], [10, headsOf(operations.slice(0, 10))]);
      assertEquals(assertThrows(() => log.append(operations[10]), LogError).code, "read-only");
      assertEquals(assertThrows(() => log.record(alice, "note", {}), LogError).code, "read-only");
    }
    assertEquals(Deno.readFileSync(path), before);
  });
});

Deno.test("options that make no sense are refused", () => {
  const bad: Record<string, unknown>[] = [
    { durability: "off" },
    { maxOperationBytes: 0 },
    { busyTimeoutMs: -1 },
    { busyTimeoutMs: 0.5 },
  ];
  for (const options of bad) {
    assertEquals(assertThrows(() => OpLog.open(":memory:", options), LogError).code, "invalid-argument");
  }
  using log = OpLog.open();
  assertEquals(assertThrows(() => log.append(note("a").toWire() as never), LogError).code, "invalid-argument");
  for (const options of [{ limit: -1 }, { sinceSeq: 0.5 }, { types: "note" }] as const) {
    assertEquals(assertThrows(() => log.entries(options), LogError).code, "invalid-argument");
  }
});

Deno.test("options of an ingest that make no sense are refused", async () => {
  using log = OpLog.open();
  for (const options of [{ workers: -1 }, { workers: 1.5 }, { order: "random" as "any" }, { maxWaiting: -1 }]) {
    assertEquals((await assertRejects(() => log.ingest([], options), LogError)).code, "invalid-argument");
  }
});

Deno.test("a log in memory is gone when it is closed", () => {
  {
    using log = OpLog.open();
    log.append(note("a"));
  }
  using log = OpLog.open();
  assertFalse(log.has(note("a").opId));
});
