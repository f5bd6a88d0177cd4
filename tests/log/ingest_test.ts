import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { type IngestReport, LogError, OpLog, RefusedError } from "../../mod.ts";
import { withFolder } from "../folder.ts";
import { alice, causalShuffle, forged, headsOf, note, vectorLines, vectorOperations } from "../operations.ts";
import { readVectors } from "../vectors.ts";

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
    { numRuns: 10 },
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

Deno.test("an abort ends it between batches with the reason it was given", async () => {
  using log = OpLog.open();
  const abort = new AbortController();
  const seen: number[] = [];
  const onProgress = (report: IngestReport) => {
    seen.push(report.new);
    abort.abort(new Error("enough"));
  };
  await assertRejects(() => log.ingest(slowly(lines), { signal: abort.signal, onProgress }), Error, "enough");
  assertEquals(seen, [log.size]);
  assert(log.size > 0 && log.size < 1000);
});

Deno.test("every refusal is told, and the report keeps the first thousand", async () => {
  using log = OpLog.open();
  let told = 0;
  const report = await log.ingest(Array.from({ length: 1500 }, () => "{}"), { onRefused: () => told++ });
  assertEquals([report.refused, told, report.refusals.length], [1500, 1500, 1000]);
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
