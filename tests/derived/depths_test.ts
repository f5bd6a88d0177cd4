import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Operation, OpLog, type Projection } from "../../mod.ts";
import { withDatabase } from "../folder.ts";
import { causalShuffle, depthsOf } from "../operations.ts";
import { idOf, unsigned } from "../claims/histories.ts";
import { insertOutside } from "../outside.ts";
import { depthsById } from "./projections.ts";
import { assertProjected, UNCHECKED, withLog } from "./logs.ts";
import { runs } from "../runs.ts";

const BATCH = 8192;

/** Operations that each follow up to three of those before them. */
const dags: fc.Arbitrary<Operation[]> = fc.tuple(
  fc.nat(),
  fc.array(fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { maxLength: 3 }), {
    minLength: 1,
    maxLength: 20,
  }),
).map(([salt, drafts]) =>
  drafts.map((places, n) => {
    const prev = n === 0 ? [] : [...new Set(places.map((at) => idOf(`${salt} ${Math.floor(at * n)}`)))];
    return unsigned(`${salt} ${n}`, "note", {}, prev);
  })
);

Deno.test("every operation is replayed after what it follows, with the depth of the definition", () => {
  fc.assert(
    fc.property(dags, fc.infiniteStream(fc.nat()), (ops, numbers) => {
      const random = (limit: number) => numbers.next().value! % limit;
      const expected = depthsOf(ops);
      using log = OpLog.open();
      const order = causalShuffle(ops, random);
      while (order.length > 0) {
        log.appendAll(order.splice(0, 1 + random(5)), UNCHECKED);
        if (random(2) === 0) assertProjected(log, depthsById);
      }
      assertEquals(assertProjected(log, depthsById), expected);
      const inOrder: Projection<string[]> = {
        name: "order",
        version: 1,
        initial: [],
        step: (seen, { op }) => {
          assert(op.prev.every((id) => seen.includes(id)));
          return [...seen, op.opId];
        },
      };
      assertEquals(log.replay(inOrder).toSorted(), ops.map(({ opId }) => opId).sort());
    }),
    { numRuns: runs(100) },
  );
});

Deno.test("what is named in prev and is not there, as others may append it, adds no depth", () => {
  withLog((path) => {
    using log = OpLog.open(path);
    const orphan = unsigned("orphan", "note", {}, [idOf("absent")]);
    const child = unsigned("child", "note", {}, [idOf("also absent"), orphan.opId]);
    insertOutside(path, [orphan, child]);
    assertEquals(assertProjected(log, depthsById), { [orphan.opId]: 0, [child.opId]: 1 });
  });
});

Deno.test("depths continue over the borders of batches, however the operations arrived", () => {
  const count = 2 * BATCH + 500;
  const ops = Array.from(
    { length: count },
    (_, n) =>
      unsigned(`${n}`, "note", {}, n === 0 ? [] : [idOf(`${n - 1}`), ...n > BATCH ? [idOf(`${n - BATCH}`)] : []]),
  );
  const deepest: Projection<number[]> = {
    name: "deepest",
    version: 1,
    initial: [],
    step: (state, { depth }) => (depth === state.length ? state.push(depth) : state.push(-1), state),
  };
  withLog((path) => {
    using log = OpLog.open(path, { durability: "normal" });
    log.appendAll(ops.slice(0, 10), UNCHECKED);
    log.project(deepest); // from here on its watermark and that of the depths are within a batch
    log.appendAll(ops.slice(10, 700), UNCHECKED);
    log.claims.query(); // catches the depths up, and not the projection
    insertOutside(path, ops.slice(700));
    const expected = Array.from({ length: count }, (_, n) => n);
    assertEquals(log.project(deepest), expected);
    assertEquals(log.replay(deepest), expected);
    assertEquals(log.project(deepest, { rebuild: true }), expected);
    using reader = OpLog.open(path, { readonly: true });
    assertEquals(reader.replay(deepest), expected);
    withDatabase(path, (database) => database.exec("DROP TABLE mnema_depths"));
    assertEquals(reader.replay(deepest), expected);
    assertEquals(log.replay(deepest), expected);
  });
});
