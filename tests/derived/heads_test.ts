import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { LogError, Operation, OpLog } from "../../mod.ts";
import { withDatabase, withFolder } from "../folder.ts";
import { alice, forged, headsOf, note } from "../operations.ts";
import { insertOutside } from "../outside.ts";
import { linesOf } from "../processes.ts";
import { startChild } from "../log/children/run.ts";
import { runs } from "../runs.ts";

const UNCHECKED = { verify: false, checkPrev: false };
const FLUSH_THRESHOLD = 4096;

/** An operation of the right shape, signed by nobody; it follows others by their numbers. */
function unsigned(n: number, prev: readonly number[] = []): Operation {
  return Operation.fromWire({
    v: 1,
    type: "note",
    author: "mnk_" + "a".repeat(64),
    ts: n,
    prev: prev.map(idOf),
    body: {},
    sig: "b".repeat(128),
    op_id: idOf(n),
  });
}

function idOf(n: number): string {
  return `op_${n.toString(16).padStart(64, "0")}`;
}

/** Asserts that a reader and a writer, `log` or else a new one, give the heads of these operations. */
function assertHeads(path: string, ops: readonly Operation[], log?: OpLog): void {
  using reader = OpLog.open(path, { readonly: true });
  assertEquals(reader.heads(), headsOf(ops), "readonly");
  using writer = log === undefined ? OpLog.open(path) : undefined;
  assertEquals((log ?? writer)!.heads(), headsOf(ops), "writable");
}

Deno.test("the heads take in what another implementation appends", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    const first = note("first");
    const theirs = [note("left", [first.opId]), note("right", [first.opId])];
    using log = OpLog.open(path);
    log.append(first);
    assertHeads(path, [first], log);
    insertOutside(path, theirs);
    assertHeads(path, [first, ...theirs], log);
    const merge = log.record(alice, "note", { text: "merge" });
    assertEquals(merge.prev, theirs.map(({ opId }) => opId).sort());
    assertHeads(path, [first, ...theirs, merge], log);
  });
});

Deno.test("the heads are right when others append between what is appended here", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    using log = OpLog.open(path);
    const ops = Array.from({ length: 12 }, (_, n) => note(`${n}`, n % 5 === 0 ? [] : [note("0").opId]));
    for (const [n, op] of ops.entries()) {
      if (n % 3 === 2) insertOutside(path, [op]);
      else log.append(op, { checkPrev: false });
    }
    assertHeads(path, ops, log);
  });
});

Deno.test("an operation that was named before it arrived is no head", () => {
  const parent = note("parent");
  const other = note("other");
  const child = note("child", [parent.opId, other.opId]);
  const arrivals = [[child, parent], [child, other, parent], [other, child, parent]];
  const ways: Record<string, (path: string, op: Operation, log: OpLog) => void> = {
    "appended": (_, op, log) => log.append(op, { checkPrev: false }),
    "appended, with the heads asked between": (_, op, log) => {
      log.append(op, { checkPrev: false });
      log.heads();
    },
    "appended through another connection": (path, op) => {
      using log = OpLog.open(path);
      log.append(op, { checkPrev: false });
    },
    "inserted by another implementation": (path, op) => insertOutside(path, [op]),
  };
  for (const [way, arrive] of Object.entries(ways)) {
    for (const arrival of arrivals) {
      withFolder((folder) => {
        const path = `${folder}/log.db`;
        using log = OpLog.open(path);
        for (const op of arrival) arrive(path, op, log);
        assertEquals(log.heads(), [child.opId], way);
        assertHeads(path, arrival, log);
      });
    }
  }
});

Deno.test("an operation that is awaited by several, over and over, is no head when it arrives", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    const ops = [unsigned(2, [1]), unsigned(3, [1]), unsigned(4, [1, 2]), unsigned(1), unsigned(5, [1])];
    OpLog.open(path).close();
    for (const [i, op] of ops.entries()) {
      insertOutside(path, [op]);
      assertHeads(path, ops.slice(0, i + 1));
    }
  });
});

