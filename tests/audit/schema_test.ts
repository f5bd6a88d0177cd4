import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { audit, type AuditReport, type FindingKind } from "../../src/audit/audit.ts";
import { vectorPath } from "../vectors.ts";
import { withDatabase, withFolder } from "../folder.ts";
import { alice } from "../operations.ts";
import { behindTriggers, chain, makeFile, rewriteSchema } from "./tamper.ts";

const ops = chain(12);

/** Runs `use` with the path of a log on which everything was made that a log makes in its file. */
async function withFile(use: (path: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    makeFile(path, ops);
    {
      using log = OpLog.open(path);
      log.project({ name: "count-of.all", version: 1, initial: 0, step: (count) => count + 1 });
      log.proofs.checkpoint(alice);
    }
    await use(path);
  });
}

function exec(path: string, sql: string): void {
  withDatabase(path, (database) => database.exec(sql));
}

function kinds({ findings }: AuditReport): FindingKind[] {
  return findings.map(({ kind }) => kind);
}

Deno.test("everything that a log makes in its file is known by its definition", async () => {
  await withFile(async (path) => {
    assertEquals(await audit(path, { workers: 0 }), {
      operations: 12,
      found: 0,
      findings: [],
      unchecked: [],
      clean: true,
    });
  });
});

/** What someone puts into a schema, or changes in it, and what is found of it. */
const CHANGES: [what: string, sql: string, found: FindingKind[]][] = [
  ["a table", "CREATE TABLE songs (title TEXT)", ["schema"]],
  [
    "a table and what hangs on it",
    "CREATE TABLE songs (title UNIQUE); CREATE INDEX titles ON songs (hex(title)); " +
    "CREATE TRIGGER sung AFTER INSERT ON songs BEGIN SELECT 1; END",
    ["schema", "trigger", "index"],
  ],
  ["a view", "CREATE VIEW notes AS SELECT * FROM ops", ["schema"]],
  ["a virtual table", "CREATE VIRTUAL TABLE found USING rtree (id, a, b)", ["schema", "schema", "schema", "schema"]],
  ["a trigger on ops by a quoted, qualified name", 'CREATE TRIGGER t AFTER INSERT ON main."OPS" BEGIN SELECT 1; END', [
    "trigger",
  ]],
  ["a trigger on the stored checkpoints", "CREATE TRIGGER t AFTER INSERT ON checkpoints BEGIN SELECT 1; END", [
    "trigger",
  ]],
  ["a trigger on a derived table", "CREATE TRIGGER t AFTER INSERT ON mnema_heads BEGIN SELECT 1; END", ["trigger"]],
  ["an index on a derived table", "CREATE INDEX i ON mnema_heads (seq, op_id)", ["index"]],
  ["a table named as a derived one", "CREATE TABLE mnema_more (x)", ["schema"]],
  ["a table named as a state, of other columns", "CREATE TABLE mnema_state_other (state TEXT)", ["derived-differs"]],
  ["a view for a derived table", "DROP TABLE mnema_tiles; CREATE VIEW mnema_tiles AS SELECT 1 AS id, x'' AS hashes", [
    "derived-differs",
  ]],
  ["a view for the watermarks", "DROP TABLE mnema_watermarks; CREATE VIEW mnema_watermarks AS SELECT 1 AS seq", [
    "derived-differs",
  ]],
  ["a view for the stored checkpoints", "DROP TABLE checkpoints; CREATE VIEW checkpoints AS SELECT 1 AS note", [
    "checkpoint",
  ]],
  ["other columns of the stored checkpoints", "DROP TABLE checkpoints; CREATE TABLE checkpoints (size, note)", [
    "checkpoint",
  ]],
  ["a trigger of the stored checkpoints is dropped", "DROP TRIGGER checkpoints_no_delete", ["trigger"]],
  [
    "a trigger of the log's name on another table",
    "CREATE TABLE songs (x); DROP TRIGGER ops_no_delete; " +
    "CREATE TRIGGER ops_no_delete BEFORE DELETE ON songs " +
    "BEGIN SELECT RAISE(ABORT, 'mnema log is append-only: DELETE forbidden'); END",
    ["schema", "trigger"],
  ],
  [
    "a trigger of the log's with another literal",
    "DROP TRIGGER ops_no_delete; " +
    "CREATE TRIGGER ops_no_delete BEFORE DELETE ON ops " +
    "BEGIN SELECT RAISE(ABORT, 'mnema log is append-only: delete forbidden'); END",
    ["trigger"],
  ],
  ["a table of the name of an index", "DROP INDEX idx_ops_type; CREATE TABLE idx_ops_type (x)", ["index"]],
  ["the statistics that ANALYZE keeps", "ANALYZE", ["schema"]],
];

