import { assertEquals } from "@std/assert";
import { Operation, OpLog } from "../../mod.ts";
import { withFolder } from "../folder.ts";

const [ada, eve] = ["a", "b"].map((digit) => "mnk_" + digit.repeat(64));

Deno.test("the counts of a log are caught up after more was appended", () => {
  using log = OpLog.open();
  const { bytes: _, ...none } = log.stats();
  assertEquals(none, { operations: 0, types: {}, authors: {} });
  append(log, unsigned(1, "note", ada, 50), unsigned(2, "note", eve, 40));
  const { bytes: __, ...some } = log.stats();
  assertEquals(some, {
    operations: 2,
    types: { note: 2 },
    authors: { [ada]: 1, [eve]: 1 },
    span: { from: 40, to: 50 },
  });
  append(log, unsigned(3, "claim.x", eve, 60));
  const { types, authors, span, operations } = log.stats();
  assertEquals([operations, types, authors, span], [3, { "claim.x": 1, note: 2 }, { [ada]: 1, [eve]: 2 }, {
    from: 40,
    to: 60,
  }]);
});

Deno.test("a log that cannot be written counts in memory", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    {
      using log = OpLog.open(path);
      append(log, unsigned(1, "note", ada, 50));
    }
    using log = OpLog.open(path, { readonly: true });
    assertEquals(log.stats().types, { note: 1 });
  });
});

function append(log: OpLog, ...ops: Operation[]): void {
  log.appendAll(ops, { verify: false });
}

/** An operation of the right shape, signed by nobody. */
function unsigned(n: number, type: string, author: string, ts: number): Operation {
  const id = n.toString(16).padStart(64, "0");
  return Operation.fromWire({ v: 1, type, author, ts, prev: [], body: {}, sig: "b".repeat(128), op_id: `op_${id}` });
}