/** What can happen to the tables that are derived from the log. */
const CHANGES: Record<string, string> = {
  "both tables are dropped": "DROP TABLE mnema_heads; DROP TABLE mnema_watermarks",
  "the table of the heads is dropped": "DROP TABLE mnema_heads",
  "the watermarks are dropped": "DROP TABLE mnema_watermarks",
  "the watermarks are empty": "DELETE FROM mnema_watermarks",
  "the index is dropped": "DROP INDEX mnema_heads_seq",
  "the watermark is behind": `
    DELETE FROM mnema_heads;
    INSERT INTO mnema_heads VALUES ('${idOf(1)}', 1);
    UPDATE mnema_watermarks SET seq = 1`,
  "the watermark is past the end": "UPDATE mnema_watermarks SET seq = 100; DELETE FROM mnema_heads",
  "the version is another": "UPDATE mnema_watermarks SET version = version + 1; DELETE FROM mnema_heads",
  "the version is another, with other columns": `
    UPDATE mnema_watermarks SET version = version + 1;
    DROP TABLE mnema_heads;
    CREATE TABLE mnema_heads (id INTEGER PRIMARY KEY, what TEXT NOT NULL)`,
};

const chain = [unsigned(1), unsigned(2, [1]), unsigned(3, [1]), unsigned(4, [2]), unsigned(5, [9])];

for (const [what, sql] of Object.entries(CHANGES)) {
  Deno.test(`the heads are right where ${what}`, () => {
    withFolder((folder) => {
      const path = `${folder}/log.db`;
      {
        using log = OpLog.open(path);
        log.appendAll(chain, UNCHECKED);
        log.heads();
      }
      withDatabase(path, (database) => database.exec(sql));
      assertHeads(path, chain);
      {
        using log = OpLog.open(path);
        log.append(unsigned(9), UNCHECKED);
      }
      assertHeads(path, [...chain, unsigned(9)]);
    });
  });

  Deno.test(`a log that is open gives the right heads where meanwhile ${what}`, () => {
    withFolder((folder) => {
      const path = `${folder}/log.db`;
      using log = OpLog.open(path);
      log.appendAll(chain, UNCHECKED);
      log.heads();
      withDatabase(path, (database) => database.exec(sql));
      assertEquals(log.heads(), headsOf(chain));
      log.append(unsigned(9), UNCHECKED);
      assertEquals(log.heads(), headsOf([...chain, unsigned(9)]));
    });
  });
}

/**
 * Two and a half flush thresholds: a chain that passes over every thousandth operation, which is therefore a head unless one of
 * the chain named it one or two batches before.
 */
function manyOperations(): Operation[] {
  const passedOver = (n: number) => n % 1000 === 500;
  return Array.from({ length: FLUSH_THRESHOLD * 2.5 }, (_, i) => {
    const n = i + 1;
    const prev = n === 1 ? [] : [passedOver(n - 1) ? n - 2 : n - 1];
    const awaited = [n + FLUSH_THRESHOLD, n + 2 * FLUSH_THRESHOLD].filter((later, blocks) =>
      passedOver(later) && Math.floor(later / 1000) % 2 === blocks
    );
    return unsigned(n, [...prev, ...awaited]);
  });
}

Deno.test("the heads are right after many operations, inserted by another implementation", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    const ops = manyOperations();
    OpLog.open(path).close();
    insertOutside(path, ops);
    assertHeads(path, ops);
    const missing = unsigned(ops.length + 1, [ops.length]);
    insertOutside(path, [missing]);
    assertHeads(path, [...ops, missing]);
  });
});

Deno.test("the heads are right after more than one flush threshold, appended at once", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    const ops = manyOperations();
    using log = OpLog.open(path);
    log.appendAll(ops.slice(0, FLUSH_THRESHOLD + 5), UNCHECKED);
    assertHeads(path, ops.slice(0, FLUSH_THRESHOLD + 5), log);
    log.appendAll(ops.slice(FLUSH_THRESHOLD + 5), UNCHECKED);
    assertHeads(path, ops, log);
  });
});

Deno.test("the heads are as before when a batch of more than one flush threshold is refused at its end", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    using log = OpLog.open(path);
    const before = [note("before"), note("after", [note("before").opId])];
    for (const known of [[], before]) {
      log.appendAll(known);
      const batch = [...manyOperations(), note("dangling", [idOf(1 << 20)])];
      assertThrows(() => log.appendAll(batch, { verify: false }), LogError);
      assertHeads(path, known, log);
    }
    assertThrows(() => log.appendAll([note("next"), forged(note("forged"))]), LogError);
    assertHeads(path, before, log);
  });
});

