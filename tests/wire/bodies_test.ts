import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  DanglingReferenceError,
  type IngestReport,
  LogError,
  Operation,
  OperationError,
  OpLog,
  RefusedError,
} from "../../mod.ts";
import { decodeBody } from "../../src/wire/bodies.ts";
import { EnvelopeScanner } from "../../src/wire/scan.ts";
import { alice, bob, forged, missigned } from "../operations.ts";

type Body = Record<string, unknown>;

const id = "op_" + "1".repeat(64);
const other = "op_" + "2".repeat(64);
const third = "op_" + "3".repeat(64);
const emoji = (count: number) => "😀".repeat(count);

const evidence = { source: "shop", kind: "receipt", content: {} };
const assertion = {
  key: "drink",
  value: "tea",
  confidence_ppm: 820_000,
  deriver: { id: "taste", version: "2.1" },
  inputs: [],
};
const refute = { key: "drink", scope: "value", value: "tea" };
const correct = { key: "drink", value: "tea" };
const invalidate = { claim: id, cause: other, path: [other, id] };
const explanation = { claim: id, summary: "because", chain: [id] };

const VALID: [type: string, body: Body][] = [
  ["evidence.add", evidence],
  ["evidence.add", { ...evidence, content: { deep: [{ down: 9007199254740993n }] }, ref: "<1@example.org>" }],
  ["evidence.add", { source: emoji(512), kind: "\u0000", content: {}, ref: "r".repeat(512) }],
  ["claim.assert", assertion],
  ["claim.assert", { ...assertion, confidence_ppm: 0, inputs: [id, other, third] }],
  ["claim.assert", { ...assertion, confidence_ppm: 1_000_000, key: emoji(512) }],
  ["claim.assert", { ...assertion, deriver: { id: emoji(512), version: emoji(512) } }],
  ["claim.assert", { ...assertion, confidence_ppm: 5n }],
  ...[null, false, "", -1, 9223372036854775807n, [], {}, [null, { a: "" }]].flatMap((value): [string, Body][] => [
    ["claim.assert", { ...assertion, value }],
    ["claim.refute", { ...refute, value }],
    ["claim.correct", { ...correct, value }],
  ]),
  ["claim.refute", { key: "drink", scope: "key" }],
  ["claim.refute", { key: "drink", scope: "key", reason: emoji(512) }],
  ["claim.correct", { ...correct, reason: "r" }],
  ["claim.invalidate", invalidate],
  ["claim.invalidate", { claim: id, cause: id, path: [] }],
  ["claim.invalidate", { ...invalidate, path: [id, id, id] }],
  ["explanation.record", explanation],
  ["explanation.record", { ...explanation, summary: "s".repeat(8192), chain: [] }],
  ["explanation.record", { ...explanation, summary: emoji(8192), chain: [id, id] }],
];

