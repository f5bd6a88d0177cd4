import { assert, assertEquals } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { BUILT_IN } from "../../src/built_in.ts";
import { claims } from "../../src/claims/tables.ts";
import { internalsOf } from "../../src/oplog.ts";
import { CatchUp } from "../../src/web/catch_up.ts";
import { withFolder } from "../folder.ts";
import { alice, note } from "../operations.ts";

/** Runs `use` with a reader of a log of some claims, of which nothing is derived. */
function withReader(use: (reader: OpLog, path: string) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    using log = OpLog.open(path);
    log.appendAll(Array.from({ length: 600 }, (_, n) => note(`${n}`)), { verify: false });
    log.record(alice, "claim.refute", { key: "drink", scope: "key" });
    using reader = OpLog.open(path, { readonly: true });
    internalsOf(reader).projections.catchesUp = false;
    await use(reader, path);
  });
}

for (const [how, inFile] of [["a worker, in the file", true], ["this thread, in copies", false]] as const) {
  Deno.test(`everything is caught up by ${how}`, async () => {
    await withReader(async (reader, path) => {
      const { projections } = internalsOf(reader);
      let parts = 0;
      const catchUp = new CatchUp(projections, inFile ? path : undefined, () => parts++);
      assertEquals(await catchUp.within(60_000, claims), 0);
      for (const projection of BUILT_IN) assertEquals(await catchUp.within(60_000, projection), 0);
      assert(parts > 1);
      await catchUp.close();
      using other = OpLog.open(path, { readonly: true });
      assertEquals(internalsOf(other).projections.behind(claims) === 0, inFile);
    });
  });
}

Deno.test("a page waits no longer than it is told, and not at all once it is closed", async () => {
  await withReader(async (reader, path) => {
    using writer = OpLog.open(path);
    const release = Promise.withResolvers<void>();
    const held = internalsOf(writer).connection.heldTransaction(() => release.promise);
    const catchUp = new CatchUp(internalsOf(reader).projections, path, () => {});
    assertEquals(await catchUp.within(1, claims), 601);
    const closed = catchUp.close();
    assertEquals(await catchUp.within(3_600_000, claims), 601);
    release.resolve();
    await Promise.all([held, closed]);
  });
});

Deno.test("a worker that finds the file locked tries again", async () => {
  await withReader(async (reader, path) => {
    using writer = OpLog.open(path);
    const release = Promise.withResolvers<void>();
    const held = internalsOf(writer).connection.heldTransaction(() => release.promise);
    const catchUp = new CatchUp(internalsOf(reader).projections, path, () => {});
    const waiting = catchUp.within(60_000, claims);
    assertEquals(await catchUp.within(1500, claims), 601);
    release.resolve();
    assertEquals(await waiting, 0);
    await held;
    await catchUp.close();
  });
});
