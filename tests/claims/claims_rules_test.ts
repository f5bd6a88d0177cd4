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
