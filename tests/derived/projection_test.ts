import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { FileError, LogError, type Operation, OpLog, type Projection } from "../../mod.ts";
import { Connection } from "../../src/sqlite/connection.ts";
import { contentsOf, withDatabase, withFolder } from "../folder.ts";
import { runChild, startChild } from "../log/children/run.ts";
import { alice, bob, causalShuffle, headsOf, note } from "../operations.ts";
import { linesOf } from "../processes.ts";
import { idOf, unsigned } from "../claims/histories.ts";
import { insertOutside, whileLocked } from "../outside.ts";
import { counts, depthsById } from "./projections.ts";

const UNCHECKED = { verify: false };
const BLOCK = 8192;

/** The texts of all notes in their order, and how often its step has run. */
function texts(name = "texts"): Projection<string[]> & { calls: number } {
  return {
    name,
    version: 1,
    initial: [],
    types: ["note"],
    calls: 0,
    step(state, { op }) {
      this.calls++;
      state.push(op.body.text as string);
      return state;
    },
  };
}

/** Asserts that the kept state is the replayed one, and returns it. */
function assertProjected<State>(log: OpLog, projection: Projection<State>): State {
  const state = log.project(projection);
  assertEquals(state, log.replay(projection));
  return state;
}

function withLog<T>(use: (path: string) => T): T {
  return withFolder((folder) => use(`${folder}/log.db`));
}

/** A log of some notes and claims, closed again; its derived tables are behind by the last note. */
function makeLog(path: string): void {
  using log = OpLog.open(path);
  log.append(note("a"));
  const claim = log.claims.assert(alice, { key: "drink", value: "tea", inputs: [note("a").opId] });
  log.claims.assert(alice, { key: "meal", value: "breakfast", inputs: [claim.opId] });
  log.claims.query();
  log.project(counts);
  log.record(alice, "claim.refute", { key: "drink", scope: "key" });
}

const MADE: [Record<string, number>, number, string[]] = [
  { note: 1, "claim.assert": 2, "claim.refute": 1 },
  1,
  ["refuted", "invalidated"],
];

function derivedOf(log: OpLog): unknown[] {
  return [log.project(counts), log.heads().length, [...log.claims.query()].map(({ status }) => status)];
}

Deno.test("what is projected is what is replayed, and only what is new is stepped through", () => {
  withLog((path) => {
    const projection = texts();
    {
      using log = OpLog.open(path);
      assertEquals(assertProjected(log, projection), []);
      log.append(note("a"));
      assertEquals(assertProjected(log, projection), ["a"]);
      log.appendAll([note("b"), note("c")]);
      assertEquals(assertProjected(log, projection), ["a", "b", "c"]);
      projection.calls = 0;
      log.append(note("d"));
      assertEquals(log.project(projection), ["a", "b", "c", "d"]);
      assertEquals(log.project(projection), ["a", "b", "c", "d"]);
      assertEquals(projection.calls, 1);
    }
    using log = OpLog.open(path);
    log.append(note("e"));
    assertEquals(log.project(projection), ["a", "b", "c", "d", "e"]);
    assertEquals(projection.calls, 2);
    assertProjected(log, projection);
  });
});

Deno.test("a projection of another version is made anew, later or earlier", () => {
  using log = OpLog.open();
  log.appendAll([note("a"), note("b")]);
  const lengths: Projection<number[]> = {
    name: "texts",
    version: 2,
    initial: [],
    step: (state, { op }) => [...state, (op.body.text as string).length],
  };
  assertEquals(log.project(texts()), ["a", "b"]);
  assertEquals(log.project(lengths), [1, 1]);
  log.append(note("long"));
  assertEquals(log.project(lengths), [1, 1, 4]);
  assertEquals(log.project({ ...lengths, version: Number.MAX_SAFE_INTEGER }), [1, 1, 4]);
  assertEquals(log.project(texts()), ["a", "b", "long"]);
});

Deno.test("a kept state is that of the step that made it, until it is rebuilt", () => {
  using log = OpLog.open();
  log.append(note("a"));
  const old: Projection<string[]> = { ...texts(), step: (state) => [...state, "old"] };
  assertEquals(log.project(old), ["old"]);
  log.append(note("b"));
  assertEquals(log.project(texts()), ["old", "b"]);
  assertEquals(log.project(texts(), { rebuild: true }), ["a", "b"]);
  assertEquals(log.project(texts(), { rebuild: false }), ["a", "b"]);
});

