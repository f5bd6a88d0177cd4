import { assertEquals } from "@std/assert";
import { Operation, OpLog } from "../../mod.ts";
import { withFolder } from "../folder.ts";
import { vectorOperations } from "../operations.ts";

const operations = vectorOperations();

Deno.test("entries of a time are found among many parts of the log, in both directions, and after more was appended", () => {
  using log = OpLog.open();
  // The clock jumps back now and then: what is of one time is in several parts.
  const stamp = (n: number) => 1000 + (n % 2500);
  const ops = Array.from({ length: 5200 }, (_, n) => unsigned(n, stamp(n)));
  const append = (from: number, to: number) => log.appendAll(ops.slice(from, to), { verify: false });
  const found = (reverse: boolean) => {
    const entries = [...log.entries({ fromTs: 1000 + 2400, untilTs: 1000 + 2410, reverse })];
    return entries.map(({ seq }) => seq);
  };
  const expected = (count: number) =>
    ops.slice(0, count).flatMap(({ ts }, i) => ts >= 3400 && ts < 3410 ? [i + 1] : []);
  for (const [from, to] of [[0, 2405], [2405, 2500], [2500, 5200]]) {
    append(from, to);
    assertEquals(found(false), expected(to));
    assertEquals(found(true), expected(to).reverse());
  }
});

Deno.test("entries of a time are found in a log that cannot be written", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    {
      using log = OpLog.open(path);
      log.appendAll(operations);
    }
    using log = OpLog.open(path, { readonly: true });
    const [{ ts }] = operations;
    assertEquals([...log.entries({ fromTs: ts, untilTs: ts + 1 })][0].op.opId, operations[0].opId);
    assertEquals([...log.entries({ untilTs: 0 })], []);
  });
});

/** An operation of the right shape, signed by nobody. */
function unsigned(n: number, ts: number): Operation {
  const id = n.toString(16).padStart(64, "0");
  const [author, sig] = ["mnk_" + "a".repeat(64), "b".repeat(128)];
  return Operation.fromWire({ v: 1, type: "note", author, ts, prev: [], body: {}, sig, op_id: `op_${id}` });
}
