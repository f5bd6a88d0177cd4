import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  type CanonicalValue,
  type Claim,
  type ClaimFilter,
  type ClaimOrder,
  LogError,
  NotFoundError,
  OpLog,
} from "../../mod.ts";
import { alice } from "../operations.ts";
import { runs } from "../runs.ts";
import { histories, idOf } from "./histories.ts";
import { STATUSES, UNCHECKED } from "./scenarios.ts";

const ORDERS: ClaimOrder[] = ["key", "confidence", "newest"];

/** A log with a claim for each key and value, and the keys of the claims that match a filter. */
function claimed(...claims: [key: string, value: CanonicalValue, confidencePpm?: number][]) {
  const log = OpLog.open();
  for (const [key, value, confidencePpm] of claims) log.claims.assert(alice, { key, value, confidencePpm });
  const keys = (filter: ClaimFilter) => [...log.claims.query(filter)].map(({ key }) => key);
  return { log, keys };
}

Deno.test("claims are ordered by key, by confidence, or newest first, and the opposite", () => {
  const { log, keys } = claimed(["b", 1, 500], ["a", 1, 900], ["c", 1, 500], ["d", 1, 100]);
  using _ = log;
  const expected: [ClaimOrder, string][] = [["key", "abcd"], ["confidence", "acbd"], ["newest", "dcab"]];
  for (const [order, list] of expected) {
    assertEquals(keys({ order }), [...list]);
    assertEquals(keys({ order, reverse: true }), [...list].reverse());
  }
  assertEquals(keys({}), [..."abcd"]);
});

Deno.test("the pages of a list of claims are the whole list, for any history, order and filter", () => {
  const filters = fc.record({
    order: fc.constantFrom(...ORDERS),
    reverse: fc.boolean(),
    status: fc.option(fc.constantFrom(...STATUSES), { nil: undefined }),
    prefix: fc.option(fc.constantFrom("d", "dr"), { nil: undefined }),
  });
  fc.assert(
    fc.property(histories, filters, fc.integer({ min: 1, max: 5 }), (ops, filter, limit) => {
      using log = OpLog.open();
      log.appendAll(ops, UNCHECKED);
      const whole = [...log.claims.query(filter)];
      const paged: Claim[] = [];
      let page;
      do {
        page = [...log.claims.query({ ...filter, after: paged.at(-1)?.opId, limit })];
        paged.push(...page);
      } while (page.length === limit);
      assertEquals(paged, whole);
    }),
    { numRuns: runs(100) },
  );
});

Deno.test("the next page begins where the last one ended, whatever was appended and felled meanwhile", () => {
  const { log, keys } = claimed(["a", 1], ["b", 1], ["d", 1]);
  using _ = log;
  const [, last] = log.claims.query({ limit: 2 });
  log.claims.refute(alice, "b");
  log.claims.assert(alice, { key: "aa", value: 1 });
  log.claims.assert(alice, { key: "c", value: 1 });
  assertEquals(keys({ after: last.opId }), ["c", "d"]);
  assertEquals(keys({ after: last.opId, status: "active" }), ["c", "d"]);
});

Deno.test("a list cannot begin after what is not a claim in the log", () => {
  const { log } = claimed(["a", 1]);
  using _ = log;
  const note = log.record(alice, "note", {});
  assertThrows(() => log.claims.query({ after: idOf("absent") }), NotFoundError);
  assertEquals(assertThrows(() => log.claims.query({ after: note.opId }), LogError).code, "not-a-claim");
  assertEquals(assertThrows(() => log.claims.query({ after: "a" }), LogError).code, "invalid-argument");
});

Deno.test("a part of a key or of a value is found, ignoring the case of letters", () => {
  const long = "x".repeat(100) + "Green Tea" + "y".repeat(100);
  const { log, keys } = claimed(
    ["drink.Hot", "Green tea"],
    ["drink.cold", { tea: ["green", "ICED"], cups: 12 }],
    ["long", long],
    ["odd", 'say "hi"\n\\ 100%'],
    ["Ёлка", "Чай"],
    ["big", 9007199254740993n],
    ["nul\0\x01", "\0"],
  );
  using _ = log;
  const cases: [ClaimFilter, string[]][] = [
    [{ keyContains: "HOT" }, ["drink.Hot"]],
    [{ keyContains: "drink" }, ["drink.Hot", "drink.cold"]],
    [{ keyContains: "drink", valueContains: "iced" }, ["drink.cold"]],
    [{ keyContains: "ёлк" }, ["Ёлка"]],
    [{ keyContains: "ЁЛ" }, ["Ёлка"]],
    [{ keyContains: "nul\0" }, ["nul\0\x01"]],
    [{ keyContains: "drink_" }, []],
    [{ keyContains: "d%t" }, []],
    [{ valueContains: "green tea" }, ["drink.Hot", "long"]],
    [{ valueContains: "чай" }, ["Ёлка"]],
    [{ valueContains: '"tea":["green"' }, ["drink.cold"]],
    [{ valueContains: 'say "hi"\n\\' }, ["odd"]],
    [{ valueContains: "100%" }, ["odd"]],
    [{ valueContains: "740993" }, ["big"]],
    [{ valueContains: "\0" }, ["nul\0\x01"]],
    [{ valueContains: "#" }, []],
    [{ valueContains: "green tea", order: "newest", limit: 1 }, ["long"]],
    [{ valueContains: "cups", status: "refuted" }, []],
    [{ valueContains: "", keyContains: "" }, ["big", "drink.Hot", "drink.cold", "long", "nul\0\x01", "odd", "Ёлка"]],
  ];
  for (const [filter, expected] of cases) assertEquals(keys(filter), expected, JSON.stringify(filter));
});

Deno.test("a part to search for has a limit", () => {
  using log = OpLog.open();
  for (const filter of [{ keyContains: "a".repeat(1025) }, { valueContains: "\ud800" }]) {
    assertEquals(assertThrows(() => log.claims.query(filter), LogError).code, "invalid-argument");
  }
});

Deno.test("claims are counted by status, for any history", () => {
  fc.assert(
    fc.property(histories, (ops) => {
      using log = OpLog.open();
      assertEquals(log.claims.stats().claims, 0);
      log.appendAll(ops, UNCHECKED);
      const all = [...log.claims.query()];
      const { claims, keys, statuses } = log.claims.stats();
      assertEquals([claims, keys], [all.length, new Set(all.map(({ key }) => key)).size]);
      for (const status of STATUSES) {
        assertEquals(statuses[status], all.filter((claim) => claim.status === status).length, status);
      }
    }),
    { numRuns: runs(50) },
  );
});
