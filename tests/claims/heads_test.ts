import { assert, assertEquals, assertThrows } from "@std/assert";
import { FileError, LogError, type Operation, OperationError, OpLog } from "../../mod.ts";
import { isEffective } from "../../src/claims/rules.ts";
import { internalsOf } from "../../src/oplog.ts";
import { withDatabase, withFolder } from "../folder.ts";
import { alice, bob } from "../operations.ts";
import { idOf, unsigned } from "./histories.ts";
import { asserts, corrects, type Draft, refutes, UNCHECKED } from "./scenarios.ts";

const MAX_PREV = 1024;

function make({ name, type, body }: Draft, ...prev: string[]): Operation {
  return unsigned(name, type, body, prev.map(idOf));
}

/** Root notes, which are heads: by default as many as an operation can follow. */
function roots(count = MAX_PREV): Operation[] {
  return Array.from({ length: count }, (_, n) => unsigned(`root ${n}`, "note", {}, []));
}

/** Statements about a drink, deep in the log, and then more shallow heads than an operation can follow. */
function deepLog(...drafts: Draft[]): OpLog {
  const log = OpLog.open();
  let last = "b";
  const ops = [unsigned("a", "note", {}, []), unsigned("b", "note", {}, [idOf("a")])];
  for (const draft of drafts) {
    ops.push(make(draft, last));
    last = draft.name;
  }
  log.appendAll([...ops, ...roots()], UNCHECKED);
  return log;
}

Deno.test("a correction takes effect after a deep refute, however many shallow heads are newer", () => {
  using log = deepLog(refutes("no", "drink"));
  const { op, effective } = log.claims.correct(alice, "drink", "tea");
  assertEquals([log.claims.get(op.opId).status, effective], ["active", true]);
  assertEquals(log.claims.current("drink")?.opId, op.opId);
});

Deno.test("a refute takes effect after a deep correction, however many shallow heads are newer", () => {
  for (const value of [undefined, "tea"]) {
    using log = deepLog(corrects("yes", "drink", "tea"));
    const { effective, invalidations } = log.claims.refute(alice, "drink", { value });
    assertEquals([log.claims.get(idOf("yes")).status, effective], ["refuted", true]);
    assertEquals(invalidations.map(({ body }) => body.claim), [idOf("yes")]);
  }
});

Deno.test("an assert is after deep claims of its key, however many shallow heads are newer", () => {
  using log = deepLog(asserts("old", "drink", "coffee"));
  const { opId } = log.claims.assert(alice, { key: "drink", value: "tea" });
  assertEquals([log.claims.get(opId).status, log.claims.get(idOf("old")).status], ["active", "superseded"]);
  assertEquals(log.claims.current("drink")?.opId, opId);
});

Deno.test("an operation that cannot follow every head names the last rule and the last claims of its key", () => {
  const said = [asserts("old", "drink", "coffee"), refutes("no", "drink", "coffee"), asserts("new", "drink", "tea")];
  const ways: ((log: OpLog) => Operation)[] = [
    (log) => log.claims.refute(alice, "drink").op,
    (log) => log.claims.correct(alice, "drink", "water").op,
    (log) => log.claims.assert(alice, { key: "drink", value: "water" }),
  ];
  for (const way of ways) {
    using log = deepLog(...said, asserts("other", "food", "bread"));
    log.appendAll(
      Array.from({ length: 2 * MAX_PREV }, (_, n) => unsigned(`top ${n}`, "note", {}, [idOf("other")])),
      UNCHECKED,
    );
    const { prev } = way(log);
    for (const { name } of said) assert(prev.includes(idOf(name)), name);
    assertEquals([prev.length, new Set(prev).size], [MAX_PREV, MAX_PREV]);
    assertEquals(prev.filter((id) => id === idOf("other")), []);
  }
});