for (const [what, sql, expected] of CHANGES) {
  Deno.test(`found in the schema, and nothing else: ${what}`, async () => {
    await withFile(async (path) => {
      exec(path, sql);
      const report = await audit(path, { workers: 0 });
      const found = kinds(report).filter((kind, i) =>
        kind !== "schema" || !isStatistics(report.findings[i].message, what)
      );
      assertEquals(found, expected, JSON.stringify(report, null, 1));
      assertEquals(report.operations, 12);
    });
  });
}

/** SQLite may be built to keep a second table of statistics. */
function isStatistics(message: string, what: string): boolean {
  return what.includes("ANALYZE") && message.includes("sqlite_stat4");
}

/** Rows of the schema that say something else than their SQL, which SQLite reads only with `writable_schema`. */
const DISGUISED: Record<string, string> = {
  "a trigger that is called a table": "UPDATE sqlite_schema SET type = 'table' WHERE name = 'thief'",
  "a trigger under another name": "UPDATE sqlite_schema SET name = 'songs' WHERE name = 'thief'",
  "a trigger on another table than its row says": "UPDATE sqlite_schema SET tbl_name = 'songs' WHERE name = 'thief'",
};

for (const [what, sql] of Object.entries(DISGUISED)) {
  Deno.test(`found in the schema: ${what}`, async () => {
    await withFile(async (path) => {
      exec(path, "CREATE TRIGGER thief AFTER INSERT ON ops BEGIN SELECT 1; END");
      rewriteSchema(path, sql);
      const { findings } = await audit(path, { workers: 0 });
      const quoting = findings.filter(({ message }) => message.includes("CREATE TRIGGER thief"));
      assertEquals(quoting.map(({ kind }) => kind), ["trigger"], JSON.stringify(findings));
    });
  });
}

Deno.test("ten thousand views of others hide neither a trigger behind them nor a row that was changed", async () => {
  await withFile(async (path) => {
    rewriteSchema(
      path,
      "INSERT INTO sqlite_schema WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10050) " +
        "SELECT 'view', 'v' || i, 'v' || i, 0, 'CREATE VIEW v' || i || ' AS SELECT 1' FROM n",
    );
    exec(path, "CREATE TRIGGER last AFTER INSERT ON ops BEGIN SELECT 1; END");
    behindTriggers(path, (database) => database.exec("UPDATE ops SET ts = ts + 1 WHERE seq = 7"));
    const { findings, found } = await audit(path, { workers: 0 });
    assertEquals(found, 10_052);
    assertEquals(findings.length, 10_000);
    assertEquals(findings.filter(({ kind }) => kind !== "schema").map(({ kind, seq }) => [kind, seq]), [
      ["trigger", undefined],
      ["column-differs", 7],
    ]);
  });
});

/** What is no log: how it comes there, and what is said of it, once. */
const NO_LOGS: [what: string, make: (path: string) => void, kind: FindingKind, said: string][] = [
  ["an empty file", (path) => Deno.writeTextFileSync(path, ""), "schema", "it is empty"],
  [
    "a database without tables",
    (path) => exec(path, "CREATE TABLE x (y); DROP TABLE x"),
    "schema",
    "it is empty",
  ],
  [
    "a database of something else",
    (path) => exec(path, "CREATE TABLE songs (title); CREATE INDEX titles ON songs (title); CREATE VIEW v AS SELECT 1"),
    "schema",
    "a database of something else",
  ],
  ["a text", (path) => Deno.writeTextFileSync(path, "a note\n".repeat(1000)), "integrity", "not an SQLite database"],
  ["a short text", (path) => Deno.writeTextFileSync(path, "a note"), "integrity", "not an SQLite database"],
  [
    "a log whose table ops was dropped",
    (path) => {
      makeFile(path, ops);
      exec(path, "DROP TABLE ops");
    },
    "schema",
    "the table ops",
  ],
];

for (const [what, make, kind, said] of NO_LOGS) {
  Deno.test(`that ${what} is no log is one finding`, async () => {
    await withFolder(async (folder) => {
      const path = `${folder}/log.db`;
      make(path);
      const { findings, found, operations } = await audit(path, { workers: 0 });
      assertEquals([found, operations, findings.length], [1, 0, 1], JSON.stringify(findings));
      assertEquals(findings[0].kind, kind);
      assertStringIncludes(findings[0].message, path);
      assertStringIncludes(findings[0].message, said);
    });
  });
}

Deno.test("in a log that the Python original made, nothing but the third trigger is found missing", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    Deno.copyFileSync(vectorPath("python-node.db"), path);
    const { findings } = await audit(path, { workers: 0 });
    assertEquals(findings.map(({ kind }) => kind), ["trigger"]);
    assert(findings[0].message.includes("ops_no_replace is missing"));
  });
});
