import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type EntriesOptions, OpLog } from "../../mod.ts";
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
    beforeSeq: fc.option(fc.nat(1010), { nil: undefined }),
    limit: fc.option(fc.nat(1010), { nil: undefined }),
    reverse: fc.boolean(),
  });
  fc.assert(fc.property(options, (asked) => {
    assertEquals([...log.entries(asked)].map(({ seq }) => seq), expectedSeqs(asked));
  }));
});

function expectedSeqs(options: EntriesOptions): number[] {
  const { types, authors, fromTs = 0, untilTs = Infinity, sinceSeq = 0, limit = Infinity, reverse } = options;
  const { beforeSeq = Infinity } = options;
  const seqs = operations.flatMap((op, i) => {
    const wanted = (!types || [...types].includes(op.type)) && (!authors || [...authors].includes(op.author));
    return wanted && op.ts >= fromTs && op.ts < untilTs && i + 1 > sinceSeq && i + 1 < beforeSeq ? [i + 1] : [];
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
