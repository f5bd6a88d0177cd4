import { assertEquals, assertThrows } from "@std/assert";
import { LogError, OpLog, type Projection } from "../../mod.ts";
import { note } from "../operations.ts";
import { counts } from "./projections.ts";

Deno.test("types that are no list of texts, and an initial state that cannot be copied, are refused", () => {
  using log = OpLog.open();
  log.append(note("a"));
  const refused: Record<string, unknown>[] = [
    { types: "note" },
    { types: 5 },
    { types: [5] },
    { types: ["note", undefined] },
    { types: new Set(["note"]) },
    { initial: () => 1 },
    { initial: { f() {} } },
  ];
  for (const change of refused) {
    const projection = { ...counts, ...change } as unknown as Projection<unknown>;
    for (const ask of [() => log.replay(projection), () => log.project(projection)]) {
      assertEquals(assertThrows(ask, LogError).code, "invalid-argument", JSON.stringify(change));
    }
  }
});

Deno.test("a projection that is not well-formed is refused", () => {
  using log = OpLog.open();
  const refused: [Record<string, unknown>, string][] = [
    ...["", "Heads", "a b", "a/b", 'a"b', "é", "-a", ".a", "_a", "a\n", "a".repeat(65), 1, undefined, null].map(
      (name): [Record<string, unknown>, string] => [{ name }, "a projection's name"],
    ),
    ...[0, -1, 1.5, NaN, Infinity, 2 ** 53, "1", 1n, undefined].map(
      (version): [Record<string, unknown>, string] => [{ version }, "must be a positive integer"],
    ),
    [{ step: undefined }, "has no step"],
  ];
  for (const [change, message] of refused) {
    const projection = { ...counts, ...change } as unknown as Projection<Record<string, number>>;
    for (const ask of [() => log.replay(projection), () => log.project(projection)]) {
      assertEquals(assertThrows(ask, LogError, message).code, "invalid-argument");
    }
  }
  assertEquals(log.project({ ...counts, name: "a".repeat(64) }), {});
});
