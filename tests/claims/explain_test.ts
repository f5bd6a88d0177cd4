import { assert, assertEquals } from "@std/assert";
import { formatTree, OpLog } from "../../mod.ts";
import { withFolder } from "../folder.ts";
import { alice, bob } from "../operations.ts";
import { idOf, unsigned } from "./histories.ts";
import { insertOutside } from "../outside.ts";
import { asserts, history, observes, signedLog } from "./scenarios.ts";

Deno.test("an explanation has the inputs of a claim at any distance, each once, depth first", () => {
  const named = history(
    observes("receipt"),
    asserts("a", "a", 1, "receipt"),
    { name: "note", type: "note", body: {} },
    asserts("b", "b", 1, "a", "note", "absent"),
    asserts("c", "c", 1, "receipt", "b"),
    asserts("d", "d", 1, "c", "b", "a"),
    { name: "bad", type: "evidence.add", body: {} },
  );
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    OpLog.open(path).close();
    insertOutside(path, named.ops);
    insertOutside(path, [unsigned("e", "claim.assert", asserts("e", "e", 1, "bad", "d").body, [])]);
    using log = OpLog.open(path);
    const { claim, nodes, ...rest } = log.claims.explain(idOf("e"));
    assertEquals([claim.opId, claim.status, rest], [idOf("e"), "pending", {}]);
    const expected = { e: "claim", bad: "other", d: "claim", c: "claim", receipt: "evidence", b: "claim", a: "claim" };
    assertEquals(
      nodes.map(({ opId, is }) => [opId, is]),
      [
        ...Object.entries(expected),
        ["note", "other"],
        ["absent", "missing"],
      ].map(([name, is]) => [idOf(name), is]),
    );
    const evidence = nodes.find(({ is }) => is === "evidence");
    assert(evidence?.is === "evidence");
    assertEquals(evidence.evidence, {
      opId: idOf("receipt"),
      author: named.ops[0].author,
      ts: 0,
      source: "shop",
      kind: "receipt",
      content: { name: "receipt" },
    });
    for (const node of nodes) if (node.is === "claim") assertEquals(node.claim, log.claims.get(node.opId));
  });
});

Deno.test("the explanation of a fallen claim has the cause and the path", () => {
  using log = OpLog.open();
  const tea = log.claims.assert(alice, { key: "drink", value: "tea" });
  const meal = log.claims.assert(alice, { key: "meal", value: 1, inputs: [tea.opId] });
  const day = log.claims.assert(alice, { key: "day", value: 1, inputs: [meal.opId] });
  assertEquals("fall" in log.claims.explain(day.opId), false);
  const { op } = log.claims.refute(bob, "drink", { value: "tea", reason: "never", ts: 7 });
  const fall = {
    opId: op.opId,
    type: "claim.refute" as const,
    author: bob.author,
    ts: 7,
    key: "drink",
    value: "tea",
    reason: "never",
  };
  assertEquals(log.claims.explain(day.opId).fall, { ...fall, path: [op, tea, meal, day].map(({ opId }) => opId) });
  assertEquals(log.claims.explain(tea.opId).fall, { ...fall, path: [op.opId, tea.opId] });
  const { op: correction } = log.claims.correct(bob, "drink", "water", { ts: 8 });
  assertEquals(log.claims.explain(tea.opId).fall?.opId, op.opId, "it stays refuted");
  const { op: yes } = log.claims.correct(bob, "drink", "tea", { ts: 9 });
  assertEquals("fall" in log.claims.explain(day.opId), false);
  assertEquals(log.claims.explain(correction.opId).fall, {
    opId: yes.opId,
    type: "claim.correct",
    author: bob.author,
    ts: 9,
    key: "drink",
    value: "tea",
    path: [yes.opId, correction.opId],
  });
  const { op: whole } = log.claims.refute(bob, "drink", { ts: 10 });
  assertEquals(log.claims.explain(meal.opId).fall, {
    opId: whole.opId,
    type: "claim.refute",
    author: bob.author,
    ts: 10,
    key: "drink",
    path: [whole.opId, tea.opId, meal.opId],
  });
});

Deno.test("the explanation of a superseded claim has the later claim", () => {
  using log = OpLog.open();
  const tea = log.claims.assert(alice, { key: "drink", value: "tea" });
  log.claims.assert(alice, { key: "drink", value: "coffee" });
  const last = log.claims.assert(bob, { key: "drink", value: "coffee" });
  const { claim, supersededBy, fall } = log.claims.explain(tea.opId);
  assertEquals([claim.status, claim.cause, fall], ["superseded", last.opId, undefined]);
  assertEquals(supersededBy, log.claims.get(last.opId));
});

Deno.test("every explanation can be recorded as a valid operation", () => {
  const { log, ids } = signedLog();
  using _ = log;
  for (const name of ["tea", "coffee", "meal", "day", "home"]) {
    const explanation = log.claims.explain(ids[name]);
    const op = log.claims.record(alice, explanation, formatTree(explanation).join("\n"));
    op.verify();
    assertEquals(op.type, "explanation.record");
    assertEquals([op.body.claim, op.body.chain], [ids[name], explanation.nodes.map(({ opId }) => opId)]);
  }
  const long = log.claims.assert(alice, { key: "😀".repeat(512), value: "😀".repeat(20_000) });
  const longest = log.claims.explain(long.opId);
  const { body } = log.claims.record(alice, longest, formatTree(longest).join("\n"));
  assert([...body.summary as string].length <= 8192);
});

Deno.test("a limited explanation has the nearest inputs, and counts what is left out", () => {
  const named = history(
    observes("e1"),
    observes("e2"),
    asserts("a", "a", 1, "e1"),
    asserts("b", "b", 1, "e2"),
    asserts("c", "c", 1, "a", "b"),
  );
  using log = OpLog.open();
  log.appendAll(named.ops, { verify: false });
  const names = (limit?: number) => {
    const { nodes, leftOut } = log.claims.explain(idOf("c"), { limit });
    return [nodes.map(({ opId }) => named.names.get(opId)).join(" "), leftOut];
  };
  assertEquals(names(1), ["c", 2]);
  assertEquals(names(2), ["c a", 2]);
  assertEquals(names(3), ["c a b", 2]);
  assertEquals(names(4), ["c a b e1", 1]);
  assertEquals(names(5), ["c a b e1 e2", undefined]);
  assertEquals(names(), ["c a e1 b e2", undefined]);
});

Deno.test("a limited explanation of a fallen claim has the ends of its path", () => {
  using log = OpLog.open();
  const claims: string[] = [];
  for (let n = 0; n < 20; n++) {
    claims.push(log.claims.assert(alice, { key: `${n}`, value: 1, inputs: claims.slice(-1) }).opId);
  }
  const { op } = log.claims.refute(bob, "0");
  const { nodes, fall, leftOut } = log.claims.explain(claims[19], { limit: 6 });
  assertEquals(fall?.path, [op.opId, claims[0], claims[1], ...claims.slice(17)]);
  assertEquals([fall?.pathLeftOut, leftOut], [15, 1]);
  assertEquals(nodes.map(({ opId }) => opId), [19, 0, 18, 17, 16, 15].map((n) => claims[n]));
});