Deno.test("a projection of types sees these and no others, each with its depth among all", () => {
  using log = OpLog.open();
  const first = log.record(alice, "note", { text: "a" });
  log.record(alice, "memo", { text: "b" });
  const third = log.record(bob, "note.more", { text: "c" });
  const seen = (types?: string[]) => assertProjected(log, { ...depthsById, name: `of-${types?.length}`, types });
  assertEquals(seen(["note"]), { [first.opId]: 0 });
  assertEquals(seen(["note.more", "note"]), { [first.opId]: 0, [third.opId]: 2 });
  assertEquals(Object.values(seen(undefined)), [0, 1, 2]);
  assertEquals(seen([]), {});
  assertEquals(seen(["x", 'x"', "note.more"]), { [third.opId]: 2 });
  log.append(note("d"));
  assertEquals(Object.keys(seen(["note"])).length, 2);
});

Deno.test("steps may change what they are given, and callers what they get: neither comes through", () => {
  using log = OpLog.open();
  const initial = { list: ["initial"] };
  const projection: Projection<{ list: string[] }> = {
    name: "mutating",
    version: 1,
    initial,
    step: (state, { op }) => {
      state.list.push(op.body.text as string);
      return state;
    },
  };
  const empty = log.project(projection);
  empty.list.push("by the caller");
  for (const state of [log.replay(projection), log.project(projection)]) assertEquals(state, { list: ["initial"] });
  log.append(note("a"));
  for (let time = 0; time < 2; time++) {
    const replayed = log.replay(projection);
    const projected = log.project(projection);
    for (const state of [replayed, projected]) {
      assertEquals(state, { list: ["initial", "a"] });
      state.list.push("by the caller");
    }
  }
  assertEquals(log.project(projection, { rebuild: true }), { list: ["initial", "a"] });
  assertEquals(initial, { list: ["initial"] });
});

Deno.test("a step that throws leaves what was kept as it was, and the log as usable", () => {
  withLog((path) => {
    using log = OpLog.open(path);
    log.appendAll([note("a"), note("b")]);
    const projection = texts();
    log.project(projection);
    log.appendAll([note("c"), note("d")]);
    const failing = (error: Error): Projection<string[]> => ({
      ...projection,
      step(state, { op }) {
        if (op.body.text === "d") throw error;
        state.push("never kept");
        return state;
      },
    });
    for (const error of [new RangeError("no"), new LogError("not-found", "no"), new FileError("io", "x", "no")]) {
      for (const options of [{}, { rebuild: true }]) {
        assertEquals(assertThrows(() => log.project(failing(error), options)), error);
        assertEquals(assertThrows(() => log.replay(failing(error))), error);
        log.record(alice, "memo", {});
        using reader = OpLog.open(path, { readonly: true });
        assertEquals(reader.project(projection), ["a", "b", "c", "d"]);
      }
    }
    projection.calls = 0;
    assertEquals(log.project(projection), ["a", "b", "c", "d"]);
    assertEquals([projection.calls, log.size, log.heads().length], [2, 10, 1]);
  });
});

const THROWN: [what: string, thrown: unknown][] = [
  ["an error", new RangeError("no")],
  ["a text", "no"],
  ["undefined", undefined],
  ["what a locked file throws", new FileError("locked", "log.db", "no")],
  ["what a full disk throws", new FileError("disk-full", "log.db", "no")],
  ["what a file that cannot be written throws", new FileError("read-only", "log.db", "no")],
  ["what damage throws", new FileError("derived-damaged", "log.db", "no")],
  ["what a refused operation throws", new LogError("bad-shape", "no")],
  ["what SQLite throws", new Error("UNIQUE constraint failed")],
  ["a type error", new TypeError("no")],
];

for (const [what, thrown] of THROWN) {
  Deno.test(`a step that throws runs once, and what it threw comes out as it is: ${what}`, () => {
    withLog((path) => {
      {
        using log = OpLog.open(path);
        log.appendAll([note("a"), note("b")]);
      }
      for (const readonly of [false, true]) {
        using log = OpLog.open(path, { readonly });
        for (const options of readonly ? [{}] : [{}, { rebuild: true }]) {
          let calls = 0;
          const failing: Projection<number> = {
            name: "failing",
            version: 1,
            initial: 0,
            step() {
              calls++;
              throw thrown;
            },
          };
          let caught: unknown = "nothing";
          try {
            log.project(failing, options);
          } catch (error) {
            caught = error;
          }
          assertEquals(calls, 1);
          assertStrictEquals(caught, thrown);
        }
      }
    });
  });
}

Deno.test("types that are no list of texts, and an initial state that cannot be copied, are refused", () => {
  using log = OpLog.open();
  log.append(note("a"));
  const refused: Record<string, unknown>[] = [
    { types: "note" },
    { types: 5 },
    { types: [5] },
    { types: ["note", undefined] },
    { types: new Set(["note"]) },
    { initial: () => 1 },
    { initial: { f() {} } },
  ];
  for (const change of refused) {
    const projection = { ...counts, ...change } as unknown as Projection<unknown>;
    for (const ask of [() => log.replay(projection), () => log.project(projection)]) {
      assertEquals(assertThrows(ask, LogError).code, "invalid-argument", JSON.stringify(change));
    }
  }
});

