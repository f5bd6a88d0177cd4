import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type ClaimStatus, LogError, OpLog } from "../../mod.ts";
import { Connection } from "../../src/sqlite/connection.ts";
import { contentsOf, withFolder } from "../folder.ts";
import { alice, causalShuffle } from "../operations.ts";
import { histories, idOf, unsigned } from "./histories.ts";
import { insertOutside } from "../outside.ts";
import {
  asserts,
  claimAnswers,
  derive,
  type Draft,
  history,
  idsOf,
  observes,
  refutes,
  statusesOf,
  tea,
  UNCHECKED,
} from "./scenarios.ts";
import { runs } from "../runs.ts";

Deno.test("status is correct however far apart the inputs are in the log", () => {
  const filler = (block: number) => Array.from({ length: 9000 }, (_, n) => unsigned(`${block} ${n}`, "note", {}, []));
  const make = ({ name, type, body }: Draft) => unsigned(name, type, body, []);
  const first = [
    asserts("on evidence", "a", 1, "receipt"),
    asserts("on refuted", "b", 1, "refuted"),
    asserts("on both", "c", 1, "on refuted", "on evidence"),
    asserts("on pending", "d", 1, "pending"),
    asserts("on none", "e", 1, "receipt", "absent"),
    asserts("on live", "f", 1, "live"),
    asserts("early", "g", 1),
  ].map(make);
  const second = [
    observes("receipt"),
    asserts("refuted", "refuted", 1, "receipt"),
    asserts("pending", "pending", 1, "absent"),
    asserts("live", "live", 1, "early"),
  ].map(make);
  const third = [refutes("no", "refuted"), asserts("late", "g", 1, "early"), asserts("on early", "h", 1, "early")].map(
    make,
  );
  const ops = [...first, ...filler(1), ...second, ...filler(2), ...third];
  const names = new Map(
    [...first, ...second, ...third].map(({ opId }) => opId).map((opId, n) => [opId, `${n}`]),
  );
  const name = (text: string) => names.get(idOf(text))!;
  const expected = {
    [name("on evidence")]: "active",
    [name("on refuted")]: `invalidated by ${name("no")} with ${name("refuted")}`,
    [name("on both")]: `invalidated by ${name("no")} with ${name("on refuted")}`,
    [name("on pending")]: "pending",
    [name("on none")]: "pending",
    [name("on live")]: "active",
    [name("early")]: "active",
    [name("refuted")]: `refuted by ${name("no")}`,
    [name("pending")]: "pending",
    [name("live")]: "active",
    [name("late")]: "active",
    [name("on early")]: "active",
  };
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    OpLog.open(path).close();
    insertOutside(path, ops);
    using reader = OpLog.open(path, { readonly: true });
    assertEquals(statusesOf(reader, names), expected);
    using log = OpLog.open(path, { durability: "normal" });
    assertEquals(statusesOf(log, names), expected);
    assertEquals(idsOf(log.claims.query({ input: idOf("receipt") })), ["on evidence", "on none", "refuted"].map(idOf));
    log.rebuild();
    assertEquals(statusesOf(log, names), expected);
  });
});

Deno.test("status is correct when the operations exceed one batch", () => {
  const large = "x".repeat(900_000);
  const claims = Array.from({ length: 12 }, (_, n) => `${n}`)
    .map((name, n) => asserts(name, name, large + name, ...n === 0 ? [] : [`${n - 1}`]));
  const { ops, names } = history([...claims.toReversed(), refutes("no", "0")]);
  const expected = Object.fromEntries(
    claims.map(({ name }, n) => [name, n === 0 ? "refuted by no" : `invalidated by no with ${n - 1}`]),
  );
  using log = OpLog.open();
  log.appendAll(ops, UNCHECKED);
  assertEquals(statusesOf(log, names), expected);
  log.rebuild();
  assertEquals(statusesOf(log, names), expected);
});

Deno.test("operations with an invalid body, from hostile peers, are ignored", () => {
  const bad: [string, Record<string, unknown>][] = [
    ["claim.assert", {}],
    ["claim.assert", { ...asserts("", "drink", "coffee").body, more: 1 }],
    ["claim.assert", { ...asserts("", "drink", "coffee").body, key: ["drink"] }],
    ["claim.assert", { ...asserts("", "drink", "coffee").body, inputs: [idOf("tea"), idOf("tea")] }],
    ["claim.correct", { key: "drink" }],
    ["claim.correct", { key: "", value: 1 }],
    ["claim.refute", { key: "drink", scope: "value" }],
    ["claim.refute", { key: "drink", scope: "key", value: "tea" }],
    ["claim.refute", { key: "drink", scope: "all" }],
    ["evidence.add", {}],
  ];
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    using log = OpLog.open(path);
    const { ops, names } = history(tea);
    log.appendAll(ops, UNCHECKED);
    insertOutside(path, bad.map(([type, body], n) => unsigned(`bad ${n}`, type, body, [idOf("tea")])));
    assertEquals(statusesOf(log, names), { tea: "active" });
    const inputs = bad.map((_, n) => `bad ${n}`);
    log.append(unsigned("b", "claim.assert", asserts("b", "b", 1, ...inputs).body, []), UNCHECKED);
    assertEquals(log.claims.get(idOf("b")).status, "active");
    assertEquals(log.claims.explain(idOf("b")).nodes.slice(1).map(({ is }) => is), bad.map(() => "other"));
    for (const opId of inputs.map(idOf)) {
      assertEquals(assertThrows(() => log.claims.get(opId), LogError).code, "not-a-claim");
    }
    log.rebuild();
    assertEquals([...log.claims.query()].map(({ status }) => status), ["active", "active"]);
  });
});

