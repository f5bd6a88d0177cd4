import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { type IngestReport, LogError, Operation, OpLog, RefusedError } from "../../mod.ts";
import { withFolder } from "../folder.ts";
import { alice, causalShuffle, forged, headsOf, note, vectorLines, vectorOperations } from "../operations.ts";
import { readVectors } from "../vectors.ts";
import { runs } from "../runs.ts";

const lines = vectorLines();
const expected = readVectors<{ operations: number; heads: string[] }>("log.expect.json");

/** Bytes in chunks whose borders fall anywhere. */
function chunked(text: string | Uint8Array, size: number): ReadableStream<Uint8Array> {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at += size));
    },
  });
}

async function* slowly(texts: string[]): AsyncGenerator<string> {
  for (const text of texts) yield await Promise.resolve(text);
}

Deno.test("texts, slow texts and bytes give the same log and the same report", async () => {
  for (const source of [lines, slowly(lines), chunked(lines.join("\n"), 4096), chunked(lines.join("\n") + "\n", 7)]) {
    using log = OpLog.open();
    assertEquals(await log.ingest(source), { new: 1000, known: 0, refused: 0, refusals: [] });
    assertEquals([log.size, log.heads()], [expected.operations, expected.heads]);
  }
});

Deno.test("what is known is counted and changes nothing", async () => {
  using log = OpLog.open();
  log.appendAll(vectorOperations().slice(0, 300));
  assertEquals(await log.ingest(lines), { new: 700, known: 300, refused: 0, refusals: [] });
  const before = log.stats();
  assertEquals(await log.ingest(lines), { new: 0, known: 1000, refused: 0, refusals: [] });
  assertEquals(log.stats(), before);
});

Deno.test("whatever order they arrive in, the same operations give the same heads", async () => {
  const some = vectorOperations().slice(0, 60);
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.nat()), async (stream) => {
      using log = OpLog.open();
      const order = causalShuffle(some, (limit) => stream.next().value! % limit);
      assertEquals((await log.ingest(order.map((op) => op.wire))).new, 60);
      assertEquals(log.heads(), headsOf(some));
    }),
    { numRuns: runs(10) },
  );
});

Deno.test("what is refused is named with its line and its reason, and the rest enters", async () => {
  using log = OpLog.open(":memory:", { maxOperationBytes: 2000 });
  const child = note("child of the forged one", [note("forged").opId]);
  const text = [
    note("first").wire, //                      1
    "", //                                      2: passed over, and counted
    forged(note("forged")).wire, //             3
    child.wire, //                              4: follows what was refused
    "not JSON", //                              5
    note("x".repeat(3000)).wire, //             6
    note("crlf").wire + "\r", //                7
    "\ufeff" + note("byte order mark").wire, // 8
    note("last").wire, //                       9
  ].join("\n");
  const bytes = new TextEncoder().encode(text + "\n\xff");
  bytes[bytes.length - 2] = 0xff; // line 10 is not UTF-8
  const report = await log.ingest(chunked(bytes, 100));
  assertEquals([report.new, report.known, report.refused], [3, 0, 6]);
  assertEquals(report.refusals.map(({ position, code }) => [position, code]), [
    [3, "bad-address"],
    [4, "dangling-reference"],
    [5, "bad-shape"],
    [6, "too-large"],
    [8, "bad-shape"],
    [10, "bad-shape"],
  ]);
  assertEquals(report.refusals.slice(0, 2).map(({ opId }) => opId), [note("forged").opId, child.opId]);
  assert(report.refusals.every(({ reason }) => reason.length > 10));
});

Deno.test("all or none: the first that is refused ends it and nothing is kept", async () => {
  await withFolder(async (folder) => {
    for (const path of [":memory:", `${folder}/log.db`]) {
      using log = OpLog.open(path);
      log.append(note("before"));
      const error = await assertRejects(
        () => log.ingest([...lines.slice(0, 600), forged(note("x")).wire], { atomic: true }),
        RefusedError,
      );
      assertEquals([error.position, error.code, error.opId], [601, "bad-address", note("x").opId]);
      assertEquals([log.size, log.heads()], [1, [note("before").opId]]);
      assertEquals((await log.ingest(lines, { atomic: true })).new, 1000);
      assertEquals(log.heads(), [...expected.heads, note("before").opId].sort());
    }
  });
});

Deno.test("a source that fails leaves whole batches, and the same ingest again finishes", async () => {
  async function* failing(): AsyncGenerator<string> {
    yield* lines.slice(0, 700);
    await Promise.reject(new Error("the network went away"));
  }
  using log = OpLog.open();
  await assertRejects(() => log.ingest(failing()), Error, "the network went away");
  const kept = log.size;
  assertEquals(log.heads(), headsOf(vectorOperations().slice(0, kept)));
  assertEquals(await log.ingest(lines), { new: 1000 - kept, known: kept, refused: 0, refusals: [] });
});