class Point {
  x = 1;
}

const NOT_JSON: [what: string, state: unknown, message: string][] = [
  ["undefined", undefined, "it is undefined"],
  ["a field that is undefined", { a: undefined }, '"a" is undefined'],
  ["a bigint", { deep: { n: 1n } }, '"n" is a bigint'],
  ["a function", { f() {} }, '"f" is a function'],
  ["a symbol", { s: Symbol("s") }, '"s" is a symbol'],
  ["NaN", [0, NaN], '"1" is NaN'],
  ["infinity", { n: -Infinity }, '"n" is -Infinity'],
  ["minus zero", { n: -0 }, '"n" is -0'],
  ["a map", new Map(), "it is a Map"],
  ["a set", { seen: new Set() }, '"seen" is a Set'],
  ["a date", { at: new Date(0) }, '"at" is a Date'],
  ["bytes", { bytes: new Uint8Array(3) }, '"bytes" is a Uint8Array'],
  ["an object of a class", [new Point()], '"0" is a Point'],
  ["an array with holes", Array(2), '"0" is undefined'],
  ["an object with a toJSON of its own", { toJSON: () => 1 }, "is a function"],
];

Deno.test("a state that JSON does not hold is refused with what is wrong, and nothing is lost", () => {
  using log = OpLog.open();
  log.append(note("a"));
  const projection = (state: unknown): Projection<unknown> => ({
    name: "any",
    version: 1,
    initial: 0,
    step: () => state,
  });
  assertEquals(log.project(projection("kept")), "kept");
  log.append(note("b"));
  for (const [what, state, message] of NOT_JSON) {
    for (const options of [{}, { rebuild: true }]) {
      const error = assertThrows(() => log.project(projection(state), options), LogError, message, what);
      assertEquals(error.code, "invalid-argument");
      assert(error.message.startsWith("the state of projection any cannot be kept"), error.message);
    }
  }
  assertEquals(log.project({ ...projection(undefined), step: (state) => `${state}, and more` }), "kept, and more");
});

Deno.test("a state is not written again when no operation of its types has entered", () => {
  withLog((path) => {
    using log = OpLog.open(path);
    log.append(note("a"));
    const projection = texts();
    log.project(projection);
    log.record(alice, "memo", {});
    const unwritten = withoutWrites(() => log.project(projection));
    assertEquals(unwritten, ["a"]);
    log.append(note("b"));
    assertEquals(log.project(projection), ["a", "b"]);
    assertEquals(projection.calls, 2);
    const never: Projection<string> = {
      ...texts("never"),
      initial: "initial",
      types: ["never"],
      step: () => "stepped",
    };
    assertEquals(log.project(never), "initial");
    log.record(alice, "memo", {});
    assertEquals(withoutWrites(() => log.project({ ...never, initial: "another" })), "initial");
  });
});

/** Runs `use`, which must not write to a table that keeps a state. */
function withoutWrites<T>(use: () => T): T {
  const query = Connection.prototype.query;
  Connection.prototype.query = function (sql) {
    assert(!/^(INSERT|DELETE|UPDATE).*mnema_state_/.test(sql), sql);
    return query.call(this, sql);
  };
  try {
    return use();
  } finally {
    Connection.prototype.query = query;
  }
}

Deno.test("a state that is too large to be kept is refused, and what was kept stays", () => {
  using log = OpLog.open();
  log.append(note("a"));
  const projection = (text: string): Projection<string> => ({
    name: "large",
    version: 1,
    initial: "",
    step: () => text,
  });
  const most = "x".repeat(2 ** 24 - 2);
  assertEquals(log.project(projection(most)).length, most.length);
  log.append(note("b"));
  for (const options of [{}, { rebuild: true }]) {
    const error = assertThrows(() => log.project(projection(most + "x"), options), LogError, "projection large");
    assertEquals(error.code, "too-large");
  }
  assertEquals(log.replay(projection(most + "x")).length, most.length + 1);
  assertEquals(log.project(projection("b")), "b");
});

