import { assertEquals } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { idOf, unsigned } from "./histories.ts";
import {
  asserts,
  assertStands,
  byId,
  coffee,
  corrects,
  history,
  observes,
  refutes,
  tea,
  UNCHECKED,
} from "./scenarios.ts";

Deno.test("a refute of a value refutes exactly the claims of this key and value", () => {
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

Deno.test("a refute applies to earlier, later and concurrent claims", () => {
  for (const steps of [[tea, refutes("no", "drink", "tea")], [refutes("no", "drink", "tea"), tea]]) {
    assertStands(history(...steps), { tea: "refuted by no" });
    assertStands(history(steps), { tea: "refuted by no" });
  }
  for (const steps of [[tea, refutes("no", "drink")], [refutes("no", "drink"), tea]]) {
    assertStands(history(...steps), { tea: "refuted by no" });
    assertStands(history(steps), { tea: "refuted by no" });
  }
});

Deno.test("a refute of a key refutes exactly the claims of this key", () => {
  const longer = asserts("longer", "drink.morning", "tea");
  assertStands(history(tea, coffee, longer, refutes("no", "drink")), {
    tea: "refuted by no",
    coffee: "refuted by no",
    longer: "active",
  });
});

Deno.test("of several refutes, the first effective one is the cause", () => {
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

Deno.test("a correction corrects earlier and later claims of other values, and is a claim itself", () => {
  const later = asserts("later", "drink", "cocoa");
  assertStands(history(tea, coffee, corrects("water", "drink", "water"), later), {
    tea: "corrected by water",
    coffee: "corrected by water",
    water: "active",
    later: "corrected by water",
  });
});

Deno.test("a correction to the claimed value leaves the claim active", () => {
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

Deno.test("a claim that is refuted and corrected has the status refuted", () => {
  assertStands(history(tea, corrects("yes", "drink", "coffee"), refutes("no", "drink", "tea")), {
    tea: "refuted by no",
    yes: "active",
  });
});

Deno.test("a correction replaces earlier ones, which become corrected", () => {
  assertStands(history(tea, corrects("first", "drink", "coffee"), corrects("second", "drink", "tea")), {
    tea: "active",
    first: "corrected by second",
    second: "active",
  });
  const thrice = [corrects("first", "drink", "a"), corrects("second", "drink", "b"), corrects("third", "drink", "a")];
  assertStands(history(...thrice), { first: "active", second: "corrected by third", third: "active" });
});

Deno.test("a refute of its value lifts a correction, and the corrected claims are active again", () => {
  assertStands(history(tea, corrects("yes", "drink", "coffee"), refutes("no", "drink", "coffee")), {
    tea: "active",
    yes: "refuted by no",
  });
});

Deno.test("a refute of another value does not lift a correction", () => {
  assertStands(history(tea, corrects("yes", "drink", "coffee"), refutes("no", "drink", "cocoa")), {
    tea: "corrected by yes",
    yes: "active",
  });
});

Deno.test("a refute of the key lifts every correction, and refutes them", () => {
  assertStands(
    history(tea, corrects("first", "drink", "a"), corrects("second", "drink", "b"), refutes("no", "drink")),
    { tea: "refuted by no", first: "refuted by no", second: "refuted by no" },
  );
});

Deno.test("a lifted correction stays lifted when the rule that lifted it is lifted", () => {
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

Deno.test("of concurrent rules, the one with the greater id is later", () => {
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

Deno.test("a deeper rule is later, with any id", () => {
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

Deno.test("a refute of a key without claims applies to later claims", () => {
  assertStands(history(asserts("waits", "drink", "water", "never arrives"), refutes("no", "drink"), tea), {
    waits: "refuted by no",
    tea: "refuted by no",
  });
});

Deno.test("of claims with equal values the deepest is current, even if the correction that lifts a refute arrives last", () => {
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
