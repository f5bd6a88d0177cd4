import { assert, assertEquals, assertThrows } from "@std/assert";
import { FileError, LogError, type Operation, OperationError, OpLog } from "../../mod.ts";
import { Connection } from "../../src/sqlite/connection.ts";
import { withDatabase, withFolder } from "../folder.ts";
import { alice, bob } from "../operations.ts";
import { idOf, unsigned } from "./histories.ts";
import { asserts, derive, fallen, history, UNCHECKED } from "./scenarios.ts";

Deno.test("a refute records exactly the claims that fall with it, each with its path", () => {
  using log = OpLog.open();
  const top = derive(log, "top");
  const left = derive(log, "left", top);
  const right = derive(log, "right", top);
  const bottom = derive(log, "bottom", right, left);
  const aside = derive(log, "aside");
  const beyond = derive(log, "beyond", bottom, aside);
  const again = log.claims.assert(bob, { key: "top", value: "top" });
  const waiting = log.claims.assert(bob, { key: "w", value: 1, inputs: [top.opId, idOf("absent")] });
  const before = log.size;
  const cascade = log.claims.refute(alice, "top", { reason: "no" });
  const { opId } = cascade.op;
  const path = (...ops: Operation[]) => [opId, ...ops.map(({ opId }) => opId)];
  assertEquals(fallen(cascade), {
    [top.opId]: path(top),
    [left.opId]: path(top, left),
    [right.opId]: path(top, right),
    [bottom.opId]: path(top, left, bottom),
    [beyond.opId]: path(top, left, bottom, beyond),
    [again.opId]: path(again),
    [waiting.opId]: path(top, waiting),
  });
  assertEquals(log.size, before + 8);
  assertEquals([...log.entries({ sinceSeq: before })].map(({ op }) => op.opId), [
    opId,
    ...cascade.invalidations.map(({ opId }) => opId),
  ]);
  assertEquals([cascade.op.body, cascade.op.prev.length], [{ key: "top", scope: "key", reason: "no" }, 1]);
  assertEquals(log.heads(), [cascade.invalidations.at(-1)!.opId]);
  assertEquals(log.claims.get(aside.opId).status, "active");
  for (const [claim, path] of Object.entries(fallen(cascade))) assertEquals(log.claims.explain(claim).fall?.path, path);
});

Deno.test("a correction records the claims that fall with it, and not those that it confirms", () => {
  using log = OpLog.open();
  const tea = log.claims.assert(alice, { key: "drink", value: "tea" });
  const coffee = log.claims.assert(alice, { key: "drink", value: "coffee" });
  const [onTea, onCoffee] = [derive(log, "on tea", tea), derive(log, "on coffee", coffee)];
  const first = log.claims.correct(bob, "drink", "tea");
  assertEquals(fallen(first), {
    [coffee.opId]: [first.op.opId, coffee.opId],
    [onCoffee.opId]: [first.op.opId, coffee.opId, onCoffee.opId],
  });
  const second = log.claims.correct(bob, "drink", "coffee");
  assertEquals(Object.keys(fallen(second)), [tea, onTea, first.op].map(({ opId }) => opId));
  assertEquals(log.claims.get(onCoffee.opId).status, "active");
});

Deno.test("claims that had fallen before, or that do not fall, are not recorded", () => {
  using log = OpLog.open();
  const tea = log.claims.assert(alice, { key: "drink", value: "tea" });
  const both = derive(log, "both", tea, derive(log, "other"));
  assertEquals(log.claims.refute(alice, "drink").invalidations.length, 2);
  assertEquals(log.claims.refute(alice, "drink").invalidations, []);
  assertEquals(log.claims.refute(alice, "drink", { value: "tea" }).invalidations, []);
  assertEquals(log.claims.refute(alice, "nothing").invalidations, []);
  assertEquals(log.claims.refute(alice, "other", { value: "else" }).invalidations, []);
  // Refuted before, corrected now; the claims derived from it had fallen already.
  const water = log.claims.correct(alice, "drink", "water");
  assertEquals(water.invalidations, []);
  const other = log.claims.refute(alice, "other");
  assertEquals(Object.keys(fallen(other)).length, 1);
  assert(!(both.opId in fallen(other)));
  // Lifts the rule against the tea, but the other claim is still refuted.
  assertEquals(Object.keys(fallen(log.claims.correct(alice, "drink", "tea"))), [water.op.opId]);
  assertEquals(log.claims.get(both.opId).status, "invalidated");
});