Deno.test("a state of any JSON is the same when it is read again, and goes on from there", () => {
  const states: fc.Arbitrary<unknown> = fc.oneof(
    fc.jsonValue({ noUnicodeString: false }),
    fc.constantFrom(null, "", 0, false, [], {}, "\ud800", JSON.parse('{"__proto__":{"a":1}}'), Object.create(null)),
  ).filter((state) => !Object.is(JSON.parse(JSON.stringify(state)), undefined) && !hasMinusZero(state));
  fc.assert(
    fc.property(states, states, (first, second) => {
      using log = OpLog.open();
      const given: unknown[] = [];
      const projection: Projection<unknown> = {
        name: "any",
        version: 1,
        initial: "initial",
        step: (state, { op }) => {
          given.push(structuredClone(state));
          return op.body.text === "a" ? first : second;
        },
      };
      log.append(note("a"));
      const kept = log.project(projection);
      assertEquals(JSON.stringify(kept), JSON.stringify(first));
      log.append(note("b"));
      assertEquals(JSON.stringify(log.project(projection)), JSON.stringify(second));
      assertEquals(JSON.stringify(given), JSON.stringify(["initial", first]));
    }),
    { numRuns: 50 },
  );
});

function hasMinusZero(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return Object.is(value, -0);
  return Object.values(value).some(hasMinusZero);
}

Deno.test("a projection that is not well-formed is refused", () => {
  using log = OpLog.open();
  const refused: [Record<string, unknown>, string][] = [
    ...["", "Heads", "a b", "a/b", 'a"b', "é", "-a", ".a", "_a", "a\n", "a".repeat(65), 1, undefined, null].map(
      (name): [Record<string, unknown>, string] => [{ name }, "a projection's name"],
    ),
    ...[0, -1, 1.5, NaN, Infinity, 2 ** 53, "1", 1n, undefined].map(
      (version): [Record<string, unknown>, string] => [{ version }, "must be a positive integer"],
    ),
    [{ step: undefined }, "has no step"],
  ];
  for (const [change, message] of refused) {
    const projection = { ...counts, ...change } as unknown as Projection<Record<string, number>>;
    for (const ask of [() => log.replay(projection), () => log.project(projection)]) {
      assertEquals(assertThrows(ask, LogError, message).code, "invalid-argument");
    }
  }
  assertEquals(log.project({ ...counts, name: "a".repeat(64) }), {});
});

Deno.test("projections stand side by side, with whatever names, and do not disturb what is built in", () => {
  withLog((path) => {
    const names = [
      ..."heads claims depths state watermarks mnema_heads state-heads a a.b a-b a_b 0 0.-_ sqlite_x".split(" "),
      "select",
      "a".repeat(64),
    ];
    using log = OpLog.open(path);
    const ops = [note("a"), note("b", [note("a").opId]), note("c")];
    const drink = { key: "drink", value: "tea" };
    for (const op of ops) {
      log.append(op);
      for (const [i, name] of names.entries()) {
        const projection: Projection<string[]> = { ...texts(name), version: i + 1 };
        const state = assertProjected(log, { ...projection, step: (s, { op }) => [...s, name + op.body.text] });
        assertEquals(state.length, log.size);
        assert(state.every((text) => text.startsWith(name)));
      }
      assertEquals(log.heads(), headsOf([...log.entries()].map(({ op }) => op)));
    }
    const claim = log.claims.assert(alice, drink);
    log.rebuild();
    assertEquals(log.claims.current("drink")?.opId, claim.opId);
    assertEquals(log.heads(), [claim.opId]);
    for (const name of names) assertEquals(log.project(texts(name)).length, 3);
  });
});

Deno.test("what another implementation appends between is stepped through in its turn", () => {
  withLog((path) => {
    using log = OpLog.open(path);
    const projection = texts();
    const ops = Array.from({ length: 12 }, (_, n) => note(`${n}`, n === 0 ? [] : [note("0").opId]));
    for (const [n, op] of ops.entries()) {
      if (n % 3 === 1) insertOutside(path, [op]);
      else log.append(op);
      if (n % 2 === 0) assertProjected(log, projection);
    }
    assertEquals(log.project(projection), ops.map((_, n) => `${n}`));
    assertEquals(projection.calls, ops.length + [0, 2, 4, 6, 8, 10].reduce((sum, n) => sum + n + 1, 0));
    assertEquals(Object.values(assertProjected(log, depthsById)), [0, ...Array(11).fill(1)]);
  });
});

Deno.test("a readonly log gives what a writable one gives, and its file stays byte for byte as it was", () => {
  const states: Record<string, (path: string) => void> = {
    "without derived tables": (path) =>
      withDatabase(path, (database) => {
        const named = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'mnema_*'";
        for (const [name] of database.prepare(named).values<[string]>()) database.exec(`DROP TABLE "${name}"`);
      }),
    "behind": () => {},
    "up to date": (path) => {
      using log = OpLog.open(path);
      derivedOf(log);
    },
    "with watermarks past the end": (path) =>
      withDatabase(path, (database) => database.exec("UPDATE mnema_watermarks SET seq = 1000")),
    "of another version": (path) =>
      withDatabase(path, (database) => database.exec("UPDATE mnema_watermarks SET version = version + 1")),
  };
  for (const [what, prepare] of Object.entries(states)) {
    withFolder((folder) => {
      const path = `${folder}/log.db`;
      makeLog(path);
      prepare(path);
      const before = contentsOf(folder);
      {
        using log = OpLog.open(path, { readonly: true });
        for (let time = 0; time < 3; time++) assertEquals(derivedOf(log), MADE, what);
        assertEquals(log.replay(counts), MADE[0], what);
        const other = texts("of-the-reader");
        assertEquals([log.project(other), log.project(other), log.project(counts)], [["a"], ["a"], MADE[0]]);
      }
      assertEquals(contentsOf(folder), before, what);
    });
  }
});