/** Bodies with one faulty value each, from the path below the body and the value. */
function faults(type: string, body: Body, wrong: [path: string, value: unknown][]): [string, Body, string][] {
  return wrong.map(([path, value]) => [type, withField(body, path.split(/[.[]/)[1], path, value), `$.body${path}`]);
}

function withField(body: Body, field: string, path: string, value: unknown): Body {
  const below = path.slice(1 + field.length);
  if (below.startsWith(".")) return { ...body, [field]: { ...body[field] as Body, [below.slice(1)]: value } };
  return { ...body, [field]: value };
}

/** Every way in which a string of 1 to 512 characters can be wrong. */
function wrongTexts(path: string): [string, unknown][] {
  return [undefined, null, 1, true, ["tea"], {}, "", "x".repeat(513), emoji(513)].map((value) => [path, value]);
}

function wrongIds(path: string): [string, unknown][] {
  const texts = ["", "op_1", id.toUpperCase(), id + "0", ` ${id}`, id.slice(0, -1), `${id}\n`, "op_" + "g".repeat(64)];
  return [undefined, null, 1, [id], ...texts].map((value) => [path, value]);
}

/** Every way in which a list of ids can be wrong. */
function wrongLists(type: string, body: Body, field: string): [string, Body, string][] {
  const of = (value: unknown, at = ""): [string, Body, string] => [
    type,
    { ...body, [field]: value },
    `$.body.${field}${at}`,
  ];
  return [
    ...[undefined, null, id, {}, 1].map((value) => of(value)),
    of([id, other, third, "op_4"], "[3]"),
    of([null, "op_4"], "[0]"),
    of([id, 9007199254740993n], "[1]"),
    of([[id]], "[0]"),
  ];
}

function unknownFields(type: string, body: Body): [string, Body, string][] {
  return ["more", "Key", "constructor", "toString", "__proto__", "v"].map((field) => [
    type,
    { ...body, ...JSON.parse(`{"${field}":1}`) },
    `$.body.${field}`,
  ]);
}

// An undefined field is left out before the operation is made.
const FAULTS: [type: string, body: Body, path: string][] = [
  ...["source", "kind"].flatMap((field) => faults("evidence.add", evidence, wrongTexts(`.${field}`))),
  ...faults("evidence.add", evidence, wrongTexts(".ref").slice(1)),
  ...faults("evidence.add", evidence, [undefined, null, "text", [], 1].map((value) => [".content", value])),
  ...unknownFields("evidence.add", evidence),

  ...faults("claim.assert", assertion, wrongTexts(".key")),
  ...faults("claim.assert", assertion, [[".value", undefined]]),
  ...faults(
    "claim.assert",
    assertion,
    [undefined, null, "1", [1], -1, 1_000_001, 9007199254740993n, -9007199254740993n, 9223372036854775807n]
      .map((value) => [".confidence_ppm", value]),
  ),
  ...faults("claim.assert", assertion, [undefined, null, "taste@2", []].map((value) => [".deriver", value])),
  ...faults("claim.assert", assertion, [...wrongTexts(".deriver.id"), ...wrongTexts(".deriver.version")]),
  ["claim.assert", { ...assertion, deriver: { ...assertion.deriver, author: "x" } }, "$.body.deriver.author"],
  ...wrongLists("claim.assert", assertion, "inputs"),
  ["claim.assert", { ...assertion, inputs: [id, other, id] }, "$.body.inputs"],
  ...unknownFields("claim.assert", assertion),
  ["claim.assert", { ...assertion, reason: "because" }, "$.body.reason"],

  ...faults("claim.refute", refute, [...wrongTexts(".key"), ...wrongTexts(".reason").slice(1)]),
  ...faults("claim.refute", refute, [undefined, null, "", "values", "Key", 1].map((value) => [".scope", value])),
  ["claim.refute", { key: "drink", scope: "value" }, "$.body.value"],
  ...[null, "tea", false, 0].map((value): [string, Body, string] => [
    "claim.refute",
    { key: "drink", scope: "key", value },
    "$.body.value",
  ]),
  ...unknownFields("claim.refute", refute),

  ...faults("claim.correct", correct, [...wrongTexts(".key"), ...wrongTexts(".reason").slice(1)]),
  ...faults("claim.correct", correct, [[".value", undefined]]),
  ["claim.correct", { ...correct, confidence_ppm: 1 }, "$.body.confidence_ppm"],
  ...unknownFields("claim.correct", correct),

  ...faults("claim.invalidate", invalidate, [...wrongIds(".claim"), ...wrongIds(".cause")]),
  ...wrongLists("claim.invalidate", invalidate, "path"),
  ...unknownFields("claim.invalidate", invalidate),

  ...faults("explanation.record", explanation, wrongIds(".claim")),
  ...faults(
    "explanation.record",
    explanation,
    [undefined, null, 1, "", "s".repeat(8193), emoji(8193)].map((value) => [".summary", value]),
  ),
  ...wrongLists("explanation.record", explanation, "chain"),
  ...unknownFields("explanation.record", explanation),
];

const TYPES = [...new Set(VALID.map(([type]) => type))];

/** An operation with a body, without its undefined fields. */
function operation(type: string, body: Body, prev: readonly string[] = []): Operation {
  return Operation.create({ type, body: withoutUndefined(body) as Body, prev, ts: 1 }, alice);
}

function withoutUndefined(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(entries.map(([key, field]) => [key, withoutUndefined(field)]));
}

function bytesOf(lines: readonly string[]): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(lines.join("\n"));
  let at = 0;
  return new ReadableStream({
    pull: (controller) => at < bytes.length ? controller.enqueue(bytes.slice(at, at += 10_000)) : controller.close(),
  });
}

