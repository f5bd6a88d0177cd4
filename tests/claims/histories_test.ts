import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Operation, OpLog } from "../../mod.ts";
import { causalShuffle } from "../operations.ts";
import { histories } from "./histories.ts";
import { assertStatuses, stateOf } from "./statuses.ts";
import { runs } from "../runs.ts";

const UNCHECKED = { verify: false };

Deno.test("claims have the status of the model, for any history and order of arrival", () => {
  fc.assert(
    fc.property(
      histories,
      fc.infiniteStream(fc.nat()),
      fc.infiniteStream(fc.nat({ max: 9 })),
      (ops, numbers, steps) => {
        const random = (limit: number) => numbers.next().value! % limit;
        using whole = OpLog.open();
        whole.appendAll(ops, UNCHECKED);
        assertStatuses(whole, ops);
        const expected = stateOf(whole);

        using piecemeal = OpLog.open();
        const arrived: Operation[] = [];
        for (const op of causalShuffle(ops, random)) {
          piecemeal.append(op, UNCHECKED);
          arrived.push(op);
          const step = steps.next().value!;
          if (step < 4) assertStatuses(piecemeal, arrived);
          if (step === 4) piecemeal.rebuild();
        }
        assertEquals(stateOf(piecemeal), expected);
        piecemeal.rebuild();
        assertEquals(stateOf(piecemeal), expected);
      },
    ),
    { numRuns: runs(500) },
  );
});