/** A source that gives some texts, and the rest when something has entered the log. */
function pausing(texts: string[], entered: Promise<void>): AsyncGenerator<string> {
  return async function* () {
    yield* texts.slice(0, 300);
    await entered;
    yield* texts.slice(300);
  }();
}

Deno.test("what a slow source has given enters while it makes one wait", async () => {
  using log = OpLog.open();
  const entered = Promise.withResolvers<void>();
  const seen: number[] = [];
  const onProgress = (report: IngestReport) => {
    seen.push(report.new);
    entered.resolve();
  };
  assertEquals((await log.ingest(pausing(lines, entered.promise), { onProgress })).new, 1000);
  assertEquals([seen[0], seen.at(-1)], [300, 1000]);
});

Deno.test("an abort ends it between transactions with the reason it was given", async () => {
  using log = OpLog.open();
  const abort = new AbortController();
  const onProgress = () => abort.abort(new Error("enough"));
  const never = new Promise<void>(() => {});
  await assertRejects(() => log.ingest(pausing(lines, never), { signal: abort.signal, onProgress }), Error, "enough");
  assertEquals([log.size, log.heads()], [300, headsOf(vectorOperations().slice(0, 300))]);
});

/** The lines of `log.jsonl` with every kind of fault among them. */
function faultyLines(): string[] {
  const faults = ["not JSON", "{}", lines[5].replace('"n":5', '"n":6'), note("child", ["op_" + "0".repeat(64)]).wire];
  return lines.flatMap((line, i) => i % 90 === 7 ? [faults[i % 4], line] : [line]);
}

Deno.test("log and report are the same whatever the number of workers", async () => {
  const source = faultyLines();
  const runs = [];
  for (const workers of [0, 1, 2, 5]) {
    for (const texts of [source, chunked(source.join("\n"), 10_000)]) {
      using log = OpLog.open();
      const report = await log.ingest(texts, { workers });
      runs.push({ report, ids: [...log.entries()].map(({ op }) => op.opId), heads: log.heads() });
    }
  }
  assertEquals([runs[0].report.new, runs[0].report.refused], [1000, 12]);
  for (const run of runs) assertEquals(run, runs[0]);
});

Deno.test("in any order, an operation waits for what it follows", async () => {
  const backwards = lines.toReversed();
  using strict = OpLog.open();
  const refused = await strict.ingest(backwards);
  assert(refused.refused > 0 && refused.refusals.every(({ code }) => code === "dangling-reference"));
  using log = OpLog.open();
  assertEquals(await log.ingest(backwards, { order: "any" }), { new: 1000, known: 0, refused: 0, refusals: [] });
  assertEquals(log.heads(), expected.heads);
  for (const { seq, op } of log.entries()) assert(op.prev.every((id) => log.seqOf(id)! < seq));
});

Deno.test("memory that is used again for later blocks changes nothing that came in earlier ones", async () => {
  // Enough for several transactions; each pair comes the wrong way round, with something refused between.
  const ops: Operation[] = [];
  for (let i = 0; i < 300; i++) {
    const prev = i % 2 === 0 ? [] : [ops[i - 1].opId];
    ops.push(Operation.create({ type: `t.n${i % 7}`, body: { text: `${i} é`.repeat(9000) }, prev, ts: i ** 5 }, alice));
  }
  const orphan = note("orphan", ["op_" + "0".repeat(64)]);
  const source = ops.flatMap((_, i) => i % 2 === 0 ? [ops[i + 1].wire, orphan.wire, ops[i].wire] : []).join("\n");
  const streams = [() => new Blob([source]).stream(), () => chunked(source, 100_000)];
  for (const [workers, stream] of [[2, streams[0]], [2, streams[1]], [0, streams[0]]] as const) {
    using log = OpLog.open();
    const report = await log.ingest(stream(), { order: "any", workers });
    assertEquals([report.new, report.known, report.refused], [300, 0, 150]);
    for (const op of ops) assertEquals(log.get(op.opId).wire === op.wire, true);
    for (const { op } of log.entries({ types: ["t.n3"] })) assertEquals(op.type, "t.n3");
    assertEquals([...log.entries()].length, 300);
    assertEquals(log.stats().span, { from: 0, to: 299 ** 5 });
  }
});

Deno.test("a text of any size enters as it is, whatever memory it is read into", async () => {
  const overhead = note("").wire.length;
  // Around the size of a block's memory, with and without the room for its table behind it.
  const sizes = [320 << 10, 384 << 10].flatMap((size) => [size - 1, size, size + 1]);
  for (const size of sizes) {
    const ops = [note("small"), note("x".repeat(size - overhead))];
    const text = ops.map(({ wire }) => wire).join("\n");
    using log = OpLog.open();
    assertEquals((await log.ingest(chunked(text, text.length), { workers: 0 })).new, 2, `${size} bytes`);
    assertEquals(ops.map(({ opId }) => log.get(opId).wire), ops.map(({ wire }) => wire), `${size} bytes`);
  }
});