/** Ingests the same lines in every way, asserts that report and log are the same each time, and gives them. */
async function ingestEveryWay(
  lines: readonly string[],
  options: { order?: "any" } = {},
): Promise<{ report: IngestReport; ids: string[] }> {
  const runs = [];
  for (const workers of [0, 1, 2]) {
    for (const source of [lines, bytesOf(lines)]) {
      using log = OpLog.open();
      const report = await log.ingest(source, { workers, ...options });
      runs.push({ report, ids: [...log.entries()].map(({ op }) => op.opId) });
    }
  }
  for (const run of runs) assertEquals(run, runs[0]);
  return runs[0];
}

for (const type of TYPES) {
  const bodies = VALID.flatMap(([of, body]) => of === type ? [body] : []);
  const wrong = FAULTS.flatMap(([of, body, path]) => of === type ? [{ body, path }] : []);

  Deno.test(`${type}: valid bodies are accepted by append, appendAll and record`, () => {
    using log = OpLog.open();
    for (const body of bodies) {
      const op = operation(type, body);
      assertEquals(log.seqOf(op.opId), undefined);
      log.append(op);
      assert(log.has(op.opId));
    }
    const ops = bodies.map((body) => operation(type, body));
    using batch = OpLog.open();
    batch.appendAll(ops);
    assertEquals([...batch.entries()].map(({ op }) => op.opId), ops.map(({ opId }) => opId));
    for (const body of bodies) log.record(bob, type, body);
    assertEquals(log.size, 2 * bodies.length);
  });

  Deno.test(`${type}: an invalid body is refused by append, appendAll and record, with the path of the field`, () => {
    using log = OpLog.open();
    const before = log.record(bob, "note", {});
    for (const { body, path } of wrong) {
      const op = operation(type, body);
      const ways = [
        () => log.append(op),
        () => log.append(op, { verify: false, checkPrev: false }),
        () => log.append(Operation.parse(op.wire)),
        () => log.appendAll([operation("note", { first: true }), op]),
        () => void log.record(alice, type, op.body, { ts: 1, prev: [] }),
      ];
      for (const way of ways) {
        const error = assertThrows(way, OperationError, path);
        assertEquals(
          { code: error.code, check: error.check, path: error.path, opId: error.opId },
          { code: "bad-body", check: "body", path, opId: op.opId },
        );
        assert(error.message.endsWith(`(${type})`), error.message);
      }
    }
    assertEquals([log.size, log.heads()], [1, [before.opId]]);
  });
}

Deno.test("decodeBody returns a valid body with its type, and nothing for other bodies", () => {
  for (const [type, body] of VALID) {
    const op = operation(type, body);
    assertEquals<unknown>(decodeBody(type, op.body), { type, body: op.body });
  }
  for (const [type, body] of FAULTS) assertEquals(decodeBody(type, operation(type, body).body), undefined);
  for (const type of ["note", "claim", "claim.assert.x"]) assertEquals(decodeBody(type, { ...correct }), undefined);
});

/** Whether the scanner recognizes a body in the bytes of an operation. */
function isRecognized(type: string, body: Body): boolean {
  const bytes = new TextEncoder().encode(operation(type, body).wire);
  const scanner = new EnvelopeScanner(bytes);
  return scanner.scan(0, bytes.length) !== undefined && scanner.isBody(type, 0);
}

Deno.test("the scanner recognizes no invalid body, and the common valid ones", () => {
  for (const [type, body] of FAULTS) assertEquals(isRecognized(type, body), false, type);
  const common: [string, Body][] = [
    ["evidence.add", evidence],
    ["evidence.add", { ...evidence, ref: "r".repeat(512) }],
    ["claim.assert", { ...assertion, confidence_ppm: 1_000_000, inputs: [id, other, third] }],
    ["claim.correct", { ...correct, reason: "r" }],
    ["claim.invalidate", { ...invalidate, path: [id, id, id] }],
    ["explanation.record", explanation],
  ];
  for (const [type, body] of common) assertEquals(isRecognized(type, body), true, type);
});

Deno.test("ingest accepts every body that append accepts, with any workers and source", async () => {
  const ops = VALID.map(([type, body]) => operation(type, body));
  const { report, ids } = await ingestEveryWay(ops.map(({ wire }) => wire));
  assertEquals(report, { new: ops.length, known: 0, refused: 0, refusals: [] });
  assertEquals(ids, ops.map(({ opId }) => opId));
});

