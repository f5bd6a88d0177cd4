import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { type FollowOptions, type IngestSource, LogError, Operation, OpLog } from "../../mod.ts";
import { alice, note } from "../operations.ts";

/** What JavaScript may pass where something else is expected. */
const VALUES: unknown[] = [
  undefined,
  null,
  0,
  -1,
  5n,
  NaN,
  true,
  "",
  "x",
  "note",
  Symbol("s"),
  [],
  [5],
  [undefined],
  {},
  { limit: "5" },
  { types: "note" },
  { types: [5] },
  { authors: 5 },
  { key: 5 },
  { key: "k", value: () => 1 },
  { status: "x" },
  { origin: 5 },
  { name: "x", version: 1 },
  () => 1,
  new Map(),
  new Date(),
  new Uint8Array(3),
  new Proxy({}, {}),
  Promise.resolve(1),
];

type Method = (...args: unknown[]) => unknown;

/** The methods of an object that can be called without end, by name. */
function methodsOf(object: object, but: readonly string[]): [string, Method][] {
  return Object.getOwnPropertyNames(Object.getPrototypeOf(object))
    .filter((name) => !["constructor", ...but].includes(name))
    .flatMap((name): [string, Method][] => {
      const value = (object as Record<string, unknown>)[name];
      return typeof value === "function" ? [[name, value.bind(object)]] : [];
    });
}

/** Calls a method, and everything that it gives one by one. */
function call(method: Method, args: unknown[]): void {
  const result = method(...args);
  if (typeof result === "object" && result !== null && "next" in result) {
    for (const _ of result as IteratorObject<unknown>);
  }
}

Deno.test("whatever is passed to a method of a log, it does its work or throws a documented error", () => {
  using log = OpLog.open();
  const { opId } = log.record(alice, "note", { text: "tea" });
  log.claims.assert(alice, { key: "k", value: 1 });
  log.proofs.checkpoint(alice);
  const namespaces = [log.claims, log.proofs].flatMap((namespace) => methodsOf(namespace, []));
  const methods = [...methodsOf(log, ["close", "ingest", "follow"]), ...namespaces];
  assert(methods.length > 20);
  let refused = 0;
  for (const [name, method] of methods) {
    const lists = VALUES.flatMap((value) => [
      [value],
      [value, value],
      [value, value, value],
      [opId, value],
      [alice, value],
      [alice, "note", value],
      [alice, "note", {}, value],
    ]);
    for (const args of lists) {
      try {
        call(method, args);
      } catch (error) {
        assert(error instanceof LogError, `${name}(${Deno.inspect(args)}): ${Deno.inspect(error)}`);
        refused++;
      }
    }
  }
  assert(refused > 1000, `${refused}`);
});

Deno.test("whatever is passed to follow, it is refused at the call or followed to its end", async () => {
  using log = OpLog.open();
  const { opId } = log.record(alice, "note", { text: "tea" });
  for (const value of VALUES) {
    for (const options of [value, { sinceSeq: value }, { types: value }, { signal: value }]) {
      try {
        const followed = log.follow(options as FollowOptions);
        log.record(alice, "note", { text: "more" });
        setTimeout(() => followed.return(), 5);
        await followed.next();
      } catch (error) {
        assert(error instanceof LogError, Deno.inspect(error));
        assertEquals(error.code, "invalid-argument");
      }
    }
  }
  assertEquals(log.has(opId), true);
});

Deno.test("whatever is passed to open, or to what makes operations, it is done or refused with a documented error", () => {
  const makers: Method[] = [
    (value) => OpLog.open(value as string, { create: false }).close(),
    (value) => OpLog.open(undefined, value as never).close(),
    (value) => Operation.create(value as never, alice),
    (value) => Operation.create({ type: value, body: {} } as never, alice),
    (value) => Operation.create({ type: "note", body: value } as never, alice),
    (value) => Operation.create({ type: "note", body: {}, prev: value } as never, alice),
    (value) => Operation.parse(value as string),
    (value) => Operation.fromWire(value),
  ];
  for (const make of makers) {
    for (const value of VALUES) {
      try {
        make(value);
      } catch (error) {
        assert(error instanceof LogError, `${make}: ${Deno.inspect(value)}: ${Deno.inspect(error)}`);
      }
    }
  }
});

Deno.test("an id that is no text is refused, and one that no operation has is not found", () => {
  using log = OpLog.open();
  const asks: ((id: string) => unknown)[] = [
    (id) => log.get(id),
    (id) => log.has(id),
    (id) => log.seqOf(id),
    (id) => log.resolve(id),
    (id) => log.proofs.prove(id),
  ];
  for (const ask of asks) {
    for (const id of [undefined, null, 5, {}, [note("a").opId], note("a")]) {
      const error = assertThrows(() => ask(id as string), LogError, "an id must be a text");
      assertEquals(error.code, "invalid-argument");
    }
  }
  assertEquals(assertThrows(() => log.get("op_1"), LogError).code, "not-found");
});

