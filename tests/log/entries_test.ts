import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type EntriesOptions, Operation, OpLog } from "../../mod.ts";
import { withFolder } from "../folder.ts";
import { note, vectorOperations } from "../operations.ts";
import "../runs.ts";

const operations = vectorOperations();
const types = ["evidence.add", "note", "photo.meta", "none.such"];
const authors = [...new Set(operations.map((op) => op.author)), "mnk_nobody"];
const stamps = [0, ...[3, 400, 700, 998].flatMap((i) => [operations[i].ts, operations[i].ts + 1])];

Deno.test("entries are the operations that the options ask for, in their order", () => {
  using log = OpLog.open();
  log.appendAll(operations);
  const options = fc.record({
    types: fc.option(fc.subarray(types, { minLength: 0 }), { nil: undefined }),
    authors: fc.option(fc.subarray(authors, { minLength: 0 }), { nil: undefined }),
    fromTs: fc.option(fc.constantFrom(...stamps), { nil: undefined }),
    untilTs: fc.option(fc.constantFrom(...stamps), { nil: undefined }),
    sinceSeq: fc.option(fc.nat(1010), { nil: undefined }),
    limit: fc.option(fc.nat(1010), { nil: undefined }),
    reverse: fc.boolean(),
  });
  fc.assert(fc.property(options, (asked) => {
    assertEquals([...log.entries(asked)].map(({ seq }) => seq), expectedSeqs(asked));
  }));
});

function expectedSeqs(options: EntriesOptions): number[] {
  const { types, authors, fromTs = 0, untilTs = Infinity, sinceSeq = 0, limit = Infinity, reverse } = options;
  const seqs = operations.flatMap((op, i) => {
    const wanted = (!types || [...types].includes(op.type)) && (!authors || [...authors].includes(op.author));
    return wanted && op.ts >= fromTs && op.ts < untilTs && i + 1 > sinceSeq ? [i + 1] : [];
  });
  return (reverse ? seqs.reverse() : seqs).slice(0, limit);
}

Deno.test("more types than are read through their index are found all the same", () => {
  using log = OpLog.open();
  log.appendAll(operations.slice(0, 30));
  const many = [...types, ...Array.from({ length: 200 }, (_, n) => `other.t${n}`)];
  assertEquals([...log.entries({ types: many })].length, 30);
  assertEquals([...log.entries({ types: many, authors: many })].length, 0);
});

Deno.test("entries are those of the call: what is appended while they are read is not among them", () => {
  using log = OpLog.open();
  log.appendAll(operations.slice(0, 200));
  const entries = log.entries();
  log.appendAll(operations.slice(200, 300));
  let read = 0;
  for (const { seq } of entries) {
    assertEquals(seq, ++read);
    if (read % 10 === 0) log.append(note(`meanwhile ${read}`));
  }
  assertEquals(read, 200);
  assertEquals(log.size, 320);
});

Deno.test("reading that stops early holds no lock and no snapshot", () => {
  withFolder((folder) => {
    using log = OpLog.open(`${folder}/log.db`);
    log.appendAll(operations.slice(0, 300));
    for (const { seq } of log.entries()) if (seq === 70) break;
    const unfinished = log.entries();
    unfinished.next();
    using other = OpLog.open(`${folder}/log.db`, { busyTimeoutMs: 0 });
    other.append(operations[300]);
    assertEquals(log.size, 301);
    assertEquals([...unfinished].length, 299);
  });
});

Deno.test("large operations are read in small pages", () => {
  using log = OpLog.open();
  const large = Array.from({ length: 40 }, (_, n) => note(`${n} ` + "x".repeat(300_000)));
  log.appendAll(large, { verify: false });
  assertEquals([...log.entries()].map(({ op }) => op.opId), large.map((op) => op.opId));
  assert([...log.entries({ reverse: true, limit: 3 })].every(({ op }, i) => op.opId === large[39 - i].opId));
});

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

/** An operation that is shaped as it should be, and signed by nobody. */
function unsigned(n: number, ts: number): Operation {
  const id = n.toString(16).padStart(64, "0");
  const [author, sig] = ["mnk_" + "a".repeat(64), "b".repeat(128)];
  return Operation.fromWire({ v: 1, type: "note", author, ts, prev: [], body: {}, sig, op_id: `op_${id}` });
}
