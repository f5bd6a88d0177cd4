import { assert, assertEquals } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { audit, type FindingKind } from "../../src/audit/audit.ts";
import { withDatabase, withFolder } from "../folder.ts";
import { exec, kinds, ops } from "./log_file.ts";
import { makeFile, rewriteSchema } from "./tamper.ts";

const HOSTILE: [what: string, make: (path: string) => void, kind: FindingKind][] = [
  ["a text", (path) => Deno.writeTextFileSync(path, "no database\n".repeat(1000)), "integrity"],
  ["an empty file", (path) => Deno.writeTextFileSync(path, ""), "schema"],
  ["another database", (path) => exec(path, "CREATE TABLE songs (title TEXT)"), "schema"],
  ["a view named ops that never ends", (path) => {
    exec(
      path,
      "CREATE VIEW ops AS WITH RECURSIVE n (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n) SELECT seq, " +
        "'' AS op_id, '' AS type, '' AS author, 1 AS ts, '' AS wire FROM n",
    );
  }, "schema"],
  ["a virtual table named ops", (path) => exec(path, "CREATE VIRTUAL TABLE ops USING fts5 (wire)"), "schema"],
  ["a table of generated columns named ops", (path) => {
    exec(
      path,
      "CREATE TABLE ops (seq INTEGER PRIMARY KEY AUTOINCREMENT, op_id TEXT, type TEXT, author TEXT, ts INTEGER, " +
        "wire TEXT AS (hex(zeroblob(100000000)))); INSERT INTO ops (op_id) VALUES ('op_1')",
    );
  }, "schema"],
  ["a table whose types have swallowed its constraints", (path) => {
    makeFile(path, ops);
    rewriteSchema(
      path,
      "UPDATE sqlite_schema SET sql = replace(sql, 'TEXT NOT NULL UNIQUE', 'TEXTNOTNULLUNIQUE') " +
        "WHERE name = 'ops'; DELETE FROM sqlite_schema WHERE name = 'sqlite_autoindex_ops_1'",
    );
  }, "schema"],
  ["a schema that is no SQL", (path) => {
    makeFile(path, ops);
    rewriteSchema(path, "UPDATE sqlite_schema SET sql = 'CREATE TABLE' WHERE name = 'mnema_heads'");
  }, "integrity"],
  ["an index whose SQL is a long row of brackets that are not closed", (path) => {
    makeFile(path, ops);
    rewriteSchema(
      path,
      "INSERT INTO sqlite_schema SELECT 'index', 'brackets', 'ops', 3, " +
        "'CREATE INDEX brackets ON ops (ts) ' || replace(hex(zeroblob(400000)), '0', '[')",
    );
  }, "integrity"],
  ["an object that is there twice", (path) => {
    makeFile(path, ops);
    rewriteSchema(path, "INSERT INTO sqlite_schema SELECT * FROM sqlite_schema WHERE name = 'ops_no_update'");
  }, "integrity"],
  ["an index that has another's page for its root", (path) => {
    makeFile(path, ops);
    rewriteSchema(
      path,
      "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'ops') " +
        "WHERE name = 'idx_ops_type'",
    );
  }, "integrity"],
  ["tables that would be computed", (path) => {
    makeFile(path, ops);
    exec(
      path,
      "CREATE TABLE bomb (a, b AS (hex(zeroblob(a)))); INSERT INTO bomb (a) VALUES (400000000);" +
        "CREATE INDEX bombs ON bomb (length(b)) WHERE false; CREATE TRIGGER t AFTER INSERT ON bomb BEGIN DELETE FROM ops; END;" +
        "CREATE INDEX mine ON ops (ts) WHERE length(hex(wire)) < 0",
    );
  }, "index"],
  ["texts in UTF-16", (path) => {
    withDatabase(path, (db) => db.exec("PRAGMA encoding = 'UTF-16le'; CREATE TABLE x (y)"));
    OpLog.open(`${path}.log`).close();
    withDatabase(`${path}.log`, (from) => {
      const schema = from.prepare("SELECT sql FROM sqlite_schema WHERE sql NOT NULL AND name NOT LIKE 'sqlite_%'")
        .values<[string]>();
      withDatabase(path, (db) => schema.forEach(([sql]) => db.exec(sql)));
    });
  }, "schema"],
];

for (const [what, make, kind] of HOSTILE) {
  Deno.test(`found in a hostile file: ${what}`, async () => {
    await withFolder(async (folder) => {
      const path = `${folder}/log.db`;
      make(path);
      const before = Deno.readFileSync(path);
      const report = await audit(path, { workers: 0 });
      assert(kinds(report).includes(kind), JSON.stringify(report, null, 1));
      assertEquals(Deno.readFileSync(path), before);
    });
  });
}
