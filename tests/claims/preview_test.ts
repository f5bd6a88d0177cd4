import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { LogError, OpLog, type Ruling } from "../../mod.ts";
import { alice } from "../operations.ts";
import { runs } from "../runs.ts";
import { histories } from "./histories.ts";
import { derive, UNCHECKED } from "./scenarios.ts";

Deno.test("a preview has exactly the claims that fall when the ruling is made, for any history", () => {
  const choice = fc.record({ type: fc.constantFrom("refute", "correct", "key"), at: fc.nat() });
  fc.assert(
    fc.property(histories, choice, (ops, { type, at }) => {
      using log = OpLog.open();
      log.appendAll(ops, UNCHECKED);
      const claims = [...log.claims.query()];
      const { key, value } = claims[at % claims.length] ?? { key: "none", value: "other" };
      const ruling: Ruling = type === "key"
        ? { type: "refute", key }
        : { type: type === "refute" ? "refute" : "correct", key, value };
      const size = log.size;
      const { count, claims: previewed } = log.claims.preview(ruling, { limit: 1000 });
      assertEquals(log.size, size);
      const { invalidations } = ruling.type === "correct"
        ? log.claims.correct(alice, key, ruling.value)
        : log.claims.refute(alice, key, { value: ruling.value });
      assertEquals(
        previewed.map(({ opId }) => opId).sort(),
        invalidations.map(({ body }) => String(body.claim)).sort(),
      );
      assertEquals(count, invalidations.length);
    }),
    { numRuns: runs(300) },
  );
});

Deno.test("a preview lists the nearest claims first, and counts all of them", () => {
  using log = OpLog.open();
  const top = derive(log, "top");
  const middle = derive(log, "middle", top);
  derive(log, "bottom", middle);
  const { count, claims } = log.claims.preview({ type: "refute", key: "top" }, { limit: 2 });
  assertEquals([count, claims.map(({ key }) => key)], [3, ["top", "middle"]]);
  assertEquals(log.claims.preview({ type: "correct", key: "none", value: 1 }), { count: 0, claims: [] });
});

Deno.test("a log that cannot be ruled in still previews, and an invalid ruling is refused", () => {
  using log = OpLog.open();
  assertEquals(log.claims.preview({ type: "refute", key: "top" }), { count: 0, claims: [] });
  for (const ruling of [{ type: "correct", key: "a" }, { type: "other", key: "a" }, { type: "refute", key: 1 }, null]) {
    const error = assertThrows(() => log.claims.preview(ruling as Ruling), LogError);
    assertEquals(error.code, "invalid-argument");
  }
});
