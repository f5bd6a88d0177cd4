import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { FileError, OpLog } from "../../mod.ts";
import { ops, PAGE } from "../audit/log_file.ts";
import { behindTriggers, editBytes, makeFile } from "../audit/tamper.ts";
import { withDatabase, withFolder } from "../folder.ts";

/** Lets the second child of the root of `ops` be the first again. */
function repeatFirstChild(path: string): void {
  let root = 0;
  withDatabase(path, (database) => {
    [root] = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'ops'").value<[number]>()!;
  });
  editBytes(path, (bytes) => {
    const view = new DataView(bytes.buffer, PAGE * (root - 1), PAGE);
    assertEquals(view.getUint8(0), 5, "the root has children");
    const [first, second] = [view.getUint16(12), view.getUint16(14)];
    view.setUint32(second, view.getUint32(first));
  });
}

Deno.test("rows that a damaged b-tree repeats are an error for every reader in seq order, not an endless log", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    makeFile(path, ops);
    repeatFirstChild(path);
    using log = OpLog.open(path, { readonly: true });
    for (const options of [{}, { reverse: true }, { fromTs: 0 }]) {
      const error = assertThrows(() => [...log.entries(options)], FileError);
      assertEquals(error.code, "corrupt");
      assertMatch(error.message, /seq \d+ is out of order/);
    }
  });
});

Deno.test("an id at the end that is not text is damage", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    makeFile(path, ops);
    behindTriggers(path, (database) => database.exec("UPDATE ops SET op_id = x'00' WHERE seq = 60"));
    using log = OpLog.open(path, { readonly: true });
    assertEquals(assertThrows(() => log.lastOpId(), FileError).code, "corrupt");
  });
});
