/** The behaviour of `@std/assert` that the tests rely on; the tests hold for the real package, too. */

import {
  assert,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";

/** An error class with a field. */
class CodedError extends Error {
  constructor(readonly code: string) {
    super(`failed with ${code}`);
  }
}

class Point {
  constructor(readonly x: number) {}
}

class Point3 extends Point {}

/** The message of an assertion that must fail. */
function failure(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    if (error instanceof AssertionError) return error.message;
    throw error;
  }
  throw new Error("The assertion held");
}

Deno.test("An assertion error is an error with a name and a cause", () => {
  const cause = new Error("why");
  const error = new AssertionError("what", { cause });
  assert(error instanceof Error);
  assertEquals(error.name, "AssertionError");
  assertEquals(error.message, "what");
  assertStrictEquals(error.cause, cause);
});

Deno.test("assert and assertFalse check truthiness, and report only the given message", () => {
  for (const value of [1, "0", [], -1n]) {
    assert(value);
    assertEquals(failure(() => assertFalse(value, "reason")), "reason");
  }
  for (const value of [0, "", null, undefined, NaN, 0n]) {
    assertFalse(value);
    assertEquals(failure(() => assert(value, "reason")), "reason");
  }
  assertEquals(failure(() => assert(false)), "");
});

Deno.test("Equal values are equal at any depth", () => {
  const symbol = Symbol();
  assertEquals({ a: [1, { b: "c" }] }, { a: [1, { b: "c" }] });
  assertEquals({ a: 1, b: 2 }, { b: 2, a: 1 });
  assertEquals({ [symbol]: [1] }, { [symbol]: [1] });
  assertEquals(new Map([["a", { x: 1 }]]), new Map([["a", { x: 1 }]]));
  assertEquals(new Set([1, 2]), new Set([2, 1]));
  assertEquals(new Set([{ a: 1 }, { b: 2 }]), new Set([{ b: 2 }, { a: 1 }]));
  assertEquals(new Map([[{ a: 1 }, 1]]), new Map([[{ a: 1 }, 1]]));
  assertEquals(new Date(5), new Date(5));
  assertEquals(/a/g, /a/g);
  assertEquals(new URL("file:///a"), new URL("file:///a"));
  assertEquals(new Point(1), new Point(1));
  assertEquals(NaN, NaN);
});

Deno.test("Different values are different at any depth", () => {
  assertNotEquals<unknown>([1, { b: "c" }], [1, { b: "d" }]);
  assertNotEquals<unknown>([1, 2], [2, 1]);
  assertNotEquals<unknown>([], {});
  assertNotEquals<unknown>(null, undefined);
  assertNotEquals<unknown>("1", 1);
  assertNotEquals<unknown>(new Map([["a", 1]]), new Map([["a", 2]]));
  assertNotEquals<unknown>(new Map([["a", 1]]), new Map([["b", 1]]));
  assertNotEquals<unknown>(new Set([{ a: 1 }]), new Set([{ a: 2 }]));
  assertNotEquals<unknown>(new Date(5), new Date(6));
  assertNotEquals<unknown>(/a/g, /a/);
  assertNotEquals<unknown>(() => 1, () => 1);
});

Deno.test("Zero equals minus zero", () => {
  assertEquals(0, -0);
  assertEquals([0], [-0]);
  assertEquals(new Float64Array([0]), new Float64Array([-0]));
});

Deno.test("A number differs from a bigint", () => {
  assertNotEquals<unknown>(1, 1n);
  assertEquals([2n ** 64n], [2n ** 64n]);
});

Deno.test("A key that holds undefined differs from a missing key", () => {
  assertNotEquals<unknown>({ a: undefined }, {});
  assertNotEquals<unknown>({ a: undefined }, { b: undefined });
  assertNotEquals<unknown>([undefined], []);
  assertEquals({ a: undefined }, { a: undefined });
});

Deno.test("Bytes are compared as bytes, and by the type of their array", () => {
  const bytes = new Uint8Array([0, 1, 2, 3]);
  assertEquals(bytes.subarray(1, 3), new Uint8Array([1, 2]));
  assertEquals(bytes.buffer, new Uint8Array([0, 1, 2, 3]).buffer);
  assertNotEquals(bytes, new Uint8Array([0, 1, 2, 4]));
  assertNotEquals(bytes, new Uint8Array([0, 1, 2]));
  assertNotEquals<unknown>(bytes, new Int8Array([0, 1, 2, 3]));
  assertNotEquals<unknown>(bytes, [0, 1, 2, 3]);
});

Deno.test("An object without a prototype equals an ordinary one", () => {
  const bare = Object.assign(Object.create(null), { a: 1 });
  assertEquals(bare, { a: 1 });
  assertEquals({ a: 1 }, bare);
  assertNotEquals(bare, { a: 2 });
});

Deno.test("Objects of different classes differ", () => {
  assertNotEquals<unknown>(new Point(1), { x: 1 });
  assertNotEquals<unknown>(new Point(1), new Point3(1));
  assertNotEquals<unknown>(new Error("a"), new TypeError("a"));
});

Deno.test("Comparison of cyclic values terminates", () => {
  const [a, b]: Record<string, unknown>[] = [{ x: 1 }, { x: 1 }];
  a.self = a;
  b.self = b;
  assertEquals(a, b);
  b.x = 2;
  assertNotEquals(a, b);
});

