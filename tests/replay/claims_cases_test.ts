import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  type Claim,
  type ClaimFilter,
  type ClaimStatus,
  formatJson,
  LogError,
  NotFoundError,
  Operation,
  OperationError,
  OpLog,
} from "../../mod.ts";
import { Connection } from "../../src/log/connection.ts";
import { contentsOf, withFolder } from "../folder.ts";
import { alice, bob, causalShuffle } from "../operations.ts";
import { histories, idOf, unsigned } from "./histories.ts";
import { insertOutside } from "./outside.ts";

const UNCHECKED = { verify: false };
const STATUSES: ClaimStatus[] = ["active", "superseded", "pending", "invalidated", "corrected", "refuted"];

/** An operation by its name, whose first letter is its author, that is still to be told what it follows. */
interface Draft {
  name: string;
  type: string;
  body: Record<string, unknown>;
}

interface Named {
  names: Map<string, string>;
  ops: Operation[];
}

function asserts(name: string, key: string, value: unknown, ...inputs: string[]): Draft {
  const deriver = { id: "taste", version: "1" };
  const body = { key, value, confidence_ppm: 500_000, deriver, inputs: inputs.map(idOf) };
  return { name, type: "claim.assert", body };
}

/** Refutes a value of a key, or without one the key. */
function refutes(name: string, key: string, ...value: unknown[]): Draft {
  const body = value.length === 0 ? { key, scope: "key" } : { key, scope: "value", value: value[0] };
  return { name, type: "claim.refute", body };
}

function corrects(name: string, key: string, value: unknown): Draft {
  return { name, type: "claim.correct", body: { key, value } };
}

function observes(name: string): Draft {
  return { name, type: "evidence.add", body: { source: "shop", kind: "receipt", content: { name } } };
}

/** Each follows the one before it. A list among them are operations at once: all follow what is before the list. */
function history(...steps: (Draft | Draft[])[]): Named {
  const names = new Map<string, string>();
  const ops: Operation[] = [];
  let heads: string[] = [];
  for (const step of steps) {
    const drafts = Array.isArray(step) ? step : [step];
    for (const { name, type, body } of drafts) {
      names.set(idOf(name), name);
      ops.push(unsigned(name, type, body, heads));
    }
    heads = drafts.map(({ name }) => idOf(name));
  }
  return { names, ops };
}

/** Where each claim stands, in a few words, by its name. */
function standings(log: OpLog, names: Map<string, string>): Record<string, string> {
  return Object.fromEntries(
    [...log.claims.query()].map(({ opId, status, cause, via }) => [
      names.get(opId)!,
      status + (cause === undefined ? "" : ` by ${names.get(cause)}`) +
      (via === undefined ? "" : ` with ${names.get(via)}`),
    ]),
  );
}

/** Asserts where claims stand after all has arrived: at once, one by one with a look between, and in other orders. */
function assertStands({ names, ops }: Named, expected: Record<string, string>): void {
  using whole = OpLog.open();
  whole.appendAll(ops, UNCHECKED);
  assertEquals(standings(whole, names), expected, "at once");
  const claims = [...whole.claims.query()];
  for (const status of STATUSES) {
    const found = [...whole.claims.query({ status })];
    assertEquals(found, claims.filter((claim) => claim.status === status), status);
  }
  whole.rebuild();
  assertEquals(standings(whole, names), expected, "rebuilt");
  let seed = 1;
  const random = (limit: number) => (seed = (seed * 16807) % 2147483647) % limit;
  for (const order of [ops, ...Array.from({ length: 6 }, () => causalShuffle(ops, random))]) {
    using log = OpLog.open();
    for (const op of order) {
      log.append(op, UNCHECKED);
      log.claims.query();
    }
    assertEquals(standings(log, names), expected, order.map(({ opId }) => names.get(opId)).join(", "));
  }
}

/** These names, sorted by the ids of the operations that have them. */
function byId(...names: string[]): string[] {
  return names.sort((a, b) => idOf(a) < idOf(b) ? -1 : 1);
}

const tea = asserts("tea", "drink", "tea");
const coffee = asserts("coffee", "drink", "coffee");

Deno.test("a refute of a value fells the claims of this value and key, and no others", () => {
  const others = [
    asserts("cocoa", "drink", ["tea"]),
    asserts("other key", "drinks", "tea"),
    asserts("Tea", "Drink", "tea"),
  ];
  assertStands(history(tea, asserts("tea again", "drink", "tea"), ...others, refutes("no", "drink", "tea")), {
    "tea": "refuted by no",
    "tea again": "refuted by no",
    "cocoa": "active",
    "other key": "active",
    "Tea": "active",
  });
});

Deno.test("a refute covers what was claimed before it, after it, and at once", () => {
  for (const steps of [[tea, refutes("no", "drink", "tea")], [refutes("no", "drink", "tea"), tea]]) {
    assertStands(history(...steps), { tea: "refuted by no" });
    assertStands(history(steps), { tea: "refuted by no" });
  }
  for (const steps of [[tea, refutes("no", "drink")], [refutes("no", "drink"), tea]]) {
    assertStands(history(...steps), { tea: "refuted by no" });
    assertStands(history(steps), { tea: "refuted by no" });
  }
});

Deno.test("a refute of a key fells whatever is claimed of it, and of no other key", () => {
  const longer = asserts("longer", "drink.morning", "tea");
  assertStands(history(tea, coffee, longer, refutes("no", "drink")), {
    tea: "refuted by no",
    coffee: "refuted by no",
    longer: "active",
  });
});

Deno.test("of several refutes, the first that is effective is the cause", () => {
  const first = refutes("first", "drink", "tea");
  assertStands(history(tea, first, refutes("second", "drink"), refutes("third", "drink", "tea")), {
    tea: "refuted by first",
  });
  assertStands(
    history(tea, coffee, refutes("first", "drink"), refutes("second", "drink", "tea"), refutes("third", "drink")),
    {
      tea: "refuted by first",
      coffee: "refuted by first",
    },
  );
});

Deno.test("a correction fells claims of other values, before it and after it, and is a claim itself", () => {
  const later = asserts("later", "drink", "cocoa");
  assertStands(history(tea, coffee, corrects("water", "drink", "water"), later), {
    tea: "corrected by water",
    coffee: "corrected by water",
    water: "active",
    later: "corrected by water",
  });
});

Deno.test("a correction to what was claimed leaves the claim live", () => {
  assertStands(history(tea, coffee, corrects("yes", "drink", "tea")), {
    tea: "active",
    coffee: "corrected by yes",
    yes: "active",
  });
});