Deno.test("so many small operations that their table needs more than its room enter as they are", async () => {
  const ops = Array.from({ length: 1700 }, (_, i) => note(String(i)));
  const text = ops.map(({ wire }) => wire).join("\n");
  for (const workers of [0, 1]) {
    using log = OpLog.open();
    // Four chunks are a little less than a block, and five are the most that one holds.
    assertEquals((await log.ingest(chunked(text, (1 << 16) - 1), { workers })).new, ops.length);
    assertEquals([...log.entries()].map(({ op }) => op.wire), ops.map(({ wire }) => wire));
  }
});

Deno.test("what waits in vain is refused at the end, as is what comes when no more can wait", async () => {
  const orphans = ["a", "b", "c"].map((text) => note(text, ["op_" + "0".repeat(64)]));
  const late = note("late");
  const early = note("early", [late.opId]);
  const source = [orphans[0], orphans[0], early, orphans[1], late, orphans[2]].map((op) => op.wire);
  using log = OpLog.open();
  const all = await log.ingest(source, { order: "any" });
  assertEquals([all.new, all.known, all.refused], [2, 0, 4]);
  assertEquals(all.refusals.map(({ position, code, opId }) => [position, code, opId]), [
    [1, "dangling-reference", orphans[0].opId],
    [2, "dangling-reference", orphans[0].opId],
    [4, "dangling-reference", orphans[1].opId],
    [6, "dangling-reference", orphans[2].opId],
  ]);
  using small = OpLog.open();
  const few = await small.ingest(source, { order: "any", maxWaiting: 2 });
  assertEquals(few.refusals.map(({ position, code }) => [position, code]), [
    [3, "waiting-full"],
    [4, "waiting-full"],
    [6, "waiting-full"],
    [1, "dangling-reference"],
    [2, "dangling-reference"],
  ]);
  const error = await assertRejects(() => small.ingest(source, { order: "any", atomic: true }), RefusedError);
  assertEquals([error.position, error.code, small.size], [1, "dangling-reference", 1]);
});

Deno.test("an operation that comes twice in one source is new once and known once", async () => {
  using log = OpLog.open();
  const report = await log.ingest([...lines.slice(0, 20), ...lines.slice(0, 20)]);
  assertEquals([report.new, report.known, report.refused, log.size], [20, 20, 0, 20]);
});

Deno.test("every refusal is reported to onRefused, and the report has the first thousand", async () => {
  using log = OpLog.open();
  let reported = 0;
  const report = await log.ingest(Array.from({ length: 1500 }, () => "{}"), { onRefused: () => reported++ });
  assertEquals([report.refused, reported, report.refusals.length], [1500, 1500, 1000]);
  assertEquals(report.refusals.at(-1)!.position, 1000);
});

Deno.test("a read-only log takes nothing in", async () => {
  await withFolder(async (folder) => {
    OpLog.open(`${folder}/log.db`).close();
    using log = OpLog.open(`${folder}/log.db`, { readonly: true });
    for (const atomic of [false, true]) {
      const error = await assertRejects(() => log.ingest([note("a").wire], { atomic }), LogError);
      assertEquals(error.code, "read-only");
    }
  });
});

Deno.test("while an atomic ingest is under way, another connection reads, and nothing else becomes a part of it", async () => {
  await withFolder(async (folder) => {
    using log = OpLog.open(`${folder}/log.db`, { busyTimeoutMs: 0 });
    async function* source(): AsyncGenerator<string> {
      yield* lines.slice(0, 600);
      assertEquals(log.size, 0);
      const error = await assertRejects(() => Promise.resolve().then(() => log.record(alice, "note", {})), LogError);
      assertEquals(error.code, "locked");
      yield* lines.slice(600);
    }
    await log.ingest(source(), { atomic: true });
    assertEquals(log.size, 1000);
  });
});

Deno.test("in memory, a second atomic ingest is refused while one is under way, and the first keeps what it took", async () => {
  using log = OpLog.open();
  async function* source(): AsyncGenerator<string> {
    yield* lines.slice(0, 600);
    const error = await assertRejects(() => log.ingest([note("a").wire], { atomic: true }), LogError);
    assertEquals(error.code, "locked");
    yield* lines.slice(600);
  }
  await log.ingest(source(), { atomic: true });
  assertEquals((await log.ingest([note("a").wire], { atomic: true })).new, 1);
  await assertRejects(() => log.ingest([note("b").wire, forged(note("c")).wire], { atomic: true }), RefusedError);
  assertEquals(log.size, 1001);
});
