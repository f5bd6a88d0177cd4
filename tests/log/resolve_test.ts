import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { AmbiguousIdError, LogError, OpLog } from "../../mod.ts";
import { alice, bob, carol, note } from "../operations.ts";

Deno.test("an ambiguous id names up to three that it can mean, and says whether there are more", () => {
  using log = OpLog.open();
  const ids: string[] = [];
  for (let n = 0; n < 60; n++) ids.push(log.record(alice, "note", { n }).opId);
  const counts = new Set<number>();
  for (const digit of "0123456789abcdef") {
    const meant = ids.filter((id) => id.startsWith(`op_${digit}`)).sort();
    counts.add(Math.min(meant.length, 4));
    if (meant.length < 2) continue;
    const error = assertThrows(() => log.resolve(`op_${digit}`), AmbiguousIdError);
    assertEquals(error.candidates, meant.slice(0, 3));
    const shown = meant.length > 3
      ? `${meant.slice(0, 3).join(", ")} or more`
      : `${meant.slice(0, -1).join(", ")} or ${meant.at(-1)}`;
    assertEquals(error.message, `op_${digit} can mean ${shown}; give more digits`);
  }
  assertEquals(counts.has(4), true);
  assertEquals(log.resolve(ids[0]), ids[0]);
});

Deno.test("an abbreviated author id resolves to an author of the log", () => {
  using log = OpLog.open();
  for (const identity of [alice, bob, alice]) log.record(identity, "note", {});
  for (const { author } of [alice, bob]) {
    for (const start of [author.slice(0, 20), author, `${author.slice(0, 20)}…`, `${author.slice(0, 20)}...`]) {
      assertEquals(log.resolveAuthor(start), author);
    }
  }
  const absent = assertThrows(() => log.resolveAuthor(carol.author), LogError, "nothing by an author");
  assertEquals(absent.code, "not-found");
  for (const odd of ["", "mnk_", "8a88", "MNK_8a", note("a").opId]) {
    const error = assertThrows(() => log.resolveAuthor(odd), LogError);
    assertEquals(error.code, "invalid-argument");
    assertMatch(error.message, /is no author id; one is mnk_/);
  }
});
