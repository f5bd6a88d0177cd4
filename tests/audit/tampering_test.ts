import { assertEquals } from "@std/assert";
import { Operation } from "../../mod.ts";
import { audit, type FindingKind } from "../../src/audit/audit.ts";
import { BUILT_IN } from "../../src/built_in.ts";
import { contentsOf } from "../folder.ts";
import { alice, forged, missigned, note } from "../operations.ts";
import { exec, found, row, withFile } from "./log_file.ts";
import { behindTriggers, editBytes, indexOf, insertAt, noteAfter } from "./tamper.ts";

/** What someone does to a file, and what is found of it. */
const TAMPERINGS: [what: string, change: (path: string) => void, found: [FindingKind, number?][]][] = [
  ["a trigger is dropped", (path) => exec(path, "DROP TRIGGER ops_no_update"), [["trigger"]]],
  ["all triggers are dropped", (path) => {
    exec(path, "DROP TRIGGER ops_no_update; DROP TRIGGER ops_no_delete; DROP TRIGGER ops_no_replace");
  }, [["trigger"], ["trigger"], ["trigger"]]],
  ["a trigger is put back that does nothing", (path) => {
    exec(path, "DROP TRIGGER ops_no_delete; CREATE TRIGGER ops_no_delete BEFORE DELETE ON ops BEGIN SELECT 1; END");
  }, [["trigger"]]],
  ["a trigger of another's is put on the table", (path) => {
    exec(path, "CREATE TRIGGER thief AFTER INSERT ON ops BEGIN SELECT 1; END");
  }, [["trigger"]]],
  ["triggers are dropped, a wire text is replaced, and they are put back", (path) => {
    behindTriggers(path, (db) => db.exec("UPDATE ops SET wire = replace(wire, '\"n\":6,', '\"n\":7,') WHERE seq = 7"));
  }, [["bad-address", 7]]],
  ["a byte is flipped in the body of a wire text", (path) => {
    editBytes(path, (bytes) => void (bytes[indexOf(bytes, '"n":30,') + 4] ^= 1));
  }, [["bad-address", 31]]],
  ["a byte is flipped in the signature of a wire text", (path) => {
    editBytes(path, (bytes) => {
      const at = indexOf(bytes, row(20).sig) + 5;
      bytes[at] = bytes[at] === 0x61 ? 0x62 : 0x61;
    });
  }, [["bad-address", 20]]],
  ["a byte is flipped in the syntax of a wire text", (path) => {
    editBytes(path, (bytes) => void (bytes[indexOf(bytes, '"n":30,')] ^= 1));
  }, [["bad-shape", 31]]],
  ["an operation is replaced by one that its author did not sign", (path) => {
    const { wire } = forgedSignature(row(60));
    behindTriggers(path, (db) => {
      const op = Operation.parse(wire);
      db.prepare("UPDATE ops SET wire = ?, op_id = ? WHERE seq = 60").run(op.wire, op.opId);
    });
  }, [["bad-signature", 60]]],
  ["an id is changed in its column and in its wire text", (path) => {
    const other = "op_" + "0".repeat(64);
    const { opId } = row(10);
    behindTriggers(path, (db) => {
      db.prepare("UPDATE ops SET op_id = ?, wire = replace(wire, ?, ?) WHERE seq = 10").run(other, opId, other);
    });
  }, [["bad-address", 10]]],
  ["a wire text is a blob", (path) => {
    behindTriggers(path, (db) => db.exec("UPDATE ops SET wire = CAST(wire AS BLOB) WHERE seq = 4"));
  }, [["bad-shape", 4]]],
  ["a wire text has a NUL and more behind it", (path) => {
    behindTriggers(path, (db) => db.exec("UPDATE ops SET wire = wire || char(0) || 'more' WHERE seq = 4"));
  }, [["bad-shape", 4]]],
  ["a wire text has a line break behind it", (path) => {
    behindTriggers(path, (db) => db.exec("UPDATE ops SET wire = wire || char(13) WHERE seq = 4"));
    behindTriggers(path, (db) => db.exec("UPDATE ops SET wire = wire || char(10) WHERE seq = 5"));
  }, [["bad-shape", 4], ["bad-shape", 5]]],
  ["a wire text is empty", (path) => {
    behindTriggers(path, (db) => db.exec("UPDATE ops SET wire = '' WHERE seq = 4"));
  }, [["bad-shape", 4]]],
  ["a wire text is not UTF-8", (path) => {
    behindTriggers(path, (db) => db.exec("UPDATE ops SET wire = CAST(x'7bff7d' AS TEXT) WHERE seq = 4"));
  }, [["bad-shape", 4]]],
  ["a wire text is greater than an audit looks at", (path) => {
    const sql = "UPDATE ops SET wire = printf('%.*c', 70000000, 'x') WHERE seq = 4";
    behindTriggers(path, (db) => db.exec(sql));
  }, [["bad-shape", 4]]],
  ...[
    "op_id = 'op_x'",
    "type = 'other'",
    "author = 'mnk_x'",
    "ts = 5",
    "ts = '5 o''clock'",
    "type = CAST(type AS BLOB)",
  ]
    .map((change): typeof TAMPERINGS[number] => [`a column is changed: ${change}`, (path) => {
      behindTriggers(path, (db) => db.exec(`UPDATE ops SET ${change} WHERE seq = 12`));
    }, [["column-differs", 12]]]),
  ["a column has a NUL and more behind it", (path) => {
    behindTriggers(path, (db) => db.exec("UPDATE ops SET type = type || char(0) || 'x' WHERE seq = 12"));
  }, [["column-differs", 12]]],
  ["a row is removed in the middle", (path) => {
    behindTriggers(path, (db) => db.exec("DELETE FROM ops WHERE seq = 30"));
  }, [["seq-gap", 30]]],
  ["rows are removed at the start", (path) => {
    behindTriggers(path, (db) => db.exec("DELETE FROM ops WHERE seq < 4"));
  }, [["seq-gap", 1]]],
  ["a row is removed at the end", (path) => {
    behindTriggers(path, (db) => db.exec("DELETE FROM ops WHERE seq = 60"));
  }, [["removed-at-end", 60]]],
  ["every row is removed", (path) => {
    behindTriggers(path, (db) => db.exec("DELETE FROM ops"));
  }, [["removed-at-end", 1]]],
  ["a row is removed at the end, and the memory of it", (path) => {
    behindTriggers(path, (db) => db.exec("DELETE FROM ops WHERE seq = 60; UPDATE sqlite_sequence SET seq = 59"));
  }, derivedAll()],
  ["two rows are swapped", (path) => {
    behindTriggers(path, (db) => {
      db.exec("UPDATE ops SET seq = 1000 WHERE seq = 30; UPDATE ops SET seq = 30 WHERE seq = 31");
      db.exec("UPDATE ops SET seq = 31 WHERE seq = 1000");
    });
  }, [["forward-reference", 30]]],
  ["a valid operation is inserted earlier, and the others move on", (path) => {
    behindTriggers(path, (db) => {
      db.exec("UPDATE ops SET seq = -seq WHERE seq > 20; UPDATE ops SET seq = 1 - seq WHERE seq < 0");
      insertAt(db, 21, noteAfter("inserted", [row(20).opId]));
    });
  }, [["seq-out-of-range", 61]]],
  ["the same, with the stored last seq adjusted", (path) => {
    behindTriggers(path, (db) => {
      db.exec("UPDATE ops SET seq = -seq WHERE seq > 20; UPDATE ops SET seq = 1 - seq WHERE seq < 0");
      insertAt(db, 21, noteAfter("inserted", [row(20).opId]));
      db.exec("UPDATE sqlite_sequence SET seq = 61 WHERE name = 'ops'");
    });
  }, derivedAll()],
  ["a valid operation is inserted before the first", (path) => {
    behindTriggers(path, (db) => insertAt(db, 0, note("before all")));
  }, [["seq-out-of-range", 0]]],
  ["a row has a seq that is not a safe integer", (path) => {
    behindTriggers(path, (db) => {
      db.exec("UPDATE ops SET seq = 9007199254740993 WHERE seq = 60; UPDATE sqlite_sequence SET seq = 59");
    });
  }, [["seq-out-of-range"]]],
  ["an operation is put in that follows what is not there", (path) => {
    behindTriggers(path, (db) => insertAt(db, 61, noteAfter("x", ["op_" + "1".repeat(64)])));
  }, [["dangling", 61]]],
  ["the memory of the last seq is gone", (path) => exec(path, "DELETE FROM sqlite_sequence"), [[
    "seq-out-of-range",
    60,
  ]]],
  ["the memory of the last seq is a text", (path) => {
    exec(path, "UPDATE sqlite_sequence SET seq = 'sixty'");
  }, [["seq-out-of-range"]]],
  ["a foreign index", (path) => exec(path, "CREATE INDEX mine ON ops(ts)"), [["index"]]],
  ["a foreign index of an expression", (path) => {
    exec(path, "CREATE INDEX mine ON ops(length(hex(zeroblob(ts % 1000))))");
  }, [["index"]]],
  ["an index is dropped", (path) => exec(path, "DROP INDEX idx_ops_type"), [["index"]]],
  ["an index is another", (path) => {
    exec(path, "DROP INDEX idx_ops_type; CREATE INDEX idx_ops_type ON ops(ts)");
  }, [["index"]]],
  ["a stale derived table", (path) => {
    exec(path, "UPDATE mnema_depths SET depth = 3 WHERE seq = 3");
  }, [["derived-differs"]]],
  ["a derived table with a row too many", (path) => {
    exec(path, "INSERT INTO mnema_heads VALUES ('op_mine', 3)");
  }, [["derived-differs"]]],
  ["a derived table with a row too few", (path) => exec(path, "DELETE FROM mnema_heads"), [["derived-differs"]]],
  ["a verdict on claims is changed", (path) => {
    exec(path, "UPDATE mnema_values SET standing = 3 WHERE id = 2");
  }, [["derived-differs"]]],
  ["a derived table of other columns", (path) => {
    exec(path, "DROP TABLE mnema_depths; CREATE TABLE mnema_depths (seq INTEGER PRIMARY KEY, depth TEXT)");
  }, [["derived-differs"]]],
  ["a derived table is a view", (path) => {
    exec(path, "DROP TABLE mnema_depths; CREATE VIEW mnema_depths AS SELECT seq, 0 AS depth FROM ops");
  }, [["derived-differs"]]],
  ["a hash in the tree is another", (path) => {
    exec(path, "UPDATE mnema_tiles SET hashes = zeroblob(32) || substr(hashes, 33)");
  }, [["derived-differs"]]],
  ["a watermark beyond the end", (path) => {
    exec(path, "UPDATE mnema_watermarks SET seq = 61 WHERE name = 'depths'");
  }, [["derived-differs"]]],
  ["a watermark that is no number", (path) => {
    exec(path, "UPDATE mnema_watermarks SET seq = 'x' WHERE name = 'depths'");
  }, [["derived-differs"]]],
];
/** The findings when everything derived differs from the log. */
function derivedAll(): [FindingKind][] {
  return BUILT_IN.map(() => ["derived-differs"]);
}

/** An operation whose address is right and whose signature is another's. */
function forgedSignature(op: Operation): Operation {
  return missigned(forged(op), alice);
}

for (const [what, change, expected] of TAMPERINGS) {
  Deno.test(`found, and nothing else: ${what}`, async () => {
    await withFile(async (path) => {
      change(path);
      const before = contentsOf(path.slice(0, path.lastIndexOf("/")))["log.db"];
      const report = await audit(path, { workers: 0 });
      assertEquals(found(report), expected, JSON.stringify(report, null, 1));
      assertEquals(report.found, expected.length);
      assertEquals(contentsOf(path.slice(0, path.lastIndexOf("/")))["log.db"], before);
    });
  });
}
