import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Operation, OpLog } from "../../mod.ts";
import { withDatabase, withFolder } from "../folder.ts";
import { causalShuffle } from "../operations.ts";
import { idOf, unsigned } from "./histories.ts";
import { assertStatuses, stateOf } from "./statuses.ts";
import { asserts, corrects, type Draft, refutes, UNCHECKED } from "./scenarios.ts";
import { runs } from "../runs.ts";

const TABLES = ["mnema_claims", "mnema_edges", "mnema_awaited", "mnema_keys", "mnema_values", "mnema_rules"];

/** The inputs of a claim: the one before it, all before it, or some of them. */
const inputs = fc.constantFrom(1, 1, Infinity, 2, 3);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ is: fc.constant("claim" as const), inputs, key: fc.nat({ max: 9 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      is: fc.constantFrom("refute", "refute value", "correct"),
      key: fc.nat({ max: 9 }),
      value: fc.nat({ max: 3 }),
      followsLast: fc.boolean(),
    }),
  },
);

/** Chains of claims with claims on all of them, and rulings between, most of which are heads that nothing follows. */
const graphs: fc.Arbitrary<Operation[]> = fc.record({ steps: fc.array(step, { maxLength: 40 }), salt: fc.nat() })
  .map(({ steps, salt }) => {
    const claims: string[] = [];
    let last: string[] = [];
    return steps.map((step, n) => {
      const name = `a${n} ${salt}`;
      const add = ({ type, body }: Draft, prev: string[]) => unsigned(name, type, body, prev.map(idOf));
      if ("inputs" in step) {
        const chosen = claims.toReversed().filter((_, at) => step.inputs > 1 || at === 0)
          .filter((_, at) => step.inputs === Infinity || at % step.inputs === 0);
        claims.push(name);
        return add(asserts(name, `k${step.key}`, claims.length % 4, ...chosen), []);
      }
      const ruling = {
        "correct": corrects,
        "refute value": refutes,
        "refute": (name: string, key: string) => refutes(name, key),
      }[
        step.is
      ]!(name, `k${step.key}`, step.value);
      const prev = step.followsLast ? last : [];
      last = [name];
      return add(ruling, prev);
    });
  });

Deno.test("claims on long chains have the status of the model, in any order of arrival", () => {
  fc.assert(
    fc.property(graphs, fc.infiniteStream(fc.nat()), (ops, numbers) => {
      const random = (limit: number) => numbers.next().value! % limit;
      using whole = OpLog.open();
      whole.appendAll(ops, UNCHECKED);
      assertStatuses(whole, ops);
      const expected = stateOf(whole);
      for (const order of [causalShuffle(ops, random), byInputs(ops)]) {
        using piecemeal = OpLog.open();
        for (let at = 0; at < order.length;) {
          const count = 1 + random(5);
          piecemeal.appendAll(order.slice(at, at + count), UNCHECKED);
          at += count;
          assertStatuses(piecemeal, order.slice(0, at));
        }
        assertEquals(stateOf(piecemeal), expected);
      }
    }),
    { numRuns: runs(150) },
  );
});

/** Each claim before its inputs, where `prev` allows it. */
function byInputs(ops: readonly Operation[]): Operation[] {
  const claims = ops.filter(({ type }) => type === "claim.assert");
  return [...claims.toReversed(), ...ops.filter(({ type }) => type !== "claim.assert")];
}

Deno.test("the tables equal those after a rebuild, in any order of arrival", () => {
  withFolder((folder) => {
    fc.assert(
      fc.property(graphs.filter((ops) => ops.length > 0), fc.infiniteStream(fc.nat()), (ops, numbers) => {
        const path = `${folder}/${ops[0].opId}.db`;
        {
          using log = OpLog.open(path, { durability: "normal" });
          for (const op of causalShuffle(ops, (limit) => numbers.next().value! % limit)) {
            log.append(op, UNCHECKED);
            log.claims.query();
          }
        }
        const before = contentsOfTables(path);
        {
          using log = OpLog.open(path, { durability: "normal" });
          log.rebuild();
        }
        assertEquals(contentsOfTables(path), before);
        Deno.removeSync(path);
      }),
      { numRuns: runs(20) },
    );
  });
});

function contentsOfTables(path: string): unknown[][][] {
  return withDatabase(
    path,
    (database) => TABLES.map((table) => database.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).values()),
  );
}

const LONG = 3000;

Deno.test("a chain that arrives in reverse is pending, and active when its start arrives", () => {
  using log = OpLog.open();
  const ops = Array.from({ length: LONG }, (_, n) => {
    const draft = asserts(`${n}`, `k${n}`, n, ...n === 0 ? [] : [`${n - 1}`]);
    return unsigned(draft.name, draft.type, draft.body, []);
  }).toReversed();
  const count = (status: "pending" | "active") => [...log.claims.query({ status })].length;
  for (let at = 0; at < LONG; at += 500) {
    log.appendAll(ops.slice(at, at + 500), UNCHECKED);
    const isWhole = at + 500 >= LONG;
    assertEquals([count("pending"), count("active")], isWhole ? [0, LONG] : [at + 500, 0]);
  }
});