Deno.test("a correction lifts earlier refutes of its value and of the key, and of no other value", () => {
  const refuted = [refutes("no tea", "drink", "tea"), refutes("no", "drink"), refutes("no coffee", "drink", "coffee")];
  assertStands(history(tea, coffee, ...refuted, corrects("yes", "drink", "tea"), asserts("cocoa", "drink", "cocoa")), {
    tea: "active",
    coffee: "refuted by no coffee",
    yes: "active",
    cocoa: "corrected by yes",
  });
});

Deno.test("what is refuted is refuted and not corrected", () => {
  assertStands(history(tea, corrects("yes", "drink", "coffee"), refutes("no", "drink", "tea")), {
    tea: "refuted by no",
    yes: "active",
  });
});

Deno.test("a correction replaces earlier ones, which are corrected in their turn", () => {
  assertStands(history(tea, corrects("first", "drink", "coffee"), corrects("second", "drink", "tea")), {
    tea: "active",
    first: "corrected by second",
    second: "active",
  });
  const thrice = [corrects("first", "drink", "a"), corrects("second", "drink", "b"), corrects("third", "drink", "a")];
  assertStands(history(...thrice), { first: "active", second: "corrected by third", third: "active" });
});

Deno.test("a refute of its value lifts a correction, and what it had corrected rises", () => {
  assertStands(history(tea, corrects("yes", "drink", "coffee"), refutes("no", "drink", "coffee")), {
    tea: "active",
    yes: "refuted by no",
  });
});

Deno.test("a refute of another value leaves a correction", () => {
  assertStands(history(tea, corrects("yes", "drink", "coffee"), refutes("no", "drink", "cocoa")), {
    tea: "corrected by yes",
    yes: "active",
  });
});

Deno.test("a refute of the key lifts every correction, and fells its claims", () => {
  assertStands(
    history(tea, corrects("first", "drink", "a"), corrects("second", "drink", "b"), refutes("no", "drink")),
    { tea: "refuted by no", first: "refuted by no", second: "refuted by no" },
  );
});

Deno.test("a correction that was lifted does not come back when what lifted it is lifted", () => {
  assertStands(
    history(
      tea,
      corrects("first", "drink", "coffee"),
      refutes("no", "drink"),
      corrects("second", "drink", "tea"),
      refutes("not tea either", "drink", "tea"),
      asserts("cocoa", "drink", "cocoa"),
    ),
    {
      tea: "refuted by not tea either",
      first: "superseded by cocoa",
      second: "refuted by not tea either",
      cocoa: "active",
    },
  );
});

Deno.test("of rules at once, the one with the greater id comes later", () => {
  const [earlier, later] = byId("x", "y");
  const yes = (name: string) => corrects(name, "drink", name);
  assertStands(history([yes(earlier), yes(later)]), { [earlier]: `corrected by ${later}`, [later]: "active" });
  assertStands(history(tea, [corrects(earlier, "drink", "tea"), refutes(later, "drink", "tea")]), {
    tea: `refuted by ${later}`,
    [earlier]: `refuted by ${later}`,
  });
  assertStands(history(tea, [refutes(earlier, "drink", "tea"), corrects(later, "drink", "tea")]), {
    tea: "active",
    [later]: "active",
  });
});

Deno.test("a rule that is deeper comes later, whatever its id", () => {
  const [earlier, later] = byId("x", "y");
  const ops = (shallow: string, deep: string) => {
    const first = unsigned(shallow, "claim.correct", { key: "drink", value: shallow }, []);
    const before = unsigned("before", "note", {}, []);
    const second = unsigned(deep, "claim.correct", { key: "drink", value: deep }, [before.opId]);
    const names = new Map([shallow, deep].map((name) => [idOf(name), name]));
    return { names, ops: [before, second, first] };
  };
  assertStands(ops(earlier, later), { [earlier]: `corrected by ${later}`, [later]: "active" });
  assertStands(ops(later, earlier), { [later]: `corrected by ${earlier}`, [earlier]: "active" });
});

Deno.test("a refute of a key covers values that are claimed later, though nothing stood when it came", () => {
  assertStands(history(asserts("waits", "drink", "water", "never arrives"), refutes("no", "drink"), tea), {
    waits: "refuted by no",
    tea: "refuted by no",
  });
});

Deno.test("of corroborating claims the deepest is current, though the correction that lifts them comes to light last", () => {
  const { ops } = history(
    refutes("no", "drink", "tea"),
    observes("receipt"),
    observes("letter"),
    tea,
    asserts("more tea", "drink", "tea"),
  );
  const yes = unsigned("yes", "claim.correct", { key: "drink", value: "tea" }, [idOf("no")]);
  for (const order of [[...ops, yes], [ops[0], yes, ...ops.slice(1)]]) {
    using log = OpLog.open();
    for (const op of order) {
      log.append(op, UNCHECKED);
      log.claims.query();
    }
    assertEquals(log.claims.current("drink")?.opId, idOf("more tea"));
  }
});