Deno.test("a readonly log that is behind reads the same as a writable one", () => {
  withFolder((folder) => {
    fc.assert(
      fc.property(histories, fc.nat(), (ops, at) => {
        const path = `${folder}/${ops[0].opId}.db`;
        const split = at % (ops.length + 1);
        {
          using log = OpLog.open(path, { durability: "normal" });
          log.appendAll(ops.slice(0, split), UNCHECKED);
          log.claims.query();
        }
        insertOutside(path, ops.slice(split));
        const before = contentsOf(folder);
        using reader = OpLog.open(path, { readonly: true });
        const behind = claimAnswers(reader);
        assertEquals(claimAnswers(reader), behind);
        reader.close();
        assertEquals(contentsOf(folder), before);
        using log = OpLog.open(path, { durability: "normal" });
        assertEquals(claimAnswers(log), behind);
        log.close();
        Deno.removeSync(path);
      }),
      { numRuns: runs(40) },
    );
  });
});

Deno.test("a readonly log reads new claims, repeatedly", () => {
  withFolder((folder) => {
    fc.assert(
      fc.property(histories, (ops) => {
        const path = `${folder}/${ops[0].opId}.db`;
        using log = OpLog.open(path, { durability: "normal" });
        using reader = OpLog.open(path, { readonly: true });
        for (const [n, op] of ops.entries()) {
          if (n % 3 === 0) insertOutside(path, [op]);
          else log.append(op, UNCHECKED);
          const seen = claimAnswers(reader);
          if (n % 2 === 0) assertEquals(seen, claimAnswers(log));
        }
        assertEquals(claimAnswers(reader), claimAnswers(log));
        log.close();
        reader.close();
        Deno.removeSync(path);
      }),
      { numRuns: runs(15) },
    );
  });
});

Deno.test("two files with the same operations give the same JSON, in any order of arrival", () => {
  fc.assert(
    fc.property(histories, fc.infiniteStream(fc.nat()), (ops, numbers) => {
      const random = (limit: number) => numbers.next().value! % limit;
      const expected = withFolder((folder) => {
        using log = OpLog.open(`${folder}/log.db`, { durability: "normal" });
        log.appendAll(ops, UNCHECKED);
        return claimAnswers(log);
      });
      withFolder((folder) => {
        using log = OpLog.open(`${folder}/log.db`, { durability: "normal" });
        const order = causalShuffle(ops, random);
        while (order.length > 0) {
          log.appendAll(order.splice(0, 1 + random(4)), UNCHECKED);
          log.claims.query();
        }
        assertEquals(claimAnswers(log), expected);
      });
    }),
    { numRuns: runs(60) },
  );
});

Deno.test("a claim is read in one snapshot while another process writes", () => {
  withFolder((folder) => {
    const queries: ((log: OpLog, opId: string) => unknown)[] = [
      (log, opId) => {
        const { claim, nodes } = log.claims.explain(opId);
        assertEquals(nodes[0], { is: "claim", opId, claim });
      },
      (log, opId) => log.claims.get(opId),
      (log) => [...log.claims.query()],
      (log) => log.claims.current("k0"),
    ];
    using log = OpLog.open(`${folder}/log.db`, { durability: "normal" });
    using other = OpLog.open(`${folder}/log.db`, { durability: "normal" });
    const chain = [derive(log, "k0")];
    for (let n = 1; n < 4; n++) chain.push(derive(log, `k${n}`, chain[n - 1]));
    const status: ClaimStatus[] = [];
    const fall = () => void other.claims.correct(alice, "k0", "other");
    const rise = () => void other.claims.correct(alice, "k0", "k0");
    for (const query of queries) {
      for (const [before, meanwhile] of [[rise, fall], [fall, rise]]) {
        for (let at = 1, isOver = false; !isOver; at++) {
          before();
          other.claims.query(); // so that the file need not be written again
          isOver = !interrupted(at, () => [meanwhile(), other.claims.query()], () => query(log, chain[3].opId));
          status.push(log.claims.get(chain[3].opId).status);
        }
      }
    }
    assert(new Set(status).size === 2);
  });
});

/** Runs `work`, and `meanwhile` before its nth query; returns whether there was one. */
function interrupted(at: number, meanwhile: () => unknown, work: () => unknown): boolean {
  const query = Connection.prototype.query;
  let count = 0;
  Connection.prototype.query = function (sql) {
    if (++count === at) {
      Connection.prototype.query = query;
      meanwhile();
    }
    return query.call(this, sql);
  };
  try {
    work();
  } finally {
    Connection.prototype.query = query;
  }
  return count >= at;
}
