import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { type IngestOptions, type IngestSource, LogError, OpLog, type Outcome } from "../../mod.ts";
import { withFolder } from "../folder.ts";
import { causalShuffle, forged, note, vectorLines, vectorOperations } from "../operations.ts";
import { runs } from "../runs.ts";

const lines = vectorLines();

/** The outcomes of an ingest, as they are reported. */
async function outcomesOf(log: OpLog, source: IngestSource, options: IngestOptions = {}) {
  const outcomes: Outcome[] = [];
  const report = await log.ingest(source, { ...options, onOutcome: (outcome) => outcomes.push(outcome) });
  return { outcomes, report };
}

Deno.test("each operation has one outcome: new with its seq, known, or refused with a code", async () => {
  using log = OpLog.open();
  const [first, second] = [note("first"), note("second")];
  log.append(first);
  const lost = note("lost", [note("missing").opId]);
  const source = [second.wire, first.wire, "{}", lost.wire, second.wire, forged(note("forged")).wire];
  const { outcomes } = await outcomesOf(log, source);
  assertEquals(outcomes.slice(0, 2), [
    { position: 1, status: "new", opId: second.opId, seq: 2 },
    { position: 2, status: "known", opId: first.opId },
  ]);
  assertEquals(outcomes.map((it) => it.status === "refused" ? it.code : it.status), [
    "new",
    "known",
    "bad-shape",
    "dangling-reference",
    "known",
    "bad-address",
  ]);
});

Deno.test("of a stream of bytes the position is the line, and a blank line has no outcome", async () => {
  using log = OpLog.open();
  const text = `\n${lines[0]}\n\n\n${lines[1]}`;
  const { outcomes } = await outcomesOf(log, new Blob([text]).stream());
  assertEquals(outcomes.map(({ position, status }) => [position, status]), [[2, "new"], [5, "new"]]);
});

Deno.test("in any order, one that waited has the seq at which it entered, and one that waits in vain is pending", async () => {
  using log = OpLog.open();
  const parent = note("parent");
  const child = note("child", [parent.opId]);
  const orphan = note("orphan", [note("missing").opId]);
  const { outcomes, report } = await outcomesOf(log, [child, orphan, parent].map(({ wire }) => wire), { order: "any" });
  assertEquals(outcomes, [
    { position: 1, status: "new", opId: child.opId, seq: 2 },
    { position: 3, status: "new", opId: parent.opId, seq: 1 },
    { position: 2, status: "pending", opId: orphan.opId, missing: [note("missing").opId] },
  ]);
  assertEquals([report.new, report.refused], [2, 1]);
});

Deno.test("whatever the order, there is one outcome for each position, and the seq is the log's", async () => {
  const ops = vectorOperations().slice(0, 200);
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.nat()), fc.boolean(), async (stream, isAny) => {
      using log = OpLog.open();
      const order = causalShuffle(ops, (limit) => stream.next().value! % limit);
      const source = (isAny ? order.toReversed() : [...order, ...order.slice(0, 20)]).map(({ wire }) => wire);
      const { outcomes, report } = await outcomesOf(log, source, { order: isAny ? "any" : "causal", workers: 0 });
      assertEquals(outcomes.map(({ position }) => position).sort((a, b) => a - b), source.map((_, i) => i + 1));
      for (const outcome of outcomes) {
        assert(outcome.status === "new" || outcome.status === "known");
        if (outcome.status === "new") assertEquals(outcome.seq, log.seqOf(outcome.opId));
      }
      assertEquals(outcomes.filter(({ status }) => status === "new").length, report.new);
    }),
    { numRuns: runs(10) },
  );
});

Deno.test("outcomes of a file: first all are new, then there are known, refused and new ones among them", async () => {
  const texts = vectorOperations().slice(0, 60).map(({ wire }) => wire);
  const orphan = note("orphan", [note("missing").opId]).wire;
  const parts = [texts.slice(0, 40), [...texts.slice(38, 50), orphan, ...texts.slice(50)]];
  async function* source() {
    for (const part of parts) {
      yield* part;
      await new Promise((resolve) => setTimeout(resolve, 200)); // what came is appended
    }
  }
  await withFolder(async (folder) => {
    using log = OpLog.open(`${folder}/log.db`);
    const sizes: number[] = [];
    const { outcomes, report } = await outcomesOf(log, source(), { onProgress: () => sizes.push(log.size) });
    assertEquals([report.new, report.known, report.refused, sizes[0]], [60, 2, 1, 40]);
    assertEquals(outcomes.map(({ position }) => position), Array.from({ length: 63 }, (_, i) => i + 1));
    assertEquals(outcomes.slice(40, 42).map(({ status }) => status), ["known", "known"]);
    assertEquals(outcomes[52].status, "refused");
    const added = outcomes.filter((outcome) => outcome.status === "new");
    assertEquals(added.map(({ seq }) => seq), Array.from({ length: 60 }, (_, i) => i + 1));
    assertEquals(added.map(({ opId }) => log.seqOf(opId)), added.map(({ seq }) => seq));
  });
});

Deno.test("an outcome is reported after the commit that decided it", async () => {
  using log = OpLog.open();
  const sizes: number[] = [];
  await log.ingest(lines.slice(0, 50), { onOutcome: () => sizes.push(log.size) });
  assertEquals(sizes, new Array(50).fill(50));
});

Deno.test("an atomic ingest that is refused has put nothing into the log", async () => {
  using log = OpLog.open();
  await assertRejects(() => outcomesOf(log, [...lines.slice(0, 5), "{}"], { atomic: true }), LogError);
  assertEquals(log.size, 0);
});