Deno.test("a readonly log that is behind steps through what is new alone, and once", () => {
  withLog((path) => {
    makeLog(path);
    const projection = texts();
    {
      using log = OpLog.open(path);
      log.project(projection);
      log.append(note("b"));
    }
    projection.calls = 0;
    using reader = OpLog.open(path, { readonly: true });
    for (let time = 0; time < 3; time++) assertEquals(reader.project(projection), ["a", "b"]);
    insertOutside(path, [note("c")]);
    for (let time = 0; time < 3; time++) assertEquals(reader.project(projection), ["a", "b", "c"]);
    assertEquals(projection.calls, 2);
  });
});

Deno.test("a readonly log follows what others append", () => {
  withLog((path) => {
    makeLog(path);
    using reader = OpLog.open(path, { readonly: true });
    using writer = OpLog.open(path);
    const projection = texts();
    for (let n = 0; n < 6; n++) {
      insertOutside(path, [note(`${n}`)]);
      if (n % 2 === 0) writer.project(texts());
      const expected = ["a", ...Array.from({ length: n + 1 }, (_, i) => `${i}`)];
      assertEquals(reader.project(projection), expected);
      assertEquals(reader.heads().length, 2 + n);
      assertEquals([...reader.claims.query({ status: "refuted" })].length, 1);
    }
    writer.rebuild();
    assertEquals(reader.project(projection).length, 7);
  });
});

Deno.test("a readonly log refuses to keep anything anew", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    makeLog(path);
    const before = contentsOf(folder);
    {
      using log = OpLog.open(path, { readonly: true });
      for (const change of [() => log.rebuild(), () => void log.project(counts, { rebuild: true })]) {
        assertEquals(assertThrows(change, FileError).code, "read-only");
        assertEquals(derivedOf(log), MADE);
      }
    }
    assertEquals(contentsOf(folder), before);
  });
});

Deno.test("while another connection holds the write lock, derived state is given all the same, and kept later", () => {
  withLog((path) => {
    using log = OpLog.open(path, { busyTimeoutMs: 0 });
    log.append(note("a"));
    const projection = texts();
    log.project(projection);
    log.append(note("b"));
    projection.calls = 0;
    whileLocked(path, () => {
      assertEquals(log.heads().length, 2);
      assertEquals(log.project(projection), ["a", "b"]);
      assertEquals(log.project(projection), ["a", "b"]);
      assertEquals(log.project(texts("new")), ["a", "b"]);
      assertEquals([...log.claims.query()], []);
      assertEquals(assertThrows(() => log.project(projection, { rebuild: true }), FileError).code, "locked");
      assertEquals(assertThrows(() => log.rebuild(), FileError).code, "locked");
      assertEquals(log.project(projection), ["a", "b"]);
    });
    log.append(note("c"));
    assertEquals(log.project(projection), ["a", "b", "c"]);
    projection.calls = 0;
    using other = OpLog.open(path);
    assertEquals(other.project(projection), ["a", "b", "c"]);
    assertEquals(projection.calls, 0, "it is kept in the file");
  });
});

/** A log that answers from copies in memory, because the file could not be written when it was asked. */
function withCopies(use: (log: OpLog, path: string) => void): void {
  withLog((path) => {
    using log = OpLog.open(path, { busyTimeoutMs: 0, durability: "normal" });
    log.append(note("a"));
    log.heads();
    log.claims.assert(alice, { key: "drink", value: "tea" });
    log.project(counts);
    log.claims.query();
    log.claims.assert(alice, { key: "drink", value: "coffee" });
    whileLocked(path, () => {
      assertEquals(log.project(counts), { note: 1, "claim.assert": 2 });
      assertEquals([...log.claims.query()].map(({ status }) => status), ["superseded", "active"]);
    });
    use(log, path);
  });
}

function assertDerived(path: string): void {
  for (const readonly of [true, false]) {
    using log = OpLog.open(path, { readonly });
    assertEquals(
      log.heads().length,
      headsOf([...log.entries()].map(({ op }) => op)).length,
    );
    assertProjected(log, counts);
    assertEquals([...log.claims.query()].map(({ status }) => status), ["superseded", "active"]);
  }
}

