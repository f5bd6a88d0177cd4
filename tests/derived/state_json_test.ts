import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { LogError, OpLog, type Projection } from "../../mod.ts";
import { note } from "../operations.ts";
import { runs } from "../runs.ts";

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

Deno.test("a state that is too large to be kept is refused, and what was stored stays", () => {
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

Deno.test("a state of any JSON is the same when it is read again, and steps continue from it", () => {
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
    { numRuns: runs(50) },
  );
});

function hasMinusZero(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return Object.is(value, -0);
  return Object.values(value).some(hasMinusZero);
}
