import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { alice } from "../operations.ts";
import type { OpLog } from "../../mod.ts";
import { withDatabase } from "../folder.ts";
import { until, type Visitor, withSite } from "./site.ts";

/** Runs the audit, and returns the page with its report. */
async function runAudit(visitor: Visitor): Promise<string> {
  const { status, headers } = await visitor.post("/audit", {});
  assertEquals([status, headers.get("location")], [303, "/audit"]);
  return await until(() => visitor.page("/audit"), (page) => !page.includes("is running"));
}

Deno.test("an audit runs beside the pages, and its report is shown there and on the overview", async () => {
  await withSite({ fill: (log) => void log.claims.assert(alice, { key: "drink", value: "tea" }) }, async (visitor) => {
    assertStringIncludes(await visitor.page("/"), "none since mnema serve was started");
    const page = await runAudit(visitor);
    assertMatch(page.replaceAll(/\s+/g, " "), /Last audit: .*nothing was found.* Checked: 1 operation, in/);
    assertStringIncludes(await visitor.page("/"), "nothing was found");
    const { state, report } = JSON.parse(await visitor.json("/audit"));
    assertEquals([state, report], ["done", { operations: 1, found: 0, findings: [], unchecked: [], clean: true }]);
  });
});

Deno.test("findings of an audit are listed, and it can be run again", async () => {
  const fill = (log: OpLog) => void log.record(alice, "note", { text: "tea at four" });
  await withSite({ fill }, async (visitor) => {
    assertStringIncludes(await runAudit(visitor), "nothing was found");
    withDatabase(visitor.path, (database) => {
      database.exec("PRAGMA busy_timeout = 10000"); // what is derived may just be caught up
      database.exec("DROP TRIGGER IF EXISTS ops_no_update");
      database.exec("UPDATE ops SET wire = replace(wire, 'four', 'nine')");
    });
    const page = await runAudit(visitor);
    assertStringIncludes(page, "bad-address");
    assert(!page.includes("nothing was found"));
    const { report } = JSON.parse(await visitor.json("/audit"));
    assertEquals(report.clean, false);
  });
});

Deno.test("a log in memory cannot be audited, and the page says so", async () => {
  await withSite({ inMemory: true }, async (visitor) => {
    const page = await visitor.page("/audit");
    assertStringIncludes(page, "mnema audit");
    assert(!page.includes("<button>"));
  });
});