Deno.test("a log that answered from copies can be rebuilt", () => {
  withCopies((log, path) => {
    log.rebuild();
    assertEquals(log.heads().length, 1);
    assertEquals(log.claims.current("drink")?.value, "coffee");
    assertDerived(path);
  });
  withCopies((log, path) => {
    assertEquals(log.project(counts, { rebuild: true }), { note: 1, "claim.assert": 2 });
    assertDerived(path);
  });
});

Deno.test("a log that answered from copies brings the tables in the file up, and not the copies", () => {
  withCopies((log, path) => {
    log.appendAll(Array.from({ length: 5000 }, (_, n) => unsigned(`${n}`, "note", {}, [])), UNCHECKED);
    log.close();
    assertDerived(path);
  });
});

Deno.test("a log that answered from copies is as it was when something is refused after that", () => {
  withCopies((log, path) => {
    assertEquals(
      assertThrows(() => log.record(alice, "claim.correct", { key: "drink" }), LogError).code,
      "bad-body",
    );
    assertEquals(log.heads().length, 1);
    assertProjected(log, counts);
    log.append(note("b"));
    assertEquals(log.heads().length, 2);
    assertDerived(path);
  });
});

const LIBRARY = ["--allow-ffi", "--allow-env=DENO_SQLITE_PATH,DENO_SQLITE_LOCAL"];

Deno.test("where Deno may not write the file, derived state is given all the same", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    makeLog(path);
    const before = contentsOf(folder);
    const flags = [...LIBRARY, `--allow-read=${folder}`, `--allow-write=${path}-wal,${path}-shm`];
    assertEquals(await runChild("../../derived/children/project_readonly.ts", [path], { flags }), { value: MADE });
    assertEquals(contentsOf(folder)["log.db"], before["log.db"]);
  });
});

Deno.test("a rebuild makes everything that is derived anew, and tells how far it is", () => {
  withLog((path) => {
    using log = OpLog.open(path);
    const ops = Array.from({ length: 5 }, (_, n) => note(`${n}`));
    log.appendAll(ops);
    log.claims.assert(alice, { key: "drink", value: "tea", inputs: [ops[0].opId] });
    const projection = texts();
    const before = [log.project(projection), log.heads(), [...log.claims.query()]];
    withDatabase(path, (database) => {
      database.exec("UPDATE mnema_heads SET op_id = 'op_wrong'; DELETE FROM mnema_claims");
      database.exec('UPDATE "mnema_state_texts" SET state = \'["wrong"]\'');
    });
    assertEquals([log.project(projection), log.heads(), [...log.claims.query()]], [["wrong"], ["op_wrong"], []]);
    const told: [number, number][] = [];
    projection.calls = 0;
    log.rebuild((done, total) => told.push([done, total]));
    assertEquals(told, [[6, 6]]);
    assertEquals(projection.calls, 0, "states are made anew when they are asked for");
    assertEquals([log.project(projection), log.heads(), [...log.claims.query()]], before);
    assertEquals(projection.calls, 5);
  });
});

Deno.test("a log that is open goes on after another connection has rebuilt the file", () => {
  withLog((path) => {
    using log = OpLog.open(path);
    using reader = OpLog.open(path, { readonly: true });
    const projection = texts();
    for (let n = 0; n < 4; n++) {
      log.append(note(`${n}`));
      if (n % 2 === 0) assertEquals([log.heads().length, log.project(projection).length], [n + 1, n + 1]);
      assertEquals([reader.heads().length, reader.project(projection).length], [n + 1, n + 1]);
      {
        using other = OpLog.open(path);
        other.rebuild();
      }
      assertEquals([log.heads().length, log.project(projection).length], [n + 1, n + 1]);
      assertEquals([...log.claims.query()], []);
    }
  });
});

Deno.test("a rebuild that fails leaves everything as it was", () => {
  withLog((path) => {
    makeLog(path);
    using log = OpLog.open(path);
    const projection = texts();
    const before = [derivedOf(log), log.project(projection)];
    const stop = new Error("stop");
    assertEquals(
      assertThrows(() =>
        log.rebuild(() => {
          throw stop;
        })
      ),
      stop,
    );
    projection.calls = 0;
    assertEquals([derivedOf(log), log.project(projection)], before);
    assertEquals(projection.calls, 0);
  });
});

const USES: [what: string, use: (log: OpLog) => unknown][] = [
  ["append", (log) => log.append(note("c"))],
  ["appendAll", (log) => log.appendAll([note("c")])],
  ["record", (log) => log.record(alice, "note", {})],
  ["rebuild", (log) => log.rebuild()],
  ["project", (log) => log.project(counts)],
  ["replay", (log) => log.replay(counts)],
  ["heads", (log) => log.heads()],
  ["entries", (log) => [...log.entries()]],
  ["get", (log) => log.get(note("a").opId)],
  ["claims", (log) => [...log.claims.query()]],
  ["checkpoint", (log) => log.proofs.checkpoint(alice)],
  ["close", (log) => log.close()],
];

