import { assert, assertEquals, assertMatch } from "@std/assert";
import { audit, type AuditReport } from "../../src/audit/audit.ts";
import { withDatabase, withFolder } from "../folder.ts";
import { behindTriggers, chain, insertAt, makeFile, noteAfter } from "./tamper.ts";

const ops = chain(60);

/** What an audit finds in a log of which someone changed something. */
async function auditOf(change: (path: string) => void): Promise<AuditReport> {
  return await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    makeFile(path, ops);
    change(path);
    return await audit(path, { workers: 0 });
  });
}

function exec(path: string, sql: string): void {
  withDatabase(path, (database) => database.exec(sql));
}

const NUMBERS = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100000)";

/** What someone puts into derived tables. */
const BUILT_IN: [what: string, change: (path: string) => void, message: RegExp][] = [
  ["rows by the hundred thousand", (path) => {
    exec(path, `INSERT INTO mnema_depths ${NUMBERS} SELECT n + 1000, n FROM n`);
  }, /^the derived state of depths: mnema_depths has 100060 rows, and should have 60$/],
  ["as many rows as there should be, all of them others", (path) => {
    exec(path, "UPDATE mnema_depths SET depth = -1 - depth");
  }, /^the derived state of depths: mnema_depths has 60 rows that it should not have$/],
  ["a row that is larger than any operation", (path) => {
    exec(path, "UPDATE mnema_heads SET op_id = CAST(zeroblob(80000000) AS TEXT)");
  }, /^the derived state of heads: mnema_heads has a row that is larger than any operation$/],
  ["a row of some megabytes", (path) => {
    exec(path, "UPDATE mnema_heads SET op_id = hex(zeroblob(4000000))");
  }, /^the derived state of heads: mnema_heads has 1 rows that it should not have$/],
  ["a watermark of some megabytes", (path) => {
    exec(path, "UPDATE mnema_watermarks SET seq = 'x' || hex(zeroblob(4000000)) WHERE name = 'heads'");
  }, /^the derived state of heads: its watermark is x000.*… and so on$/],
  ["a key that is none", (path) => {
    exec(path, `DROP TABLE mnema_heads; CREATE TABLE mnema_heads (op_idTEXTPRIMARYKEY, seqINTEGER)`);
  }, /mnema_heads/],
];

for (const [what, change, message] of BUILT_IN) {
  Deno.test(`of a derived table no more is read than it should hold: ${what}`, async () => {
    const { findings, operations } = await auditOf(change);
    assertEquals(
      [findings.length, findings[0]?.kind, operations],
      [1, "derived-differs", 60],
      JSON.stringify(findings).slice(0, 999),
    );
    assertMatch(findings[0].message, message);
    assert(findings[0].message.length < 3000);
  });
}

Deno.test("a changed row is found whatever statistics and indexes say of its table", async () => {
  const { findings } = await auditOf((path) => {
    exec(path, "CREATE INDEX other ON mnema_children (child)");
    exec(path, "ANALYZE; UPDATE sqlite_stat1 SET stat = '1 1 1'");
    exec(path, "UPDATE mnema_children SET child = child + 100 WHERE parent = 7; UPDATE mnema_depths SET depth = 0");
  });
  const messages = findings.filter(({ kind }) => kind === "derived-differs").map(({ message }) => message);
  assertEquals(messages.sort(), [
    "the derived state of children: mnema_children has 1 rows that it should not have",
    "the derived state of depths: mnema_depths has 59 rows that it should not have",
  ]);
});

/** What someone puts in the place of a derived table. */
const STAND_INS: [what: string, sql: string][] = [
  [
    "a view that never ends",
    "CREATE VIEW mnema_depths AS WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT n AS seq, n AS depth FROM n",
  ],
  ["a virtual table", "CREATE VIRTUAL TABLE mnema_depths USING fts5 (seq, depth)"],
  [
    "a table that is computed",
    "CREATE TABLE mnema_depths (seq INTEGER PRIMARY KEY, depth AS (hex(zeroblob(500000000))))",
  ],
];

for (const [what, sql] of STAND_INS) {
  Deno.test(`an object in place of a derived table is not queried: ${what}`, async () => {
    const { findings, operations } = await auditOf((path) => exec(path, `DROP TABLE mnema_depths; ${sql}`));
    assert(findings.some(({ kind, message }) => kind === "derived-differs" && message.includes("mnema_depths")));
    assertEquals(operations, 60);
  });
}

Deno.test("oversized columns are read only up to a limit", async () => {
  const { findings, operations } = await auditOf((path) => {
    behindTriggers(
      path,
      (db) => db.exec("UPDATE ops SET type = hex(zeroblob(50000)), author = hex(zeroblob(50000))"),
    );
  });
  assertEquals([findings.length, operations], [60, 60]);
  assertEquals(new Set(findings.map(({ kind }) => kind)), new Set(["column-differs"]));
  assert(findings.every(({ message }) => message.length < 1000));
});

Deno.test("rows of sqlite_sequence are read only up to a limit", async () => {
  const { findings } = await auditOf((path) => {
    exec(path, `INSERT INTO sqlite_sequence ${NUMBERS} SELECT 'ops', hex(zeroblob(100)) FROM n`);
  });
  assertEquals(findings.map(({ kind }) => kind), ["seq-out-of-range"]);
  assert(findings[0].message.length < 1000);
});

Deno.test("an operation that follows many missing ones is reported in a short message", async () => {
  const { findings } = await auditOf((path) => {
    const prev = Array.from({ length: 1000 }, (_, n) => `op_${n.toString(16).padStart(64, "0")}`);
    behindTriggers(path, (db) => insertAt(db, 61, noteAfter("x", prev)));
  });
  assertEquals(findings.map(({ kind }) => kind), ["dangling"]);
  assert(findings[0].message.length < 3000);
});