Deno.test("a claim that fell by its input and is then refuted itself is recorded once, and the other way round", () => {
  using log = OpLog.open();
  const first = log.claims.assert(alice, { key: "drink", value: "water" });
  const second = log.claims.assert(alice, { key: "drink", value: "tea", inputs: [first.opId] });
  const third = derive(log, "third", second);
  assertEquals(Object.keys(fallen(log.claims.refute(alice, "drink", { value: "water" }))).length, 3);
  assertEquals(log.claims.refute(alice, "third").invalidations, []);
  assertEquals(log.claims.refute(alice, "drink", { value: "tea" }).invalidations, []);
  assertEquals([second, third].map(({ opId }) => log.claims.get(opId).status), ["refuted", "refuted"]);

  using other = OpLog.open();
  const water = other.claims.assert(alice, { key: "drink", value: "water" });
  const tea = other.claims.assert(alice, { key: "drink", value: "tea", inputs: [water.opId] });
  assertEquals(Object.keys(fallen(other.claims.refute(alice, "drink", { value: "tea" }))), [tea.opId]);
  // Lifts the refute of the tea, and corrects its input.
  assertEquals(Object.keys(fallen(other.claims.correct(alice, "drink", "tea"))), [water.opId]);
  assertEquals(other.claims.get(tea.opId).status, "invalidated");
});

Deno.test("a cascade records only the claims that fall with it, not those that fell in an earlier catch-up", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    using log = OpLog.open(path);
    const [a, b] = [derive(log, "a"), derive(log, "b")];
    const onBoth = derive(log, "on both", a, b);
    log.claims.query();
    log.record(bob, "claim.refute", { key: "a", scope: "key" });
    const late = derive(log, "late", b);
    const cascade = log.claims.refute(alice, "b");
    assertEquals(fallen(cascade), {
      [b.opId]: [cascade.op.opId, b.opId],
      [late.opId]: [cascade.op.opId, b.opId, late.opId],
    });
    assertEquals(log.claims.get(onBoth.opId).via, a.opId);
  });
});

Deno.test("a refute or a correction that fails changes nothing", () => {
  withFolder((folder) => {
    using log = OpLog.open(`${folder}/log.db`);
    const top = derive(log, "top");
    for (let n = 0; n < 5; n++) derive(log, `${n}`, top);
    const before = [log.size, log.heads(), [...log.claims.query()]];
    let left = 3;
    const dying = {
      author: alice.author,
      sign: (message: Uint8Array) => {
        if (left-- === 0) throw new Error("the key is gone");
        return alice.sign(message);
      },
    };
    assertThrows(() => log.claims.refute(dying, "top"), Error, "the key is gone");
    left = 3;
    assertThrows(() => log.claims.correct(dying, "top", 2), Error, "the key is gone");
    const refused: [() => unknown, code: string, path: string][] = [
      [() => log.claims.refute(alice, ""), "bad-body", "$.body.key"],
      [() => log.claims.refute(alice, "top", { reason: "r".repeat(513) }), "bad-body", "$.body.reason"],
      [() => log.claims.correct(alice, "top", 1, { reason: "" }), "bad-body", "$.body.reason"],
      [() => log.claims.correct(alice, "top", 0.5 as never), "bad-shape", "$.body.value"],
      [() => log.claims.correct(alice, "top", undefined as never), "bad-body", "$.body.value"],
      [() => log.claims.refute(alice, "top", { ts: -1 }), "bad-shape", "$.ts"],
      [
        () => log.claims.assert(alice, { key: "k", value: 1, confidencePpm: 0.5 }),
        "bad-shape",
        "$.body.confidence_ppm",
      ],
      [() => log.claims.assert(alice, { key: "k", value: 1, inputs: ["x"] }), "bad-body", "$.body.inputs[0]"],
    ];
    for (const [change, code, path] of refused) {
      const error = assertThrows(change, OperationError);
      assertEquals([error.code, error.path], [code, path]);
    }
    assertEquals([log.size, log.heads(), [...log.claims.query()]], before);
    assertEquals(log.claims.refute(alice, "top").invalidations.length, 6);
  });
});

Deno.test("a readonly log refuses asserts, refutes and corrections", () => {
  withFolder((folder) => {
    OpLog.open(`${folder}/log.db`).close();
    using log = OpLog.open(`${folder}/log.db`, { readonly: true });
    const changes = [
      () => log.claims.refute(alice, "k"),
      () => log.claims.correct(alice, "k", 1),
      () => log.claims.assert(alice, { key: "k", value: 1 }),
    ];
    for (const change of changes) assertEquals(assertThrows(change, LogError).code, "read-only");
  });
});

