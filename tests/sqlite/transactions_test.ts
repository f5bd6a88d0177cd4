import { assertEquals, assertThrows } from "@std/assert";
import { FileError, OpLog } from "../../mod.ts";
import { withDatabase, withFolder } from "../folder.ts";
import { alice } from "../operations.ts";

/** Has SQLite roll back the whole transaction when claims are caught up, as it does when the disk fails. */
const INTERRUPT = "CREATE TRIGGER interrupt BEFORE INSERT ON mnema_watermarks WHEN new.name = 'claims' " +
  "BEGIN SELECT RAISE(ROLLBACK, 'disk I/O error'); END";

Deno.test("when SQLite rolls back by itself in the middle of a refute, nothing of the refute is in the log", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    using log = OpLog.open(path);
    const seen = log.claims.assert(alice, { key: "drink", value: "tea" });
    log.claims.assert(alice, { key: "mood", value: "calm", inputs: [seen.opId] });
    withDatabase(path, (database) => database.exec(INTERRUPT));
    const { code } = assertThrows(() => log.claims.refute(alice, "drink"), FileError);
    assertEquals([code, log.size], ["io", 2]);

    withDatabase(path, (database) => database.exec("DROP TRIGGER interrupt"));
    assertEquals(log.claims.refute(alice, "drink").invalidations.length, 2);
    assertEquals(log.size, 5);
  });
});