Deno.test("assertEquals reports both values and the caller's message", () => {
  const message = failure(() => assertEquals({ same: 1, name: "left" }, { same: 1, name: "right" }, "reason"));
  assertStringIncludes(message, "Values are not equal: reason");
  assertStringIncludes(message, "left");
  assertStringIncludes(message, "right");
});

Deno.test("assertEquals reports where two long texts differ", () => {
  const lines = Array.from({ length: 200 }, (_, i) => `line ${i}`);
  const message = failure(() => assertEquals(lines.join("\n"), lines.with(100, "changed").join("\n")));
  assertStringIncludes(message, "100");
  assertStringIncludes(message, "changed");
});

Deno.test("assertStrictEquals requires the same value", () => {
  const value = { a: 1 };
  assertStrictEquals(value, value);
  assertStrictEquals(NaN, NaN);
  failure(() => assertStrictEquals(0, -0));
  failure(() => assertStrictEquals([], {}));
  assertStringIncludes(
    failure(() => assertStrictEquals(value, { a: 1 }, "reason")),
    "reason",
  );
});

Deno.test("assertStrictEquals narrows the type", () => {
  const value: unknown = "text";
  assertStrictEquals(value, "text" as const);
  const text: "text" = value;
  assertEquals(text.length, 4);
});

Deno.test("assertExists accepts all but null and undefined, and narrows", () => {
  const value: number | undefined = [0].at(0);
  assertExists(value);
  assertEquals(value + 1, 1);
  failure(() => assertExists(null));
  assertStringIncludes(failure(() => assertExists(undefined, "reason")), "reason");
});

Deno.test("assertInstanceOf accepts subclasses, and narrows", () => {
  const value: unknown = new Point3(7);
  assertInstanceOf(value, Point);
  assertEquals(value.x, 7);
  failure(() => assertInstanceOf(new Point(1), Point3));
  failure(() => assertInstanceOf(null, Point));
  assertStringIncludes(failure(() => assertInstanceOf(1, Point)), "Point");
});

Deno.test("assertMatch and assertStringIncludes search a text", () => {
  assertMatch("a1", /\d/);
  assertStringIncludes("abc", "b");
  assertStringIncludes(failure(() => assertMatch("abc", /\d/, "reason")), "reason");
  assertStringIncludes(
    failure(() => assertStringIncludes("abc", "x", "reason")),
    "reason",
  );
});

Deno.test("assertArrayIncludes finds equal values in any order", () => {
  assertArrayIncludes([1, { a: [2] }, NaN], [NaN, { a: [2] }]);
  assertArrayIncludes(new Uint8Array([1, 2]), [2]);
  failure(() => assertArrayIncludes([1, 2], [3]));
});

Deno.test("assertGreater and assertLess fail for equal values", () => {
  assertGreater(2, 1);
  assertLess(1n, 2n);
  failure(() => assertGreater(1, 1));
  failure(() => assertLess(1, 1));
  failure(() => assertLess(NaN, 1));
});

Deno.test("fail throws", () => {
  assertStringIncludes(failure(() => fail("reason")), "reason");
});

Deno.test("assertThrows returns what was thrown, an error or not", () => {
  const thrown = { not: "an error" };
  assertStrictEquals(
    assertThrows(() => {
      throw thrown;
    }),
    thrown,
  );
});

Deno.test("assertThrows returns an error of the expected class", () => {
  const error = assertThrows(
    () => {
      throw new CodedError("E1");
    },
    CodedError,
    "with E1",
  );
  assertEquals(error.code, "E1");
});

Deno.test("assertThrows accepts a subclass of the expected class", () => {
  const error = assertThrows(() => {
    throw new CodedError("E1");
  }, Error);
  assertInstanceOf(error, CodedError);
});

Deno.test("assertThrows fails when nothing, another class or another message is thrown", () => {
  const throwing = (thrown: unknown) => () => {
    throw thrown;
  };
  assertStringIncludes(failure(() => assertThrows(() => {}, "reason")), "reason");
  failure(() => assertThrows(() => {}, CodedError));
  failure(() => assertThrows(throwing(new Error("E1")), CodedError));
  failure(() => assertThrows(throwing("E1"), Error));
  assertStringIncludes(
    failure(() => assertThrows(throwing(new CodedError("E1")), CodedError, "E2", "reason")),
    "reason",
  );
});

Deno.test("assertRejects returns what a promise rejects with", async () => {
  const error = await assertRejects(
    () => Promise.reject(new CodedError("E1")),
    CodedError,
    "with E1",
  );
  assertEquals(error.code, "E1");
  assertEquals(await assertRejects(() => Promise.reject(5)), 5);
});

Deno.test("assertRejects fails when a promise resolves or rejects otherwise", async () => {
  const refuse = (fn: () => Promise<unknown>) => assertRejects(fn, AssertionError);
  await refuse(() => assertRejects(() => Promise.resolve()));
  await refuse(() => assertRejects(() => Promise.reject(1), Error));
  await refuse(() => assertRejects(() => Promise.reject(new Error("E1")), CodedError));
  await refuse(() => assertRejects(() => Promise.reject(new Error("E1")), Error, "E2"));
});

Deno.test("assertRejects fails when a function throws instead of rejecting", async () => {
  await assertRejects(
    () =>
      assertRejects((): Promise<void> => {
        throw new CodedError("E1");
      }, CodedError),
    AssertionError,
  );
});