Deno.test("a claim is superseded by the last live claim of another value, by depth, then id", () => {
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

Deno.test("when the last of a key falls, of those at once before it the one with the greater id holds", () => {
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

Deno.test("when the last of a key falls while another rises with its input, the other holds", () => {
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
  assertEquals(standings(log, names).tea, "active");
  log.appendAll(ops.slice(-2), UNCHECKED);
  const expected = {
    root: "active",
    cocoa: "superseded by coffee",
    coffee: "active",
    tea: "refuted by no tea",
    yes: "active",
  };
  assertEquals(standings(log, names), expected);
  assertStands({ names, ops }, expected);
});

Deno.test("equal values corroborate each other, and stay live together", () => {
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

Deno.test("a superseded claim is active again when what came later falls, or is not supported", () => {
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

Deno.test("with the last of corroborating claims gone, what holds is what is last then", () => {
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

Deno.test("an input that is superseded supports what was derived from it", () => {
  assertStands(history(tea, asserts("derived", "meal", "breakfast", "tea"), coffee), {
    tea: "superseded by coffee",
    derived: "active",
    coffee: "active",
  });
});

Deno.test("a claim whose input falls is invalidated, at any distance", () => {
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

Deno.test("what was invalidated lives again when the refute is lifted", () => {
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

Deno.test("a claim that is refuted itself is refuted, whatever its inputs; when that is lifted, it is invalidated", () => {
  const steps = [tea, asserts("b", "b", 1, "tea"), refutes("no tea", "drink"), refutes("no b", "b")];
  assertStands(history(...steps), { tea: "refuted by no tea", b: "refuted by no b" });
  assertStands(history(...steps, corrects("yes b", "b", 1)), {
    "tea": "refuted by no tea",
    "b": "invalidated by no tea with tea",
    "yes b": "active",
  });
});

Deno.test("a claim that stands on two that fell fell with the first of them in the order of replay", () => {
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

Deno.test("a claim on inputs that had fallen before fell with the first of them, by depth, then id", () => {
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
    return standings(log, names);
  };
  assertEquals(arrive(asserts("d", "d", 1, "c")), { d: "pending" });
  assertEquals(arrive(asserts("c", "c", 1, "b", "receipt")), { d: "pending", c: "pending" });
  assertEquals(arrive(asserts("b", "b", 1, "a", "note")), { d: "pending", c: "pending", b: "pending" });
  assertEquals(arrive(observes("receipt")).c, "pending");
  assertEquals(arrive(asserts("a", "a", 1)), { a: "active", d: "pending", c: "pending", b: "pending" });
  const all = { a: "active", b: "active", c: "active", d: "active" };
  assertEquals(arrive({ name: "note", type: "note", body: {} }), all);
  log.rebuild();
  assertEquals(standings(log, names), all);
});

Deno.test("a claim that lacks one input and lost another is invalidated", () => {
  const steps = [tea, asserts("b", "b", 1, "tea", "never arrives"), asserts("c", "c", 1, "b")];
  assertStands(history(...steps), { tea: "active", b: "pending", c: "pending" });
  assertStands(history(...steps, refutes("no", "drink")), {
    tea: "refuted by no",
    b: "invalidated by no with tea",
    c: "invalidated by no with b",
  });
});

Deno.test("a claim that is pending may be refuted or corrected", () => {
  const steps = [asserts("b", "b", 1, "never arrives"), asserts("c", "c", 1, "b")];
  assertStands(history(...steps, refutes("no", "b")), { b: "refuted by no", c: "invalidated by no with b" });
  assertStands(history(...steps, corrects("no", "b", 2)), {
    b: "corrected by no",
    c: "invalidated by no with b",
    no: "active",
  });
});

Deno.test("evidence, and whatever is no claim, supports what was derived from it, and never falls", () => {
  const others = [observes("receipt"), { name: "note", type: "note", body: {} }, refutes("no", "else"), tea];
  assertStands(history(...others, asserts("b", "b", 1, "receipt", "note", "no", "tea")), {
    tea: "active",
    b: "active",
  });
});

/** A log with these operations, each signed by its author. */
function signedLog(): { log: OpLog; ids: Record<string, string> } {
  const log = OpLog.open();
  const ids: Record<string, string> = {};
  const add = (name: string, { opId }: Operation) => void (ids[name] = opId);
  const by = (id: string, version = "1") => ({ deriver: { id, version } });
  add("receipt", log.record(alice, "evidence.add", { source: "shop", kind: "receipt", content: {} }));
  add("tea", log.claims.assert(alice, { key: "drink", value: "tea", inputs: [ids.receipt], ...by("taste") }));
  add("coffee", log.claims.assert(bob, { key: "drink", value: "coffee", ...by("taste", "2") }));
  add("meal", log.claims.assert(alice, { key: "meal", value: "breakfast", inputs: [ids.tea], ...by("habits") }));
  add("day", log.claims.assert(bob, { key: "day", value: 1, inputs: [ids.meal, ids.tea, idOf("absent")] }));
  add("home", log.claims.correct(alice, "home", "Oslo").op);
  return { log, ids };
}

function idsOf(claims: Iterable<Claim>): string[] {
  return [...claims].map(({ opId }) => opId);
}

Deno.test("claims are asked for by key, prefix, status, author, deriver, input, and by several at once", () => {
  const { log, ids: { receipt, tea, coffee, meal, day, home } } = signedLog();
  using _ = log;
  const cases: [ClaimFilter, string[]][] = [
    [{}, [day, tea, coffee, home, meal]],
    [{ key: "drink" }, [tea, coffee]],
    [{ key: "drin" }, []],
    [{ prefix: "d" }, [day, tea, coffee]],
    [{ prefix: "" }, [day, tea, coffee, home, meal]],
    [{ prefix: "drinks" }, []],
    [{ status: "active" }, [coffee, home, meal]],
    [{ status: "superseded" }, [tea]],
    [{ status: "pending" }, [day]],
    [{ status: "refuted" }, []],
    [{ author: alice.author }, [tea, home, meal]],
    [{ author: bob.author }, [day, coffee]],
    [{ author: "mnk_nobody" }, []],
    [{ deriver: "taste" }, [tea, coffee]],
    [{ deriver: "hand" }, [day]],
    [{ deriver: "tast" }, []],
    [{ deriver: alice.author }, []],
    [{ input: receipt }, [tea]],
    [{ input: tea }, [day, meal]],
    [{ input: meal }, [day]],
    [{ input: idOf("absent") }, [day]],
    [{ input: day }, []],
    [{ input: idOf("never named") }, []],
    [{ input: tea, author: alice.author }, [meal]],
    [{ input: tea, status: "pending", prefix: "d", deriver: "hand", key: "day", author: bob.author }, [day]],
    [{ input: tea, status: "active", key: "day" }, []],
    [{ key: "drink", prefix: "m" }, []],
    [{ deriver: "taste", status: "active" }, [coffee]],
    [{ limit: 0 }, []],
    [{ limit: 2 }, [day, tea]],
    [{ prefix: "d", limit: 2 }, [day, tea]],
    [{ status: "active", limit: 1 }, [coffee]],
    [{ limit: 100 }, [day, tea, coffee, home, meal]],
    [{ key: undefined, status: undefined, limit: undefined }, [day, tea, coffee, home, meal]],
  ];
  for (const [filter, expected] of cases) {
    assertEquals(idsOf(log.claims.query(filter)), expected, JSON.stringify(filter));
  }
  log.claims.refute(alice, "drink", { value: "tea" });
  assertEquals(idsOf(log.claims.query({ status: "refuted" })), [tea]);
  assertEquals(idsOf(log.claims.query({ status: "invalidated" })), [day, meal]);
  log.claims.correct(alice, "drink", "water");
  assertEquals(idsOf(log.claims.query({ status: "corrected" })), [coffee]);
  log.rebuild();
  assertEquals(idsOf(log.claims.query({ input: idOf("absent") })), [day]);
});

Deno.test("a claim that waited for an input is found by it when it has arrived", () => {
  using log = OpLog.open();
  const { ops } = history(asserts("b", "b", 1, "a"));
  log.appendAll(ops, UNCHECKED);
  assertEquals(idsOf(log.claims.query({ input: idOf("a") })), [idOf("b")]);
  log.appendAll(history(asserts("a", "a", 1)).ops, UNCHECKED);
  assertEquals(idsOf(log.claims.query({ input: idOf("a") })), [idOf("b")]);
  assertEquals(idsOf(log.claims.query({ input: idOf("a"), status: "pending" })), []);
});

const ODD_KEYS = [
  ..."a|a.|a.b|aa|a%|a_|A|b|ab|%|_|*|?|[a]|'|''|\"|\\|\\u0000|\\\\|\\\"|#|~|\u007f|é|e\u0301|東京|東".split("|"),
  ..."\u0000|\u0000\u0000|a\u0000|a\u0000b|\n|\u001f|\ud7ff|\ud7ffx|\ue000|\ufffd|\uffff|😀|😀x".split("|"),
  ..."\u{10ffff}|\u{10ffff}\u{10ffff}|a\u{10ffff}|a\u{10ffff}b|\u{10fffe}\u{10ffff}|\u{10fffe}x".split("|"),
  "\u{10ffff}".repeat(512),
  "x".repeat(512),
];

Deno.test("a prefix is any text, character by character, whatever the characters", () => {
  using log = OpLog.open();
  log.appendAll(ODD_KEYS.map((key, n) => unsigned(`${n}`, "claim.assert", asserts("", key, n).body, [])), UNCHECKED);
  const prefixes = new Set(
    ODD_KEYS.flatMap((key) => [key, key + "a", key + "\u{10ffff}", [...key].slice(0, -1).join("")]),
  );
  prefixes.add("\u{10ffff}".repeat(600));
  for (const prefix of prefixes) {
    const found = [...log.claims.query({ prefix })].map(({ key }) => key).sort();
    assertEquals(found, ODD_KEYS.filter((key) => key.startsWith(prefix)).sort(), JSON.stringify(prefix.slice(0, 20)));
  }
  for (const [n, key] of ODD_KEYS.entries()) {
    assertEquals([...log.claims.query({ key })].map((claim) => [claim.key, claim.value]), [[key, n]]);
    assertEquals(log.claims.current(key)?.value, n);
  }
});

Deno.test("odd derivers are told apart", () => {
  using log = OpLog.open();
  for (const id of ODD_KEYS) log.claims.assert(alice, { key: "k", value: id, deriver: { id, version: "1" } });
  for (const deriver of ODD_KEYS) {
    assertEquals([...log.claims.query({ deriver })].map((claim) => claim.deriver?.id), [deriver]);
  }
});

Deno.test("claims are sorted by key, depth and id, whatever the order of arrival", () => {
  const [earlier, later] = byId("x", "y");
  const named = history(
    [asserts(later, "b", 1), asserts(earlier, "b", 2)],
    asserts("deep", "b", 3),
    asserts("other", "a", 4),
    asserts("last", "ba", 5),
  );
  for (const ops of [named.ops, [named.ops[1], named.ops[0], ...named.ops.slice(2)]]) {
    using log = OpLog.open();
    log.appendAll(ops, UNCHECKED);
    assertEquals(idsOf(log.claims.query()), ["other", earlier, later, "deep", "last"].map(idOf));
  }
});

Deno.test("a filter that makes no sense is refused", () => {
  const { log } = signedLog();
  using _ = log;
  const filters: Record<string, unknown>[] = [
    ...["", "Active", "live", "toString", "__proto__", null, 1].map((status) => ({ status })),
    ...[-1, 1.5, NaN, Infinity, "1", 1n, null].map((limit) => ({ limit })),
  ];
  for (const filter of filters) {
    const error = assertThrows(() => log.claims.query(filter as ClaimFilter), LogError);
    assertEquals(error.code, "invalid-argument");
  }
});

Deno.test("what is read from a query is as it stands then, though the query was made before", () => {
  using log = OpLog.open();
  const root = log.claims.assert(alice, { key: "root", value: 1 });
  const count = 600;
  const draft = (n: number) => ({ key: `k${n}`.padEnd(8, "x"), value: n, inputs: [root.opId] });
  for (let n = 0; n < count; n++) log.claims.assert(alice, draft(n));
  log.claims.refute(alice, "root");
  const claims = log.claims.query({ prefix: "k" });
  claims.next();
  log.claims.correct(alice, "root", 1);
  const { op } = log.claims.refute(alice, "root", { value: 1 });
  log.claims.assert(alice, { key: "k", value: "too late" });
  const rest = [...claims];
  assertEquals([rest.length, rest.at(-1)!.cause], [count - 1, op.opId]);
});

Deno.test("what a claim is made of is told", () => {
  const { log, ids } = signedLog();
  using _ = log;
  const { ts: seenAt, ...meal } = log.claims.get(ids.meal);
  assertEquals(meal, {
    opId: ids.meal,
    kind: "assert",
    key: "meal",
    value: "breakfast",
    confidencePpm: 1_000_000,
    author: alice.author,
    depth: 3,
    deriver: { id: "habits", version: "1" },
    inputs: [ids.tea],
    status: "active",
  });
  assertEquals(seenAt, log.get(ids.meal).ts);
  const { ts: _ts, ...home } = log.claims.get(ids.home);
  assertEquals(home, {
    opId: ids.home,
    kind: "correct",
    key: "home",
    value: "Oslo",
    confidencePpm: 1_000_000,
    author: alice.author,
    depth: 5,
    inputs: [],
    status: "active",
  });
});

Deno.test("get and explain say so when the log has no such operation, or it is no claim", () => {
  const { log, ids } = signedLog();
  using _ = log;
  const refute = log.claims.refute(alice, "nothing").op.opId;
  for (const ask of [(opId: string) => log.claims.get(opId), (opId: string) => log.claims.explain(opId)]) {
    for (const opId of [idOf("absent"), "", "op_", ids.tea.slice(0, -1), ids.tea.toUpperCase()]) {
      assertEquals(assertThrows(() => ask(opId), NotFoundError).opId, opId);
    }
    for (const opId of [ids.receipt, refute]) {
      assertEquals(assertThrows(() => ask(opId), LogError, opId).code, "not-a-claim");
    }
    using empty = OpLog.open();
    assertThrows(() => empty.claims.get(ids.tea), NotFoundError);
  }
});

Deno.test("current is the last active claim of a key, or where none is active the last of all", () => {
  using log = OpLog.open();
  const current = () => log.claims.current("drink");
  assertEquals(current(), undefined);
  log.claims.refute(alice, "drink");
  assertEquals(current(), undefined);
  const tea = log.claims.assert(alice, { key: "drink", value: "tea" });
  assertEquals([current()?.opId, current()?.status], [tea.opId, "refuted"]);
  const coffee = log.claims.assert(alice, { key: "drink", value: "coffee", inputs: [idOf("absent")] });
  assertEquals(current()?.opId, coffee.opId);
  const yes = log.claims.correct(alice, "drink", "tea").op;
  assertEquals([current()?.opId, current()?.status], [yes.opId, "active"]);
  const again = log.claims.assert(bob, { key: "drink", value: "tea" });
  assertEquals(current()?.opId, again.opId);
  assertEquals(log.claims.current("drin"), undefined);
});

Deno.test("an explanation holds all that a claim was derived from, each once, as a reader meets it", () => {
  const named = history(
    observes("receipt"),
    asserts("a", "a", 1, "receipt"),
    { name: "note", type: "note", body: {} },
    asserts("b", "b", 1, "a", "note", "absent"),
    asserts("c", "c", 1, "receipt", "b"),
    asserts("d", "d", 1, "c", "b", "a"),
    { name: "bad", type: "evidence.add", body: {} },
  );
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    OpLog.open(path).close();
    insertOutside(path, named.ops);
    insertOutside(path, [unsigned("e", "claim.assert", asserts("e", "e", 1, "bad", "d").body, [])]);
    using log = OpLog.open(path);
    const { claim, nodes, ...rest } = log.claims.explain(idOf("e"));
    assertEquals([claim.opId, claim.status, rest], [idOf("e"), "pending", {}]);
    const expected = { e: "claim", bad: "other", d: "claim", c: "claim", receipt: "evidence", b: "claim", a: "claim" };
    assertEquals(
      nodes.map(({ opId, is }) => [opId, is]),
      [
        ...Object.entries(expected),
        ["note", "other"],
        ["absent", "missing"],
      ].map(([name, is]) => [idOf(name), is]),
    );
    const evidence = nodes.find(({ is }) => is === "evidence");
    assert(evidence?.is === "evidence");
    assertEquals(evidence.evidence, {
      opId: idOf("receipt"),
      author: named.ops[0].author,
      ts: 0,
      source: "shop",
      kind: "receipt",
      content: { name: "receipt" },
    });
    for (const node of nodes) if (node.is === "claim") assertEquals(node.claim, log.claims.get(node.opId));
  });
});

Deno.test("an explanation says what felled the claim, and the path", () => {
  using log = OpLog.open();
  const tea = log.claims.assert(alice, { key: "drink", value: "tea" });
  const meal = log.claims.assert(alice, { key: "meal", value: 1, inputs: [tea.opId] });
  const day = log.claims.assert(alice, { key: "day", value: 1, inputs: [meal.opId] });
  assertEquals("fall" in log.claims.explain(day.opId), false);
  const { op } = log.claims.refute(bob, "drink", { value: "tea", reason: "never", ts: 7 });
  const fall = {
    opId: op.opId,
    type: "claim.refute" as const,
    author: bob.author,
    ts: 7,
    key: "drink",
    value: "tea",
    reason: "never",
  };
  assertEquals(log.claims.explain(day.opId).fall, { ...fall, path: [op, tea, meal, day].map(({ opId }) => opId) });
  assertEquals(log.claims.explain(tea.opId).fall, { ...fall, path: [op.opId, tea.opId] });
  const { op: correction } = log.claims.correct(bob, "drink", "water", { ts: 8 });
  assertEquals(log.claims.explain(tea.opId).fall?.opId, op.opId, "it stays refuted");
  const { op: yes } = log.claims.correct(bob, "drink", "tea", { ts: 9 });
  assertEquals("fall" in log.claims.explain(day.opId), false);
  assertEquals(log.claims.explain(correction.opId).fall, {
    opId: yes.opId,
    type: "claim.correct",
    author: bob.author,
    ts: 9,
    key: "drink",
    value: "tea",
    path: [yes.opId, correction.opId],
  });
  const { op: whole } = log.claims.refute(bob, "drink", { ts: 10 });
  assertEquals(log.claims.explain(meal.opId).fall, {
    opId: whole.opId,
    type: "claim.refute",
    author: bob.author,
    ts: 10,
    key: "drink",
    path: [whole.opId, tea.opId, meal.opId],
  });
});

Deno.test("an explanation of a superseded claim holds the one that came later", () => {
  using log = OpLog.open();
  const tea = log.claims.assert(alice, { key: "drink", value: "tea" });
  log.claims.assert(alice, { key: "drink", value: "coffee" });
  const last = log.claims.assert(bob, { key: "drink", value: "coffee" });
  const { claim, supersededBy, fall } = log.claims.explain(tea.opId);
  assertEquals([claim.status, claim.cause, fall], ["superseded", last.opId, undefined]);
  assertEquals(supersededBy, log.claims.get(last.opId));
});

Deno.test("every explanation can be recorded, and is an operation as it should be", () => {
  const { log, ids } = signedLog();
  using _ = log;
  for (const name of ["tea", "coffee", "meal", "day", "home"]) {
    const explanation = log.claims.explain(ids[name]);
    const op = log.claims.record(alice, explanation);
    op.verify();
    assertEquals(op.type, "explanation.record");
    assertEquals([op.body.claim, op.body.chain], [ids[name], explanation.nodes.map(({ opId }) => opId)]);
  }
  const long = log.claims.assert(alice, { key: "😀".repeat(512), value: "😀".repeat(20_000) });
  const { body } = log.claims.record(alice, log.claims.explain(long.opId));
  assert([...body.summary as string].length <= 8192);
});

/** The claims, and by what path, that the invalidations of a cascade are about. */
function fallen({ op, invalidations }: { op: Operation; invalidations: Operation[] }): Record<string, string[]> {
  return Object.fromEntries(invalidations.map((invalidation) => {
    Operation.parse(invalidation.wire).verify();
    assertEquals([invalidation.type, invalidation.body.cause], ["claim.invalidate", op.opId]);
    return [invalidation.body.claim, invalidation.body.path];
  })) as Record<string, string[]>;
}

/** A claim of key and value `name`, derived from others. */
function derive(log: OpLog, name: string, ...inputs: Operation[]): Operation {
  return log.claims.assert(alice, { key: name, value: name, inputs: inputs.map(({ opId }) => opId) });
}

Deno.test("a refute records every claim that falls with it, from cause to claim, and no other", () => {
  using log = OpLog.open();
  const top = derive(log, "top");
  const left = derive(log, "left", top);
  const right = derive(log, "right", top);
  const bottom = derive(log, "bottom", right, left);
  const aside = derive(log, "aside");
  const beyond = derive(log, "beyond", bottom, aside);
  const again = log.claims.assert(bob, { key: "top", value: "top" });
  const waiting = log.claims.assert(bob, { key: "w", value: 1, inputs: [top.opId, idOf("absent")] });
  const before = log.size;
  const cascade = log.claims.refute(alice, "top", { reason: "no" });
  const { opId } = cascade.op;
  const path = (...ops: Operation[]) => [opId, ...ops.map(({ opId }) => opId)];
  assertEquals(fallen(cascade), {
    [top.opId]: path(top),
    [left.opId]: path(top, left),
    [right.opId]: path(top, right),
    [bottom.opId]: path(top, left, bottom),
    [beyond.opId]: path(top, left, bottom, beyond),
    [again.opId]: path(again),
    [waiting.opId]: path(top, waiting),
  });
  assertEquals(log.size, before + 8);
  assertEquals([...log.entries({ sinceSeq: before })].map(({ op }) => op.opId), [
    opId,
    ...cascade.invalidations.map(({ opId }) => opId),
  ]);
  assertEquals([cascade.op.body, cascade.op.prev.length], [{ key: "top", scope: "key", reason: "no" }, 1]);
  assertEquals(log.heads(), [cascade.invalidations.at(-1)!.opId]);
  assertEquals(log.claims.get(aside.opId).status, "active");
  for (const [claim, path] of Object.entries(fallen(cascade))) assertEquals(log.claims.explain(claim).fall?.path, path);
});

Deno.test("a correction records what falls with it, and not what it confirms", () => {
  using log = OpLog.open();
  const tea = log.claims.assert(alice, { key: "drink", value: "tea" });
  const coffee = log.claims.assert(alice, { key: "drink", value: "coffee" });
  const [onTea, onCoffee] = [derive(log, "on tea", tea), derive(log, "on coffee", coffee)];
  const first = log.claims.correct(bob, "drink", "tea");
  assertEquals(fallen(first), {
    [coffee.opId]: [first.op.opId, coffee.opId],
    [onCoffee.opId]: [first.op.opId, coffee.opId, onCoffee.opId],
  });
  const second = log.claims.correct(bob, "drink", "coffee");
  assertEquals(Object.keys(fallen(second)), [tea, onTea, first.op].map(({ opId }) => opId));
  assertEquals(log.claims.get(onCoffee.opId).status, "active");
});

Deno.test("nothing is recorded for claims that had fallen already, or that a refute does not reach", () => {
  using log = OpLog.open();
  const tea = log.claims.assert(alice, { key: "drink", value: "tea" });
  const both = derive(log, "both", tea, derive(log, "other"));
  assertEquals(log.claims.refute(alice, "drink").invalidations.length, 2);
  assertEquals(log.claims.refute(alice, "drink").invalidations, []);
  assertEquals(log.claims.refute(alice, "drink", { value: "tea" }).invalidations, []);
  assertEquals(log.claims.refute(alice, "nothing").invalidations, []);
  assertEquals(log.claims.refute(alice, "other", { value: "else" }).invalidations, []);
  // Refuted before, corrected now; what was derived from it had fallen, too.
  const water = log.claims.correct(alice, "drink", "water");
  assertEquals(water.invalidations, []);
  const other = log.claims.refute(alice, "other");
  assertEquals(Object.keys(fallen(other)).length, 1);
  assert(!(both.opId in fallen(other)));
  // Lifts what felled the tea, but the other is still refuted.
  assertEquals(Object.keys(fallen(log.claims.correct(alice, "drink", "tea"))), [water.op.opId]);
  assertEquals(log.claims.get(both.opId).status, "invalidated");
});

Deno.test("nothing is recorded for a claim that fell with its input, and now falls by itself, or the other way round", () => {
  using log = OpLog.open();
  const first = log.claims.assert(alice, { key: "drink", value: "water" });
  const second = log.claims.assert(alice, { key: "drink", value: "tea", inputs: [first.opId] });
  const third = derive(log, "third", second);
  assertEquals(Object.keys(fallen(log.claims.refute(alice, "drink", { value: "water" }))).length, 3);
  assertEquals(log.claims.refute(alice, "third").invalidations, []);
  assertEquals(log.claims.refute(alice, "drink", { value: "tea" }).invalidations, []);
  assertEquals([second, third].map(({ opId }) => log.claims.get(opId).status), ["refuted", "refuted"]);

  using other = OpLog.open();
  const water = other.claims.assert(alice, { key: "drink", value: "water" });
  const tea = other.claims.assert(alice, { key: "drink", value: "tea", inputs: [water.opId] });
  assertEquals(Object.keys(fallen(other.claims.refute(alice, "drink", { value: "tea" }))), [tea.opId]);
  // Lifts the refute of the tea, and fells what it was derived from.
  assertEquals(Object.keys(fallen(other.claims.correct(alice, "drink", "tea"))), [water.opId]);
  assertEquals(other.claims.get(tea.opId).status, "invalidated");
});

Deno.test("a cascade records what it fells itself, and not what had not been looked at before", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    using log = OpLog.open(path);
    const [a, b] = [derive(log, "a"), derive(log, "b")];
    const onBoth = derive(log, "on both", a, b);
    log.claims.query();
    log.record(bob, "claim.refute", { key: "a", scope: "key" });
    const late = derive(log, "late", b);
    const cascade = log.claims.refute(alice, "b");
    assertEquals(fallen(cascade), {
      [b.opId]: [cascade.op.opId, b.opId],
      [late.opId]: [cascade.op.opId, b.opId, late.opId],
    });
    assertEquals(log.claims.get(onBoth.opId).via, a.opId);
  });
});

Deno.test("a refute or a correction that fails leaves nothing", () => {
  withFolder((folder) => {
    using log = OpLog.open(`${folder}/log.db`);
    const top = derive(log, "top");
    for (let n = 0; n < 5; n++) derive(log, `${n}`, top);
    const before = [log.size, log.heads(), [...log.claims.query()]];
    let left = 3;
    const dying = {
      author: alice.author,
      sign: (message: Uint8Array) => {
        if (left-- === 0) throw new Error("the key is gone");
        return alice.sign(message);
      },
    };
    assertThrows(() => log.claims.refute(dying, "top"), Error, "the key is gone");
    left = 3;
    assertThrows(() => log.claims.correct(dying, "top", 2), Error, "the key is gone");
    const refused: [() => unknown, code: string, path: string][] = [
      [() => log.claims.refute(alice, ""), "bad-body", "$.body.key"],
      [() => log.claims.refute(alice, "top", { reason: "r".repeat(513) }), "bad-body", "$.body.reason"],
      [() => log.claims.correct(alice, "top", 1, { reason: "" }), "bad-body", "$.body.reason"],
      [() => log.claims.correct(alice, "top", 0.5 as never), "bad-shape", "$.body.value"],
      [() => log.claims.correct(alice, "top", undefined as never), "bad-body", "$.body.value"],
      [() => log.claims.refute(alice, "top", { ts: -1 }), "bad-shape", "$.ts"],
      [
        () => log.claims.assert(alice, { key: "k", value: 1, confidencePpm: 0.5 }),
        "bad-shape",
        "$.body.confidence_ppm",
      ],
      [() => log.claims.assert(alice, { key: "k", value: 1, inputs: ["x"] }), "bad-body", "$.body.inputs[0]"],
    ];
    for (const [change, code, path] of refused) {
      const error = assertThrows(change, OperationError);
      assertEquals([error.code, error.path], [code, path]);
    }
    assertEquals([log.size, log.heads(), [...log.claims.query()]], before);
    assertEquals(log.claims.refute(alice, "top").invalidations.length, 6);
  });
});

Deno.test("a readonly log takes no claim, and none back", () => {
  withFolder((folder) => {
    OpLog.open(`${folder}/log.db`).close();
    using log = OpLog.open(`${folder}/log.db`, { readonly: true });
    const changes = [
      () => log.claims.refute(alice, "k"),
      () => log.claims.correct(alice, "k", 1),
      () => log.claims.assert(alice, { key: "k", value: 1 }),
    ];
    for (const change of changes) assertEquals(assertThrows(change, LogError).code, "read-only");
  });
});

const MANY = 10_000;

Deno.test("the cascade down a chain of 10,000 claims: each falls, and long paths are recorded by their ends", () => {
  using log = OpLog.open();
  const body = (n: number) => asserts("", `k${n}`, n, ...n === 0 ? [] : [`${n - 1}`]).body;
  const ops = Array.from({ length: MANY }, (_, n) => unsigned(`${n}`, "claim.assert", body(n), []));
  log.appendAll(ops, UNCHECKED);
  assertEquals(log.claims.get(idOf(`${MANY - 1}`)).status, "active");
  const { op, invalidations } = log.claims.refute(alice, "k0");
  assertEquals(invalidations.map(({ body }) => body.claim), ops.map(({ opId }) => opId));
  const whole = [op, ...ops].map(({ opId }) => opId);
  const recorded = (n: number) => {
    const path = whole.slice(0, n + 2);
    return path.length <= 32 ? path : [...path.slice(0, 16), ...path.slice(-16)];
  };
  for (const [n, { body }] of invalidations.entries()) assertEquals(body.path, recorded(n));
  for (const [n, invalidation] of log.byType("claim.invalidate").entries()) if (n % 10 === 0) invalidation.verify();
  const { claim, nodes, fall } = log.claims.explain(idOf(`${MANY - 1}`));
  assertEquals([claim.status, claim.cause, claim.via], ["invalidated", op.opId, idOf(`${MANY - 2}`)]);
  assertEquals([nodes.length, fall?.path], [MANY, whole]);
  assertEquals(log.claims.correct(alice, "k0", 0).invalidations, []);
  assertEquals([...log.claims.query({ status: "active" })].length, MANY + 1);
});

Deno.test("the cascade over 10,000 claims that were derived from one: each falls", () => {
  using log = OpLog.open();
  const bodies = Array.from({ length: MANY }, (_, n) => asserts("", `k${n % 100}`, n % 7, "root").body);
  log.appendAll(history(asserts("root", "root", 1)).ops, UNCHECKED);
  log.appendAll(bodies.map((body, n) => unsigned(`${n}`, "claim.assert", body, [])), UNCHECKED);
  const live = () => [...log.claims.query({ status: "active" })].map(({ opId }) => opId);
  const before = live();
  const { op, invalidations } = log.claims.refute(alice, "root");
  assertEquals(invalidations.length, MANY + 1);
  assertEquals(new Set(invalidations.map(({ body }) => body.claim)).size, MANY + 1);
  for (const { body: { claim, path } } of invalidations.slice(1)) assertEquals(path, [op.opId, idOf("root"), claim]);
  assertEquals(live(), []);
  const { op: yes } = log.claims.correct(alice, "root", 1);
  assertEquals(live().sort(), [...before, yes.opId].sort());
});

Deno.test("claims stand as they should, however far from each other what they depend on stands in the log", () => {
  const filler = (block: number) => Array.from({ length: 9000 }, (_, n) => unsigned(`${block} ${n}`, "note", {}, []));
  const make = ({ name, type, body }: Draft) => unsigned(name, type, body, []);
  const first = [
    asserts("on evidence", "a", 1, "receipt"),
    asserts("on refuted", "b", 1, "refuted"),
    asserts("on both", "c", 1, "on refuted", "on evidence"),
    asserts("on pending", "d", 1, "pending"),
    asserts("on none", "e", 1, "receipt", "absent"),
    asserts("on live", "f", 1, "live"),
    asserts("early", "g", 1),
  ].map(make);
  const second = [
    observes("receipt"),
    asserts("refuted", "refuted", 1, "receipt"),
    asserts("pending", "pending", 1, "absent"),
    asserts("live", "live", 1, "early"),
  ].map(make);
  const third = [refutes("no", "refuted"), asserts("late", "g", 1, "early"), asserts("on early", "h", 1, "early")].map(
    make,
  );
  const ops = [...first, ...filler(1), ...second, ...filler(2), ...third];
  const names = new Map(
    [...first, ...second, ...third].map(({ opId }) => opId).map((opId, n) => [opId, `${n}`]),
  );
  const name = (text: string) => names.get(idOf(text))!;
  const expected = {
    [name("on evidence")]: "active",
    [name("on refuted")]: `invalidated by ${name("no")} with ${name("refuted")}`,
    [name("on both")]: `invalidated by ${name("no")} with ${name("on refuted")}`,
    [name("on pending")]: "pending",
    [name("on none")]: "pending",
    [name("on live")]: "active",
    [name("early")]: "active",
    [name("refuted")]: `refuted by ${name("no")}`,
    [name("pending")]: "pending",
    [name("live")]: "active",
    [name("late")]: "active",
    [name("on early")]: "active",
  };
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    OpLog.open(path).close();
    insertOutside(path, ops);
    using reader = OpLog.open(path, { readonly: true });
    assertEquals(standings(reader, names), expected);
    using log = OpLog.open(path, { durability: "normal" });
    assertEquals(standings(log, names), expected);
    assertEquals(idsOf(log.claims.query({ input: idOf("receipt") })), ["on evidence", "on none", "refuted"].map(idOf));
    log.rebuild();
    assertEquals(standings(log, names), expected);
  });
});

Deno.test("a body that is not as claims.md says, as others may append it, says nothing", () => {
  const bad: [string, Record<string, unknown>][] = [
    ["claim.assert", {}],
    ["claim.assert", { ...asserts("", "drink", "coffee").body, more: 1 }],
    ["claim.assert", { ...asserts("", "drink", "coffee").body, key: ["drink"] }],
    ["claim.assert", { ...asserts("", "drink", "coffee").body, inputs: [idOf("tea"), idOf("tea")] }],
    ["claim.correct", { key: "drink" }],
    ["claim.correct", { key: "", value: 1 }],
    ["claim.refute", { key: "drink", scope: "value" }],
    ["claim.refute", { key: "drink", scope: "key", value: "tea" }],
    ["claim.refute", { key: "drink", scope: "all" }],
    ["evidence.add", {}],
  ];
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    using log = OpLog.open(path);
    const { ops, names } = history(tea);
    log.appendAll(ops, UNCHECKED);
    insertOutside(path, bad.map(([type, body], n) => unsigned(`bad ${n}`, type, body, [idOf("tea")])));
    assertEquals(standings(log, names), { tea: "active" });
    const inputs = bad.map((_, n) => `bad ${n}`);
    log.append(unsigned("b", "claim.assert", asserts("b", "b", 1, ...inputs).body, []), UNCHECKED);
    assertEquals(log.claims.get(idOf("b")).status, "active");
    assertEquals(log.claims.explain(idOf("b")).nodes.slice(1).map(({ is }) => is), bad.map(() => "other"));
    for (const opId of inputs.map(idOf)) {
      assertEquals(assertThrows(() => log.claims.get(opId), LogError).code, "not-a-claim");
    }
    log.rebuild();
    assertEquals([...log.claims.query()].map(({ status }) => status), ["active", "active"]);
  });
});

/** All that a log says of claims, as bytes that are to be compared. */
function told(log: OpLog): string[] {
  return [...log.claims.query()].flatMap((claim) => [
    formatJson(claim),
    formatJson(log.claims.explain(claim.opId)),
    log.claims.current(claim.key)!.opId,
  ]);
}

Deno.test("a readonly log that is behind tells the same as one that may be written", () => {
  withFolder((folder) => {
    fc.assert(
      fc.property(histories, fc.nat(), (ops, at) => {
        const path = `${folder}/${ops[0].opId}.db`;
        const split = at % (ops.length + 1);
        {
          using log = OpLog.open(path, { durability: "normal" });
          log.appendAll(ops.slice(0, split), UNCHECKED);
          log.claims.query();
        }
        insertOutside(path, ops.slice(split));
        const before = contentsOf(folder);
        using reader = OpLog.open(path, { readonly: true });
        const behind = told(reader);
        assertEquals(told(reader), behind);
        reader.close();
        assertEquals(contentsOf(folder), before);
        using log = OpLog.open(path, { durability: "normal" });
        assertEquals(told(log), behind);
        log.close();
        Deno.removeSync(path);
      }),
      { numRuns: 40 },
    );
  });
});

Deno.test("a log that is open for reading tells what is new, again and again", () => {
  withFolder((folder) => {
    fc.assert(
      fc.property(histories, (ops) => {
        const path = `${folder}/${ops[0].opId}.db`;
        using log = OpLog.open(path, { durability: "normal" });
        using reader = OpLog.open(path, { readonly: true });
        for (const [n, op] of ops.entries()) {
          if (n % 3 === 0) insertOutside(path, [op]);
          else log.append(op, UNCHECKED);
          const seen = told(reader);
          if (n % 2 === 0) assertEquals(seen, told(log));
        }
        assertEquals(told(reader), told(log));
        log.close();
        reader.close();
        Deno.removeSync(path);
      }),
      { numRuns: 15 },
    );
  });
});

Deno.test("two files with the same operations tell the same, byte for byte, whatever the order of arrival", () => {
  fc.assert(
    fc.property(histories, fc.infiniteStream(fc.nat()), (ops, numbers) => {
      const random = (limit: number) => numbers.next().value! % limit;
      const expected = withFolder((folder) => {
        using log = OpLog.open(`${folder}/log.db`, { durability: "normal" });
        log.appendAll(ops, UNCHECKED);
        return told(log);
      });
      withFolder((folder) => {
        using log = OpLog.open(`${folder}/log.db`, { durability: "normal" });
        const order = causalShuffle(ops, random);
        while (order.length > 0) {
          log.appendAll(order.splice(0, 1 + random(4)), UNCHECKED);
          log.claims.query();
        }
        assertEquals(told(log), expected);
      });
    }),
    { numRuns: 60 },
  );
});

Deno.test("what is told of a claim is of one moment, whatever another process does meanwhile", () => {
  withFolder((folder) => {
    const ask: ((log: OpLog, opId: string) => unknown)[] = [
      (log, opId) => {
        const { claim, nodes } = log.claims.explain(opId);
        assertEquals(nodes[0], { is: "claim", opId, claim });
      },
      (log, opId) => log.claims.get(opId),
      (log) => [...log.claims.query()],
      (log) => log.claims.current("k0"),
    ];
    using log = OpLog.open(`${folder}/log.db`, { durability: "normal" });
    using other = OpLog.open(`${folder}/log.db`, { durability: "normal" });
    const chain = [derive(log, "k0")];
    for (let n = 1; n < 4; n++) chain.push(derive(log, `k${n}`, chain[n - 1]));
    const status: ClaimStatus[] = [];
    const fall = () => void other.claims.correct(alice, "k0", "other");
    const rise = () => void other.claims.correct(alice, "k0", "k0");
    for (const tell of ask) {
      for (const [before, meanwhile] of [[rise, fall], [fall, rise]]) {
        for (let at = 1, isOver = false; !isOver; at++) {
          before();
          other.claims.query(); // so that the file need not be written again
          isOver = !interrupted(at, () => [meanwhile(), other.claims.query()], () => tell(log, chain[3].opId));
          status.push(log.claims.get(chain[3].opId).status);
        }
      }
    }
    assert(new Set(status).size === 2);
  });
});

/** Runs `work`, and `meanwhile` before its query of this number; returns whether it has so many. */
function interrupted(at: number, meanwhile: () => unknown, work: () => unknown): boolean {
  const query = Connection.prototype.query;
  let count = 0;
  Connection.prototype.query = function (sql) {
    if (++count === at) {
      Connection.prototype.query = query;
      meanwhile();
    }
    return query.call(this, sql);
  };
  try {
    work();
  } finally {
    Connection.prototype.query = query;
  }
  return count >= at;
}
