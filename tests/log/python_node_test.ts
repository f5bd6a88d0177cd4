import { assertEquals, assertThrows } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { contentsOf, withDatabase, withFolder } from "../folder.ts";
import { alice, bob, headsOf, note } from "../operations.ts";
import { vectorPath } from "../vectors.ts";

/** A copy of a file that the Python original wrote, with 200 operations and no `ops_no_replace`. */
function withPythonNode(use: (path: string, folder: string) => void): void {
  withFolder((folder) => {
    const path = `${folder}/python-node.db`;
    Deno.copyFileSync(vectorPath("python-node.db"), path);
    use(path, folder);
  });
}

function verifiedEntries(log: OpLog) {
  const ops = [...log.entries()].map(({ op }) => op);
  for (const op of ops) op.verify();
  return ops;
}

function triggersOf(path: string): unknown[] {
  const sql = "SELECT name FROM sqlite_schema WHERE type = 'trigger' ORDER BY name";
  return withDatabase(path, (database) => database.prepare(sql).values().flat());
}

Deno.test("a file that the Python original wrote reads back whole, and every operation verifies", () => {
  withPythonNode((path) => {
    using log = OpLog.open(path);
    const ops = verifiedEntries(log);
    assertEquals([ops.length, log.size], [200, 200]);
    assertEquals(log.heads(), headsOf(ops));
    assertEquals(log.lastOpId(), ops[199].opId);
    assertEquals(ops.map((op) => log.get(op.opId).wire), ops.map((op) => op.wire));
  });
});

Deno.test("a file that the Python original wrote takes what is appended here", () => {
  withPythonNode((path) => {
    {
      using log = OpLog.open(path);
      const heads = log.heads();
      const recorded = log.record(bob, "note", { text: "recorded" });
      assertEquals([log.seqOf(recorded.opId), recorded.prev], [201, heads]);
      assertEquals(log.append(note("appended", [recorded.opId])), 202);
    }
    using log = OpLog.open(path);
    assertEquals(verifiedEntries(log).length, 202);
    assertEquals(log.heads(), [log.lastOpId()]);
  });
});

Deno.test("a file that the Python original wrote becomes append-only when it is opened for writing", () => {
  withPythonNode((path) => {
    const replace = "INSERT OR REPLACE INTO ops (op_id, type, author, ts, wire) " +
      `SELECT op_id, type, '${alice.author}', ts, wire FROM ops WHERE seq = 200`;
    assertEquals(triggersOf(path), ["ops_no_delete", "ops_no_update"]);
    withDatabase(path, (database) => database.exec(`BEGIN; ${replace}; ROLLBACK`)); // the gap it closes
    OpLog.open(path).close();
    assertEquals(triggersOf(path), ["ops_no_delete", "ops_no_replace", "ops_no_update"]);
    withDatabase(path, (database) => assertThrows(() => database.exec(replace), Error, "append-only"));
    using log = OpLog.open(path);
    assertEquals(verifiedEntries(log).length, 200);
  });
});

Deno.test("a file that the Python original wrote stays byte for byte the same when it is opened readonly", () => {
  withPythonNode((path, folder) => {
    const before = contentsOf(folder);
    {
      using log = OpLog.open(path, { readonly: true });
      const ops = verifiedEntries(log);
      assertEquals([ops.length, log.heads()], [200, headsOf(ops)]);
    }
    assertEquals(contentsOf(folder), before);
  });
});
