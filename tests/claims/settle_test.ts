import { assert, assertEquals } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { idOf, unsigned } from "./histories.ts";
import {
  asserts,
  assertStands,
  byId,
  coffee,
  corrects,
  type Draft,
  history,
  observes,
  refutes,
  statusesOf,
  tea,
  UNCHECKED,
} from "./scenarios.ts";

Deno.test("a superseded input supports the claims derived from it", () => {
  assertStands(history(tea, asserts("derived", "meal", "breakfast", "tea"), coffee), {
    tea: "superseded by coffee",
    derived: "active",
    coffee: "active",
  });
});

Deno.test("a claim is invalidated when an input at any distance falls", () => {
  for (const rule of [refutes("no", "drink", "tea"), refutes("no", "drink"), corrects("no", "drink", "coffee")]) {
    const status = rule.type === "claim.correct" ? "corrected" : "refuted";
    assertStands(
      history(
        observes("receipt"),
        asserts("tea", "drink", "tea", "receipt"),
        asserts("b", "b", 1, "tea"),
        asserts("c", "c", 1, "b"),
        rule,
      ),
      {
        tea: `${status} by no`,
        b: "invalidated by no with tea",
        c: "invalidated by no with b",
        ...status === "corrected" ? { no: "active" } : {},
      },
    );
  }
});

Deno.test("an invalidated claim is active again when the refute is lifted", () => {
  assertStands(
    history(
      tea,
      asserts("b", "b", 1, "tea"),
      asserts("c", "c", 1, "b"),
      refutes("no", "drink"),
      corrects("yes", "drink", "tea"),
    ),
    { tea: "active", b: "active", c: "active", yes: "active" },
  );
});

Deno.test("a refuted claim with a fallen input is refuted, and invalidated when the refute is lifted", () => {
  const steps = [tea, asserts("b", "b", 1, "tea"), refutes("no tea", "drink"), refutes("no b", "b")];
  assertStands(history(...steps), { tea: "refuted by no tea", b: "refuted by no b" });
  assertStands(history(...steps, corrects("yes b", "b", 1)), {
    "tea": "refuted by no tea",
    "b": "invalidated by no tea with tea",
    "yes b": "active",
  });
});

Deno.test("of two inputs that fall together, via is the first in replay order", () => {
  const sides = [asserts("left", "left", 1), asserts("right", "right", 1)];
  const bottom = asserts("bottom", "bottom", 1, "right", "left");
  const no = [refutes("no left", "left"), refutes("no right", "right")];
  assertStands(history(...sides, bottom, ...no), {
    left: "refuted by no left",
    right: "refuted by no right",
    bottom: "invalidated by no left with left",
  });
  assertStands(history(...sides, bottom, ...no.toReversed()), {
    left: "refuted by no left",
    right: "refuted by no right",
    bottom: "invalidated by no left with left",
  });
  assertStands(history(...sides, bottom, ...no, corrects("yes left", "left", 1)), {
    "left": "active",
    "right": "refuted by no right",
    "bottom": "invalidated by no right with right",
    "yes left": "active",
  });
  const [first, second] = byId("left", "right");
  assertStands(history(sides, bottom, no), {
    left: "refuted by no left",
    right: "refuted by no right",
    bottom: `invalidated by no ${first} with ${first}`,
  });
  assert(first !== second);
});

Deno.test("of inputs that had fallen before, via is the first, by depth, then id", () => {
  const [earlier, later] = byId("x", "y");
  const no = [refutes("no x", "x"), refutes("no y", "y")];
  const bottom = asserts("bottom", "bottom", 1, earlier, later);
  for (const sides of [[earlier, later], [later, earlier]]) {
    const [first] = sides;
    assertStands(history(...sides.map((name) => asserts(name, name, 1)), ...no, bottom), {
      x: "refuted by no x",
      y: "refuted by no y",
      bottom: `invalidated by no ${first} with ${first}`,
    });
    assertStands(history(sides.map((name) => asserts(name, name, 1)), ...no, bottom), {
      x: "refuted by no x",
      y: "refuted by no y",
      bottom: `invalidated by no ${earlier} with ${earlier}`,
    });
  }
});

Deno.test("a diamond falls with its top, and rises with it", () => {
  const diamond = [
    asserts("top", "top", 1),
    asserts("left", "left", 1, "top"),
    asserts("right", "right", 1, "top"),
    asserts("bottom", "bottom", 1, "right", "left"),
    refutes("no", "top", 1),
  ];
  assertStands(history(...diamond), {
    top: "refuted by no",
    left: "invalidated by no with top",
    right: "invalidated by no with top",
    bottom: "invalidated by no with left",
  });
  assertStands(history(...diamond, corrects("yes", "top", 1)), {
    top: "active",
    left: "active",
    right: "active",
    bottom: "active",
    yes: "active",
  });
});

Deno.test("a claim is pending until the last of its inputs has arrived, at any distance", () => {
  const names = new Map(["a", "b", "c", "d"].map((name) => [idOf(name), name]));
  const make = ({ name, type, body }: Draft) => unsigned(name, type, body, []);
  using log = OpLog.open();
  const arrive = (draft: Draft) => {
    log.append(make(draft), UNCHECKED);
    return statusesOf(log, names);
  };
  assertEquals(arrive(asserts("d", "d", 1, "c")), { d: "pending" });
  assertEquals(arrive(asserts("c", "c", 1, "b", "receipt")), { d: "pending", c: "pending" });
  assertEquals(arrive(asserts("b", "b", 1, "a", "note")), { d: "pending", c: "pending", b: "pending" });
  assertEquals(arrive(observes("receipt")).c, "pending");
  assertEquals(arrive(asserts("a", "a", 1)), { a: "active", d: "pending", c: "pending", b: "pending" });
  const all = { a: "active", b: "active", c: "active", d: "active" };
  assertEquals(arrive({ name: "note", type: "note", body: {} }), all);
  log.rebuild();
  assertEquals(statusesOf(log, names), all);
});

Deno.test("a claim with a missing and a fallen input is invalidated", () => {
  const steps = [tea, asserts("b", "b", 1, "tea", "never arrives"), asserts("c", "c", 1, "b")];
  assertStands(history(...steps), { tea: "active", b: "pending", c: "pending" });
  assertStands(history(...steps, refutes("no", "drink")), {
    tea: "refuted by no",
    b: "invalidated by no with tea",
    c: "invalidated by no with b",
  });
});

Deno.test("a pending claim can be refuted or corrected", () => {
  const steps = [asserts("b", "b", 1, "never arrives"), asserts("c", "c", 1, "b")];
  assertStands(history(...steps, refutes("no", "b")), { b: "refuted by no", c: "invalidated by no with b" });
  assertStands(history(...steps, corrects("no", "b", 2)), {
    b: "corrected by no",
    c: "invalidated by no with b",
    no: "active",
  });
});

Deno.test("evidence and other operations support the claims derived from them, and never fall", () => {
  const others = [observes("receipt"), { name: "note", type: "note", body: {} }, refutes("no", "else"), tea];
  assertStands(history(...others, asserts("b", "b", 1, "receipt", "note", "no", "tea")), {
    tea: "active",
    b: "active",
  });
});