async function refusal(source: unknown, atomic: boolean): Promise<LogError> {
  using log = OpLog.open();
  const error = await assertRejects(() => log.ingest(source as IngestSource, { atomic, workers: 0 }), LogError);
  assertEquals([error.code, log.size], ["invalid-argument", 0]);
  return error;
}

const { wire } = note("a");
const bytes = new TextEncoder().encode(wire);
const SOURCES: [what: string, source: () => unknown, advice: string][] = [
  ["a wire text", () => wire, "into a list"],
  ["a path", () => "backup.jsonl", "Deno.open"],
  ["undefined", () => undefined, "a list of wire texts"],
  ["null", () => null, "a list of wire texts"],
  ["a number", () => 5, "a list of wire texts"],
  ["a function", () => () => [wire], "a list of wire texts"],
  ["an object", () => ({ wire }), "a list of wire texts"],
  ["an operation", () => note("a"), "a list of wire texts"],
  ["bytes", () => bytes, "new Blob"],
  ["a buffer", () => bytes.buffer, "a list of wire texts"],
  ["a list with a number", () => [5], "at 1"],
  ["a list with nothing in it but undefined", () => [undefined], "at 1"],
  ["a list of bytes", () => [bytes], "at 1"],
  ["a list of fields", () => [note("a").toWire()], "at 1"],
  ["what is made to look like an operation", () => [Object.create(note("a"))], "at 1"],
  ["entries", () => [{ seq: 1, op: note("a") }], "give its op"],
  ["a stream of texts", () => ReadableStream.from([wire + "\n"]), "TextDecoderStream"],
  ["a stream of objects", () => ReadableStream.from([{}]), "bytes"],
  ["a locked stream", () => {
    const stream = new Blob([bytes]).stream();
    stream.getReader();
    return stream;
  }, "locked"],
];

for (const [what, source, advice] of SOURCES) {
  Deno.test(`what is no source of operations is refused with what to give instead: ${what}`, async () => {
    for (const atomic of [false, true]) assertStringIncludes((await refusal(source(), atomic)).message, advice);
  });
}

Deno.test("entries of another log are refused with what to give instead, which enters", async () => {
  using home = OpLog.open();
  home.record(alice, "note", {});
  assertStringIncludes((await refusal(home.entries(), false)).message, "give its op");
  const sources = [
    () => home.entries().map(({ op }) => op),
    () => home.entries().map(({ op }) => op.wire),
    () => home.byType("note"),
    () => ReadableStream.from(home.byType("note").map(({ wire }) => new TextEncoder().encode(wire + "\n"))),
    async function* () {
      yield* home.byType("note");
    },
  ];
  for (const source of sources) {
    using log = OpLog.open();
    assertEquals((await log.ingest(source(), { workers: 0 })).new, 1);
    assertEquals(log.heads(), home.heads());
  }
});

Deno.test("operations of a source are verified as texts are", async () => {
  using log = OpLog.open();
  const forged = Operation.parse(wire.replace('"a"', '"b"'));
  const { refusals, refused } = await log.ingest([forged, note("a")], { workers: 0 });
  assertEquals([refused, refusals[0].code, log.size], [1, "bad-address", 1]);
});

Deno.test("what is refused in the middle of a source leaves what was committed, or with atomic nothing", async () => {
  const many = Array.from({ length: 3000 }, (_, n) => ({ op: note(`${n}`) }));
  for (const atomic of [false, true]) {
    using log = OpLog.open();
    const source = [...many.map(({ op }) => op), 5] as Operation[];
    const error = await assertRejects(() => log.ingest(source, { atomic, workers: 0 }), LogError, "at 3001");
    assertEquals(error.code, "invalid-argument");
    assert(atomic ? log.size === 0 : log.size <= 3000);
    assertEquals((await log.ingest(many.map(({ op }) => op), { workers: 0 })).refused, 0);
    assertEquals(log.size, 3000);
  }
});

Deno.test("nothing is signed during an atomic ingest, which may be undone", async () => {
  using log = OpLog.open();
  log.append(note("a"));
  let asked = 0;
  const onProgress = () => {
    asked++;
    assertEquals(assertThrows(() => log.proofs.checkpoint(alice), LogError, "atomic ingest").code, "locked");
  };
  await log.ingest([note("b")], { atomic: true, workers: 0, onProgress });
  assertEquals([asked, log.proofs.checkpoints()], [1, []]);
  log.proofs.checkpoint(alice);
});