for (const [what, use] of USES) {
  Deno.test(`a step cannot use the log that calls it, and leaves it as it was: ${what}`, () => {
    for (const path of [undefined, "log.db"]) {
      withFolder((folder) => {
        using log = OpLog.open(path === undefined ? undefined : `${folder}/${path}`);
        log.append(note("a"));
        const projection = texts();
        log.project(projection);
        log.append(note("b"));
        const using: Projection<string[]> = {
          ...projection,
          step: (state, entry) => {
            use(log);
            return projection.step(state, entry);
          },
        };
        for (const ask of [() => log.project(using), () => log.replay(using)]) {
          assertEquals(assertThrows(ask, LogError, "a step cannot use the log").code, "invalid-argument");
        }
        let caught = 0;
        const catching: Projection<number> = {
          name: "catching",
          version: 1,
          initial: 0,
          step: (state) => {
            try {
              use(log);
            } catch {
              caught++;
            }
            return state + 1;
          },
        };
        assertEquals([log.project(catching), log.replay(catching), caught], [2, 2, 4]);
        assertEquals(assertProjected(log, projection), ["a", "b"]);
        assertEquals([log.heads().length, log.size, log.proofs.checkpoints()], [2, 2, []]);
      });
    }
  });
}

Deno.test("neither a signer nor onProgress can use the log that calls it", () => {
  using log = OpLog.open();
  log.append(note("a"));
  const calling = (use: () => unknown) => ({
    author: alice.author,
    sign(message: Uint8Array) {
      use();
      return alice.sign(message);
    },
  });
  const acts = [() => log.record(alice, "note", {}), () => log.proofs.checkpoint(alice), () => log.close()];
  for (const act of acts) {
    const refused = [
      () => log.record(calling(act), "note", {}),
      () => log.proofs.checkpoint(calling(act)),
      () => log.rebuild(act),
    ];
    for (const use of refused) assertThrows(use, LogError, "cannot use the log that calls it");
  }
  assertEquals([log.size, log.proofs.checkpoints(), log.heads()], [1, [], [note("a").opId]]);
});

Deno.test("an empty log has the initial state, in memory, in a file, readonly, and after a rebuild", () => {
  withLog((path) => {
    using memory = OpLog.open();
    using file = OpLog.open(path);
    using reader = OpLog.open(path, { readonly: true });
    for (const log of [memory, file, reader]) {
      for (let time = 0; time < 2; time++) {
        assertEquals([log.project(counts), log.replay(counts), log.heads(), [...log.claims.query()]], [{}, {}, [], []]);
        assertEquals([log.claims.current("drink")], [undefined]);
        if (log === reader) continue;
        assertEquals(log.project(counts, { rebuild: true }), {});
        log.rebuild();
      }
    }
    file.append(note("a"));
    for (const log of [file, reader]) assertEquals([log.project(counts), log.heads()], [{ note: 1 }, [note("a").opId]]);
  });
});

/** Operations that each follow up to three of those before them. */
const dags: fc.Arbitrary<Operation[]> = fc.tuple(
  fc.nat(),
  fc.array(fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { maxLength: 3 }), {
    minLength: 1,
    maxLength: 20,
  }),
).map(([salt, drafts]) =>
  drafts.map((places, n) => {
    const prev = n === 0 ? [] : [...new Set(places.map((at) => idOf(`${salt} ${Math.floor(at * n)}`)))];
    return unsigned(`${salt} ${n}`, "note", {}, prev);
  })
);

/** Depths by their definition. */
function depthsOf(ops: readonly Operation[]): Record<string, number> {
  const depths: Record<string, number> = {};
  for (const { opId, prev } of ops) {
    depths[opId] = prev.length === 0 ? 0 : 1 + Math.max(...prev.map((id) => depths[id]));
  }
  return depths;
}

Deno.test("every operation is replayed after what it follows, with the depth of the definition", () => {
  fc.assert(
    fc.property(dags, fc.infiniteStream(fc.nat()), (ops, numbers) => {
      const random = (limit: number) => numbers.next().value! % limit;
      const expected = depthsOf(ops);
      using log = OpLog.open();
      const order = causalShuffle(ops, random);
      while (order.length > 0) {
        log.appendAll(order.splice(0, 1 + random(5)), UNCHECKED);
        if (random(2) === 0) assertProjected(log, depthsById);
      }
      assertEquals(assertProjected(log, depthsById), expected);
      const inOrder: Projection<string[]> = {
        name: "order",
        version: 1,
        initial: [],
        step: (seen, { op }) => {
          assert(op.prev.every((id) => seen.includes(id)));
          return [...seen, op.opId];
        },
      };
      assertEquals(log.replay(inOrder).toSorted(), ops.map(({ opId }) => opId).sort());
    }),
    { numRuns: 100 },
  );
});