Deno.test("what was refused here leaves no trace in the heads of what others append instead", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    using log = OpLog.open(path);
    assertThrows(() => log.appendAll([note("refused"), note("dangling", [idOf(1)])]), LogError);
    insertOutside(path, [unsigned(2)]);
    assertHeads(path, [unsigned(2)], log);
  });
});

Deno.test("the heads that a reader sees are those of one moment, whatever a writer does meanwhile", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    using log = OpLog.open(path, { durability: "normal" });
    const count = 2000;
    await using watcher = startChild("../../derived/children/watch_heads.ts", [path, idOf(count)]);
    await watcher.stdin.close();
    const output = linesOf(watcher.stdout);
    assertEquals((await output.next()).value, "ready");
    // A chain of even numbers, each of which also awaits the odd one before it: there is never more than one head.
    for (let n = 2; n <= count; n += 2) {
      const awaiting = unsigned(n, n === 2 ? [1] : [n - 1, n - 2]);
      for (const op of [awaiting, unsigned(n - 1)]) {
        log.append(op, UNCHECKED);
        assertEquals(log.heads(), [awaiting.opId]);
      }
    }
    assertEquals((await output.next()).value, '{"value":1}');
  });
});

/** A step of a history: so many operations arrive in some way, or the log is opened again, or asked. */
type Step = { what: "append" | "batch" | "insert"; count: number } | { what: "reopen" | "heads" | "readonly" };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ what: fc.constantFrom("append", "batch", "insert"), count: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ what: fc.constantFrom("reopen", "heads", "readonly") }),
  ),
  { maxLength: 20 },
);

/** Operations that each follow some of lower number, in any order of arrival. */
const arrivals: fc.Arbitrary<Operation[]> = fc.integer({ min: 1, max: 16 }).chain((count) =>
  fc.tuple(
    ...Array.from({ length: count }, (_, i) => {
      const lower = Array.from({ length: i }, (_, n) => n + 1);
      return fc.subarray(lower, { maxLength: Math.min(i, 3) }).map((prev) => unsigned(i + 1, prev));
    }),
  )
).chain((ops) => fc.shuffledSubarray(ops, { minLength: ops.length }));

Deno.test("the heads are what their definition says, whatever the DAG, the order of arrival, and the way", () => {
  withFolder((folder) => {
    let file = 0;
    fc.assert(
      fc.property(arrivals, steps, (ops, history) => {
        const path = `${folder}/${file++}.db`;
        let arrived = 0;
        let log = OpLog.open(path, { durability: "normal" });
        try {
          for (const step of history) {
            if (step.what === "reopen") {
              log.close();
              log = OpLog.open(path, { durability: "normal" });
            } else if (step.what === "heads") {
              assertEquals(log.heads(), headsOf(ops.slice(0, arrived)));
            } else if (step.what === "readonly") {
              using reader = OpLog.open(path, { readonly: true });
              assertEquals(reader.heads(), headsOf(ops.slice(0, arrived)));
            } else if ("count" in step) {
              const next = ops.slice(arrived, arrived += step.count);
              if (step.what === "append") { for (const op of next) log.append(op, UNCHECKED); }
              else if (step.what === "batch") log.appendAll(next, UNCHECKED);
              else insertOutside(path, next);
            }
          }
          assertHeads(path, ops.slice(0, arrived), log);
        } finally {
          log.close();
        }
      }),
      { numRuns: runs(150) },
    );
  });
});

Deno.test("a damaged id of a head is damage of what is derived, and nothing follows it", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    {
      using log = OpLog.open(path);
      log.append(note("first"));
      log.heads();
    }
    withDatabase(path, (database) => database.exec("UPDATE mnema_heads SET op_id = 'oq' || substr(op_id, 3)"));
    using log = OpLog.open(path);
    for (const use of [() => log.heads(), () => log.record(alice, "note", { text: "second" })]) {
      assertEquals(assertThrows(use, LogError).code, "derived-damaged");
    }
    assertEquals(log.size, 1);
    log.rebuild();
    assertEquals(log.heads(), [note("first").opId]);
  });
});
