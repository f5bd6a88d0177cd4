import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { FileError, LogError, OpLog, type Projection } from "../../mod.ts";
import { Connection } from "../../src/sqlite/connection.ts";
import { withFolder } from "../folder.ts";
import { alice, bob, headsOf, note } from "../operations.ts";
import { insertOutside } from "../outside.ts";
import { counts, depthsById, texts } from "./projections.ts";
import { assertProjected, withLog } from "./logs.ts";

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

Deno.test("a projection of another version is rebuilt, later or earlier", () => {
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

Deno.test("a stored state is that of the step that made it, until it is rebuilt", () => {
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

Deno.test("steps may change what they are given, and callers what they get: neither has an effect", () => {
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

Deno.test("a step that throws leaves what was stored as it was, and the log usable", () => {
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
  Deno.test(`a step that throws runs once, and what it threw is rethrown as it is: ${what}`, () => {
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

Deno.test("a state is not written again when no operation of its types was appended", () => {
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

Deno.test("projections exist side by side, with whatever names, and do not affect what is built in", () => {
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