Deno.test("of more than 1,024 heads an operation follows the deepest, the same on every node", () => {
  const deep = Array.from({ length: 700 }, (_, n) => unsigned(`deep ${n}`, "note", {}, [idOf("top")]));
  const ops = [unsigned("top", "note", {}, []), ...deep, ...roots()];
  const shallow = roots().map(({ opId }) => opId).sort();
  const expected = [...deep.map(({ opId }) => opId), ...shallow.slice(0, MAX_PREV - deep.length)].sort();
  for (const order of [ops, [...ops.slice(-MAX_PREV), ...ops.slice(0, -MAX_PREV)]]) {
    using log = OpLog.open();
    log.appendAll(order, UNCHECKED);
    assertEquals(log.heads(MAX_PREV, { by: "depth" }), expected);
    assertEquals(log.record(alice, "note", {}).prev, expected);
  }
});

Deno.test("of 1,024 heads or fewer an operation follows all, whatever their depth", () => {
  using log = OpLog.open();
  log.appendAll([unsigned("top", "note", {}, []), unsigned("deep", "note", {}, [idOf("top")])], UNCHECKED);
  log.appendAll(roots(MAX_PREV - 1), UNCHECKED);
  const heads = log.heads();
  assertEquals([heads.length, log.heads(undefined, { by: "depth" })], [MAX_PREV, heads]);
  assertEquals(log.claims.correct(alice, "drink", "tea").op.prev, heads);
});

Deno.test("heads can be ordered by seq or depth only", () => {
  using log = OpLog.open();
  for (const by of ["ts", "", null, 1]) {
    const error = assertThrows(() => log.heads(1, { by: by as "seq" }), LogError);
    assertEquals(error.code, "invalid-argument");
  }
});

Deno.test("an invalid body is refused the same with more heads than an operation can follow", () => {
  using log = deepLog();
  const refused: [() => unknown, string][] = [
    [() => log.claims.refute(alice, ""), "bad-body"],
    [() => log.claims.correct(alice, 1 as never, 1), "bad-body"],
    [() => log.claims.correct(alice, "\ud800", 1), "bad-shape"],
    [() => log.claims.assert(alice, { key: "k", value: 1, inputs: ["x"] }), "bad-body"],
  ];
  for (const [change, code] of refused) assertEquals(assertThrows(change, OperationError).code, code);
});

Deno.test("a rule is not effective when damaged tables place another one later", () => {
  const rulings: [kept: (log: OpLog) => void, late: (log: OpLog) => { effective: boolean }, boolean][] = [
    [(log) => log.claims.refute(bob, "drink"), (log) => log.claims.correct(alice, "drink", "tea"), false],
    [(log) => log.claims.correct(bob, "drink", "tea"), (log) => log.claims.refute(alice, "drink"), false],
    [
      (log) => log.claims.correct(bob, "drink", "tea"),
      (log) => log.claims.refute(alice, "drink", { value: "coffee" }),
      true,
    ],
    [
      (log) => log.claims.correct(bob, "drink", "tea"),
      (log) => log.claims.refute(alice, "drink", { value: "tea" }),
      false,
    ],
    [
      (log) => log.claims.refute(bob, "drink", { value: "coffee" }),
      (log) => log.claims.correct(alice, "drink", "tea"),
      true,
    ],
    [(log) => log.claims.correct(bob, "drink", "tea"), (log) => log.claims.correct(alice, "drink", "tea"), false],
    [(log) => log.claims.refute(bob, "drink"), (log) => log.claims.refute(alice, "drink"), true],
  ];
  for (const [n, [keep, rule, expected]] of rulings.entries()) {
    withFolder((folder) => {
      const path = `${folder}/log.db`;
      {
        using log = OpLog.open(path);
        keep(log);
      }
      withDatabase(path, (database) => database.exec("UPDATE mnema_rules SET depth = 1000000"));
      using log = OpLog.open(path);
      assertEquals(rule(log).effective, expected, `${n}`);
      log.rebuild();
      assertEquals(rule(log).effective, true, `${n}`);
    });
  }
});

Deno.test("a refute or a correction that is not among the rules is damage of what is derived", () => {
  using log = OpLog.open();
  log.claims.refute(alice, "drink");
  const { connection } = internalsOf(log);
  assert(isEffective(connection, 1));
  for (const seq of [0, 2]) {
    const error = assertThrows(() => isEffective(connection, seq), FileError);
    assertEquals(error.code, "derived-damaged");
  }
});