Deno.test("ingest refuses every body that append refuses, with the same error and its position", async () => {
  const good = VALID.map(([type, body]) => operation(type, body));
  const bad = FAULTS.map(([type, body]) => operation(type, body));
  // One in three is valid, so that blocks have both.
  const source = bad.flatMap((op, i) => i % 3 === 0 && i / 3 < good.length ? [good[i / 3], op] : [op]);
  using log = OpLog.open();
  const expected = source.flatMap((op, i) => {
    if (good.includes(op)) return [];
    const { message } = assertThrows(() => log.append(op), LogError);
    return [{ position: i + 1, code: "bad-body" as const, reason: message, opId: op.opId }];
  });
  const { report, ids } = await ingestEveryWay(source.map(({ wire }) => wire));
  assertEquals(report.refusals, expected);
  assertEquals([report.refused, report.new], [bad.length, source.length - bad.length]);
  assertEquals(ids, source.filter((op) => good.includes(op)).map(({ opId }) => opId));
});

Deno.test("an atomic ingest with an invalid body appends nothing", async () => {
  const bad = operation("claim.refute", { key: "drink", scope: "value" });
  const source = [operation("note", {}), bad, operation("note", { n: 2 })].map(({ wire }) => wire);
  for (const workers of [0, 2]) {
    using log = OpLog.open();
    const error = await assertRejects(() => log.ingest(source, { atomic: true, workers }), RefusedError);
    assertEquals([error.code, error.position, error.opId, log.size], ["bad-body", 2, bad.opId, 0]);
    assert(error.message.includes("$.body.value"), error.message);
  }
});

Deno.test("bodies of unknown types may be any object", async () => {
  const bodies: Body[] = [{}, { key: 1 }, { inputs: "none" }, { ...assertion, more: true }];
  const types = ["claim", "claim.asserted", "claim.assert.x", "x.claim.assert", "evidence", "evidence.added", "note"];
  const ops = types.flatMap((type) => bodies.map((body) => operation(type, body)));
  using log = OpLog.open();
  log.appendAll(ops);
  assertEquals(log.size, ops.length);
  assertEquals((await ingestEveryWay(ops.map(({ wire }) => wire))).report.new, ops.length);
});

/** An operation whose address fits and whose signature does not. */
function badlySigned(type: string, body: Body): Operation {
  return missigned(operation(type, body), bob);
}

Deno.test("a wrong address or signature is reported before an invalid body", async () => {
  const body = { key: "drink", scope: "key", value: "tea" };
  const ops = [forged(operation("claim.refute", body)), badlySigned("claim.refute", body)];
  using log = OpLog.open();
  const errors = ops.map((op) => assertThrows(() => log.append(op), OperationError));
  assertEquals(errors.map(({ code }) => code), ["bad-address", "bad-signature"]);
  const { report } = await ingestEveryWay(ops.map(({ wire }) => wire));
  assertEquals(
    report.refusals,
    errors.map(({ code, message, opId }, i) => ({ position: i + 1, code, reason: message, opId: opId! })),
  );
});

Deno.test("an invalid body is reported before a missing prev", async () => {
  const op = operation("claim.correct", { key: "drink" }, [id]);
  using log = OpLog.open();
  assertEquals(assertThrows(() => log.append(op), LogError).code, "bad-body");
  const { report } = await ingestEveryWay([op.wire]);
  assertEquals(report.refusals.map(({ code }) => code), ["bad-body"]);
});

Deno.test("operations that follow one with an invalid body are refused as dangling", async () => {
  const bad = operation("claim.correct", { key: "" });
  const child = operation("claim.correct", correct, [bad.opId]);
  const grandchild = operation("note", {}, [child.opId]);
  using log = OpLog.open();
  assertThrows(() => log.append(bad), OperationError);
  assertEquals(assertThrows(() => log.append(child), DanglingReferenceError).missing, [bad.opId]);
  const lines = [bad, child, grandchild].map(({ wire }) => wire);
  const causal = (await ingestEveryWay(lines)).report;
  assertEquals(causal.refusals.map(({ position, code, opId }) => [position, code, opId]), [
    [1, "bad-body", bad.opId],
    [2, "dangling-reference", child.opId],
    [3, "dangling-reference", grandchild.opId],
  ]);
  const any = (await ingestEveryWay(lines.toReversed(), { order: "any" })).report;
  assertEquals(
    any.refusals.map(({ code, opId }) => [code, opId]).sort(),
    causal.refusals.map(({ code, opId }) => [code, opId]).sort(),
  );
});
