import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { NotFoundError, type Operation, OpLog } from "../../mod.ts";
import { withFolder } from "../folder.ts";
import { causalShuffle, note, vectorOperations } from "../operations.ts";
import { insertOutside } from "../outside.ts";
import { runs } from "../runs.ts";

/** The children of every operation, by their definition. */
function childrenOf(ops: readonly Operation[]): string[][] {
  return ops.map(({ opId }) => ops.filter(({ prev }) => prev.includes(opId)).map((op) => op.opId).sort());
}

Deno.test("the children of an operation are those that name it in prev, whatever order they arrived in", () => {
  const ops = vectorOperations().slice(0, 120);
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat()), (stream) => {
      using log = OpLog.open();
      log.appendAll(causalShuffle(ops, (limit) => stream.next().value! % limit), { verify: false });
      assertEquals(ops.map(({ opId }) => log.children(opId)), childrenOf(ops));
    }),
    { numRuns: runs(10) },
  );
});

Deno.test("children are caught up with what is appended here and by another implementation", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    const parent = note("parent");
    const [one, two] = [note("one", [parent.opId]), note("two", [parent.opId])];
    using log = OpLog.open(path);
    log.append(parent);
    assertEquals(log.children(parent.opId), []);
    log.append(one);
    assertEquals(log.children(parent.opId), [one.opId]);
    insertOutside(path, [two]);
    assertEquals(log.children(parent.opId), [one.opId, two.opId].sort());
    using reader = OpLog.open(path, { readonly: true });
    assertEquals(reader.children(parent.opId), [one.opId, two.opId].sort());
  });
});

Deno.test("a parent that another implementation left out has no children, and harms nothing", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    const orphan = note("orphan", [note("missing").opId]);
    const child = note("child", [orphan.opId]);
    OpLog.open(path).close();
    insertOutside(path, [orphan, child]);
    using log = OpLog.open(path);
    assertEquals(log.children(orphan.opId), [child.opId]);
    assertThrows(() => log.children(note("missing").opId), NotFoundError);
  });
});
