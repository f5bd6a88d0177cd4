import { assertEquals } from "@std/assert";
import { OpLog } from "../../mod.ts";
import {
  asserts,
  assertStands,
  byId,
  coffee,
  corrects,
  history,
  refutes,
  statusesOf,
  tea,
  UNCHECKED,
} from "./scenarios.ts";

Deno.test("a claim is superseded by the last active claim of another value, by depth, then id", () => {
  assertStands(history(tea, coffee, asserts("cocoa", "drink", "cocoa")), {
    tea: "superseded by cocoa",
    coffee: "superseded by cocoa",
    cocoa: "active",
  });
  const [earlier, later] = byId("x", "y");
  assertStands(history(tea, [asserts(earlier, "drink", 1), asserts(later, "drink", 2)]), {
    tea: `superseded by ${later}`,
    [earlier]: `superseded by ${later}`,
    [later]: "active",
  });
});

Deno.test("when the last claim of a key falls, of concurrent earlier ones the one with the greater id is current", () => {
  const [earlier, later] = byId("x", "y");
  for (const sides of [[earlier, later], [later, earlier]]) {
    assertStands(
      history(
        sides.map((name) => asserts(name, "drink", name)),
        asserts("last", "drink", "last"),
        refutes("no", "drink", "last"),
      ),
      { [earlier]: `superseded by ${later}`, [later]: "active", last: "refuted by no" },
    );
  }
});

Deno.test("when the last claim of a key falls while another rises with its input, the other is current", () => {
  const { names, ops } = history(
    asserts("root", "root", 1),
    refutes("no root", "root"),
    asserts("cocoa", "drink", "cocoa"),
    asserts("coffee", "drink", "coffee", "root"),
    tea,
    refutes("no tea", "drink", "tea"),
    corrects("yes", "root", 1),
  );
  using log = OpLog.open();
  log.appendAll(ops.slice(0, -2), UNCHECKED);
  assertEquals(statusesOf(log, names).tea, "active");
  log.appendAll(ops.slice(-2), UNCHECKED);
  const expected = {
    root: "active",
    cocoa: "superseded by coffee",
    coffee: "active",
    tea: "refuted by no tea",
    yes: "active",
  };
  assertEquals(statusesOf(log, names), expected);
  assertStands({ names, ops }, expected);
});

Deno.test("claims with equal values are active together", () => {
  assertStands(history(tea, asserts("tea again", "drink", "tea")), { "tea": "active", "tea again": "active" });
  // The first is before the coffee, and live with the last, which is after it.
  assertStands(history(tea, coffee, asserts("tea again", "drink", "tea")), {
    "tea": "active",
    "coffee": "superseded by tea again",
    "tea again": "active",
  });
});

Deno.test("values are equal when their canonical encodings are", () => {
  const equal: [unknown, unknown][] = [
    [{ a: 1, b: [2] }, { b: [2n], a: 1n }],
    [9223372036854775807n, 9223372036854775807n],
    ["x".repeat(1000), "x".repeat(1000)],
    [{ "\u0000": null }, { "\u0000": null }],
  ];
  for (const [first, second] of equal) {
    assertStands(history(asserts("a", "k", first), asserts("b", "k", second)), { a: "active", b: "active" });
  }
  const different: [unknown, unknown][] = [
    [1, "1"],
    [null, "null"],
    [false, 0],
    [[], {}],
    ["é", "e\u0301"],
    [9007199254740992n, 9007199254740993n],
    ["x".repeat(1000), "x".repeat(1001)],
    ["#", ""],
  ];
  for (const [first, second] of different) {
    assertStands(history(asserts("a", "k", first), asserts("b", "k", second)), { a: "superseded by b", b: "active" });
  }
});

Deno.test("a superseded claim is active again when the later one falls or becomes pending", () => {
  assertStands(history(tea, coffee, refutes("no", "drink", "coffee")), { tea: "active", coffee: "refuted by no" });
  assertStands(history(tea, asserts("coffee", "drink", "coffee", "never arrives")), {
    tea: "active",
    coffee: "pending",
  });
  assertStands(
    history(asserts("shop", "shop", "open"), tea, asserts("coffee", "drink", "coffee", "shop"), refutes("no", "shop")),
    { shop: "refuted by no", tea: "active", coffee: "invalidated by no with shop" },
  );
});

Deno.test("when the last of several claims with equal values falls, the last remaining claim is current", () => {
  const unsupported = asserts("tea again", "drink", "tea", "never arrives");
  assertStands(history(tea, coffee, unsupported), {
    "tea": "superseded by coffee",
    "coffee": "active",
    "tea again": "pending",
  });
  assertStands(
    history(
      asserts("shop", "shop", 1),
      tea,
      coffee,
      asserts("tea again", "drink", "tea", "shop"),
      refutes("no", "shop"),
    ),
    {
      "shop": "refuted by no",
      "tea": "superseded by coffee",
      "coffee": "active",
      "tea again": "invalidated by no with shop",
    },
  );
});