Deno.test("what is named in prev and is not there, as others may append it, adds no depth", () => {
  withLog((path) => {
    using log = OpLog.open(path);
    const orphan = unsigned("orphan", "note", {}, [idOf("absent")]);
    const child = unsigned("child", "note", {}, [idOf("also absent"), orphan.opId]);
    insertOutside(path, [orphan, child]);
    assertEquals(assertProjected(log, depthsById), { [orphan.opId]: 0, [child.opId]: 1 });
  });
});

Deno.test("depths go on over the borders of blocks, however the operations arrived", () => {
  const count = 2 * BLOCK + 500;
  const ops = Array.from(
    { length: count },
    (_, n) =>
      unsigned(`${n}`, "note", {}, n === 0 ? [] : [idOf(`${n - 1}`), ...n > BLOCK ? [idOf(`${n - BLOCK}`)] : []]),
  );
  const deepest: Projection<number[]> = {
    name: "deepest",
    version: 1,
    initial: [],
    step: (state, { depth }) => (depth === state.length ? state.push(depth) : state.push(-1), state),
  };
  withLog((path) => {
    using log = OpLog.open(path, { durability: "normal" });
    log.appendAll(ops.slice(0, 10), UNCHECKED);
    log.project(deepest); // from here on its border and that of the depths are not those of the blocks
    log.appendAll(ops.slice(10, 700), UNCHECKED);
    log.claims.query(); // brings the depths up, and not the projection
    insertOutside(path, ops.slice(700));
    const expected = Array.from({ length: count }, (_, n) => n);
    assertEquals(log.project(deepest), expected);
    assertEquals(log.replay(deepest), expected);
    assertEquals(log.project(deepest, { rebuild: true }), expected);
    using reader = OpLog.open(path, { readonly: true });
    assertEquals(reader.replay(deepest), expected);
    withDatabase(path, (database) => database.exec("DROP TABLE mnema_depths"));
    assertEquals(reader.replay(deepest), expected);
    assertEquals(log.replay(deepest), expected);
  });
});

for (const what of ["project", "rebuild"]) {
  Deno.test(`a process killed in the midst of a ${what} leaves what was kept before`, async () => {
    await withLog(async (path) => {
      makeLog(path);
      const kept = () =>
        withDatabase(path, (database) => [
          database.prepare("SELECT * FROM mnema_watermarks ORDER BY name").values(),
          database.prepare("SELECT * FROM mnema_state_counts").values(),
          database.prepare("SELECT * FROM mnema_heads").values(),
          database.prepare("SELECT * FROM mnema_claims").values(),
        ]);
      {
        using log = OpLog.open(path);
        derivedOf(log);
        log.close();
      }
      const before = kept();
      const child = startChild("../../derived/children/pause_within.ts", [path, what]);
      const lines = linesOf(child.stdout);
      assertEquals((await lines.next()).value, "paused");
      {
        using reader = OpLog.open(path, { readonly: true });
        assertEquals(derivedOf(reader), MADE, "while it is under way");
      }
      child.kill("SIGKILL");
      assertEquals((await child.status).signal, "SIGKILL");
      assertEquals((await lines.next()).done, true);
      await child.stdin.close().catch(() => {});
      assertEquals(kept(), before);
      using log = OpLog.open(path);
      assertEquals(derivedOf(log), MADE);
      log.append(note("after"));
      assertEquals(assertProjected(log, counts).note, 2);
    });
  });
}

Deno.test("processes that append and project at once all give the state of the whole log", async () => {
  await withLog(async (path) => {
    const script = "../../derived/children/project_at_once.ts";
    const children = Array.from({ length: 2 }, () => startChild(script, [path, "40"]));
    const outputs = children.map(({ stdout }) => linesOf(stdout));
    for (const output of outputs) assertEquals((await output.next()).value, "ready");
    await Promise.all(children.map(({ stdin }) => stdin.close()));
    for (const output of outputs) assertEquals((await output.next()).value, '{"value":"done"}');
    for (const { status } of children) assert((await status).success);
    using log = OpLog.open(path);
    assertEquals(assertProjected(log, counts), { note: 80, "claim.assert": 80 });
    assertEquals(assertProjected(log, depthsById), depthsOf([...log.entries()].map(({ op }) => op)));
    const asked = () => [...log.claims.query()];
    const claims = asked();
    assertEquals(claims.filter(({ status }) => status === "active").length, 2);
    log.rebuild();
    assertEquals(asked(), claims);
    assertEquals(assertProjected(log, counts), { note: 80, "claim.assert": 80 });
  });
});