Deno.test("the number of statements of a cascade does not depend on the length of the chain", () => {
  const statements = (length: number) => {
    using log = OpLog.open();
    const body = (n: number) => asserts("", `k${n}`, n, ...n === 0 ? [] : [`${n - 1}`]).body;
    log.appendAll(Array.from({ length }, (_, n) => unsigned(`${n}`, "claim.assert", body(n), [])), UNCHECKED);
    log.claims.current("k0");
    return countQueries(() => assertEquals(log.claims.refute(alice, "k0").invalidations.length, length));
  };
  assertEquals(statements(200), statements(20));
});

function countQueries(work: () => void): number {
  const query = Connection.prototype.query;
  let count = 0;
  Connection.prototype.query = function (sql) {
    count++;
    return query.call(this, sql);
  };
  try {
    work();
  } finally {
    Connection.prototype.query = query;
  }
  return count;
}

const MANY = 10_000;

Deno.test("a cascade down a chain of 10,000 claims records each, with long paths cut", () => {
  using log = OpLog.open();
  const body = (n: number) => asserts("", `k${n}`, n, ...n === 0 ? [] : [`${n - 1}`]).body;
  const ops = Array.from({ length: MANY }, (_, n) => unsigned(`${n}`, "claim.assert", body(n), []));
  log.appendAll(ops, UNCHECKED);
  assertEquals(log.claims.get(idOf(`${MANY - 1}`)).status, "active");
  const { op, invalidations } = log.claims.refute(alice, "k0");
  assertEquals(invalidations.map(({ body }) => body.claim), ops.map(({ opId }) => opId));
  const whole = [op, ...ops].map(({ opId }) => opId);
  const recorded = (n: number) => {
    const path = whole.slice(0, n + 2);
    return path.length <= 32 ? path : [...path.slice(0, 16), ...path.slice(-16)];
  };
  for (const [n, { body }] of invalidations.entries()) assertEquals(body.path, recorded(n));
  for (const [n, invalidation] of log.byType("claim.invalidate").entries()) if (n % 10 === 0) invalidation.verify();
  const { claim, nodes, fall } = log.claims.explain(idOf(`${MANY - 1}`));
  assertEquals([claim.status, claim.cause, claim.via], ["invalidated", op.opId, idOf(`${MANY - 2}`)]);
  assertEquals([nodes.length, fall?.path], [MANY, whole]);
  assertEquals(log.claims.correct(alice, "k0", 0).invalidations, []);
  assertEquals([...log.claims.query({ status: "active" })].length, MANY + 1);
});

Deno.test("a cascade over 10,000 claims derived from one records each", () => {
  using log = OpLog.open();
  const bodies = Array.from({ length: MANY }, (_, n) => asserts("", `k${n % 100}`, n % 7, "root").body);
  log.appendAll(history(asserts("root", "root", 1)).ops, UNCHECKED);
  log.appendAll(bodies.map((body, n) => unsigned(`${n}`, "claim.assert", body, [])), UNCHECKED);
  const live = () => [...log.claims.query({ status: "active" })].map(({ opId }) => opId);
  const before = live();
  const { op, invalidations } = log.claims.refute(alice, "root");
  assertEquals(invalidations.length, MANY + 1);
  assertEquals(new Set(invalidations.map(({ body }) => body.claim)).size, MANY + 1);
  for (const { body: { claim, path } } of invalidations.slice(1)) assertEquals(path, [op.opId, idOf("root"), claim]);
  assertEquals(live(), []);
  const { op: yes } = log.claims.correct(alice, "root", 1);
  assertEquals(live().sort(), [...before, yes.opId].sort());
});

Deno.test("a damaged id of a claim that falls is damage of what is derived, and nothing is appended", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    {
      using log = OpLog.open(path);
      log.claims.assert(alice, { key: "drink", value: "tea" });
      log.heads();
      log.claims.current("drink");
    }
    withDatabase(path, (database) => database.exec("UPDATE mnema_claims SET op_id = 'oq' || substr(op_id, 3)"));
    using log = OpLog.open(path);
    const error = assertThrows(() => log.claims.refute(alice, "drink"), FileError);
    assertEquals([error.code, log.size], ["derived-damaged", 1]);
  });
});
