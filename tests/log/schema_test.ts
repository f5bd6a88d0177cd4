import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { FileError, OpLog } from "../../mod.ts";
import { contentsOf, withDatabase, withFolder } from "../folder.ts";
import { alice, note } from "../operations.ts";
import { rewriteSchema } from "../audit/tamper.ts";

/** A closed log with everything that a log can make: derived tables, a state of a user's own, a kept checkpoint. */
function makeWholeLog(path: string): void {
  using log = OpLog.open(path);
  log.append(note("first"));
  log.heads();
  [...log.claims.query()];
  log.project({ name: "count-of.all", version: 1, initial: 0, step: (count) => count + 1 });
  log.proofs.checkpoint(alice);
}

function withLog(change: string | ((path: string) => void), use: (path: string, folder: string) => void): void {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    makeWholeLog(path);
    if (typeof change === "string") withDatabase(path, (database) => database.exec(change));
    else change(path);
    use(path, folder);
  });
}

/** Puts a row into the schema that says something else than its SQL. */
function disguise(type: string, name: string, sql: string): (path: string) => void {
  const row = [type, name, name, sql].map((text) => `'${text.replaceAll("'", "''")}'`);
  return (path) =>
    rewriteSchema(path, `INSERT INTO sqlite_schema VALUES (${row[0]}, ${row[1]}, ${row[2]}, 0, ${row[3]})`);
}

const INSERT = "AFTER INSERT ON ops BEGIN INSERT INTO songs VALUES (NEW.wire); END";
const SONGS = "CREATE TABLE songs (title TEXT);";

/** What would run while a log is written. */
const RUNNING: Record<string, string | ((path: string) => void)> = {
  "a trigger on ops": `${SONGS} CREATE TRIGGER thief ${INSERT}`,
  "a trigger on ops by a quoted, qualified name": `${SONGS} CREATE TRIGGER thief ${
    INSERT.replace("ops", 'main."OPS"')
  }`,
  "a trigger on the kept checkpoints": `CREATE TRIGGER thief AFTER INSERT ON checkpoints BEGIN SELECT 1; END`,
  "a trigger on a derived table": "CREATE TRIGGER thief AFTER INSERT ON mnema_heads BEGIN DELETE FROM ops; END",
  "a trigger on the watermarks": "CREATE TRIGGER thief AFTER INSERT ON mnema_watermarks BEGIN SELECT 1; END",
  "a trigger on the state of a projection":
    'CREATE TRIGGER thief AFTER DELETE ON "mnema_state_count-of.all" BEGIN SELECT 1; END',
  "a trigger on a table that another version may derive":
    "CREATE TABLE mnema_later (x); CREATE TRIGGER thief AFTER INSERT ON mnema_later BEGIN SELECT 1; END",
  "an index of an expression on ops": "CREATE INDEX mine ON ops (length(hex(wire)))",
  "a partial index on ops": "CREATE INDEX mine ON ops (ts) WHERE length(hex(wire)) < 0",
  "a unique index on ops": "CREATE UNIQUE INDEX mine ON ops (ts)",
  "an index of an expression on a derived table": "CREATE INDEX mine ON mnema_heads (hex(op_id))",
  "a virtual table in the place of a derived table":
    "DROP TABLE mnema_depths; CREATE VIRTUAL TABLE mnema_depths USING fts5 (seq, depth)",
};

for (const [what, change] of Object.entries(RUNNING)) {
  Deno.test(`a log with ${what} is not opened to be written, is left as it is, and a reader reads it`, () => {
    withLog(change, (path, folder) => {
      const before = contentsOf(folder);
      const error = assertThrows(() => OpLog.open(path), FileError);
      assertEquals([error.code, error.path], ["not-a-log", path]);
      assertStringIncludes(error.message, "drop it");
      assertEquals(contentsOf(folder), before);
      using log = OpLog.open(path, { readonly: true });
      assertEquals([...log.entries()].length, 1);
    });
  });
}

const trigger = "CREATE TRIGGER ops_no_update BEFORE UPDATE ON ops " +
  "BEGIN SELECT RAISE(ABORT, 'mnema log is append-only: UPDATE forbidden'); END";

/** What is not the log's own, although it is called so. */
const ALTERED: Record<string, string | ((path: string) => void)> = {
  "ops with words that have grown together": (path) =>
    rewriteSchema(
      path,
      "UPDATE sqlite_schema SET sql = replace(sql, 'TEXT NOT NULL UNIQUE', 'TEXTNOTNULLUNIQUE') WHERE name = 'ops';" +
        "DELETE FROM sqlite_schema WHERE name = 'sqlite_autoindex_ops_1'",
    ),
  "a trigger with another text": `DROP TRIGGER ops_no_update; ${trigger.replace("UPDATE f", "update f")}`,
  "a trigger of the log's name on another table": `${SONGS} DROP TRIGGER ops_no_update; ${
    trigger.replace("ON ops", "ON songs")
  }`,
  "a table of the name of a trigger": "DROP TRIGGER ops_no_update; CREATE TABLE ops_no_update (x)",
  "an index of the log's name that is partial":
    "DROP INDEX idx_ops_type; CREATE INDEX idx_ops_type ON ops(type) WHERE ts > 5",
  "kept checkpoints in another table": "DROP TABLE checkpoints; CREATE TABLE checkpoints (size, note)",
  "a trigger of the checkpoints that does nothing":
    "DROP TRIGGER checkpoints_no_delete; CREATE TRIGGER checkpoints_no_delete BEFORE DELETE ON checkpoints BEGIN SELECT 1; END",
  "a view in the place of the kept checkpoints":
    "DROP TABLE checkpoints; CREATE VIEW checkpoints AS SELECT 1 AS size, '' AS note",
};

for (const [what, change] of Object.entries(ALTERED)) {
  Deno.test(`a log with ${what} is not opened at all, and is left as it is`, () => {
    withLog(change, (path, folder) => {
      const before = contentsOf(folder);
      for (const readonly of [false, true]) {
        const error = assertThrows(() => OpLog.open(path, { readonly }), FileError);
        assertEquals([error.code, error.path], ["not-a-log", path]);
      }
      assertEquals(contentsOf(folder), before);
    });
  });
}

/** Rows of the schema that say something else than their SQL. SQLite itself does not take them. */
const DISGUISED: Record<string, (path: string) => void> = {
  "a trigger that is called a table": disguise("table", "songs", `CREATE TRIGGER thief ${INSERT}`),
  "a trigger under another name": disguise("trigger", "songs", `CREATE TRIGGER thief ${INSERT}`),
  "a trigger on another table than its row says": (path) => {
    withDatabase(path, (database) => database.exec(`${SONGS} CREATE TRIGGER thief ${INSERT}`));
    rewriteSchema(path, "UPDATE sqlite_schema SET tbl_name = 'songs' WHERE name = 'thief'");
  },
  "a trigger that is a blob": (path) => {
    withDatabase(path, (database) => database.exec(`${SONGS} CREATE TRIGGER thief ${INSERT}`));
    rewriteSchema(
      path,
      "UPDATE sqlite_schema SET sql = CAST(sql AS BLOB), tbl_name = CAST('songs' AS BLOB) WHERE name = 'thief'",
    );
  },
};

for (const [what, change] of Object.entries(DISGUISED)) {
  Deno.test(`a log with ${what} is corrupt, and is left as it is`, () => {
    withLog(change, (path, folder) => {
      const before = contentsOf(folder);
      for (const readonly of [false, true]) {
        assertEquals(assertThrows(() => OpLog.open(path, { readonly }), FileError).code, "corrupt");
      }
      assertEquals(contentsOf(folder), before);
    });
  });
}

/** What others may keep beside a log. */
const TOLERATED: Record<string, string> = {
  "a table, an index on it, a trigger on it": `${SONGS} CREATE INDEX titles ON songs (hex(title)); ` +
    "CREATE TRIGGER sung AFTER INSERT ON songs BEGIN SELECT 1; END",
  "a view of the log": "CREATE VIEW notes AS SELECT wire FROM ops WHERE type = 'note'",
  "a plain index on ops": "CREATE INDEX by_time ON ops (ts, author)",
  "the statistics that ANALYZE keeps": "ANALYZE",
  "a derived table of another version":
    "DROP TABLE mnema_depths; CREATE TABLE mnema_depths (seq INTEGER, deep INTEGER)",
  "no triggers": "DROP TRIGGER ops_no_update; DROP TRIGGER ops_no_delete; DROP TRIGGER ops_no_replace",
};

for (const [what, change] of Object.entries(TOLERATED)) {
  Deno.test(`a log with ${what} is opened and written`, () => {
    withLog(change, (path) => {
      using log = OpLog.open(path);
      assertEquals(log.append(note("second")), 2);
      assertEquals([...log.entries()].length, 2);
    });
  });
}

Deno.test("a log whose statements another implementation wrote in other white space is opened", () => {
  withLog((path) => {
    rewriteSchema(
      path,
      "UPDATE sqlite_schema SET sql = replace(replace(sql, ' ON ops(', ' ON\n  \"ops\" ( '), '(seq', ' (-- a log\n\tseq')",
    );
  }, (path) => {
    using log = OpLog.open(path);
    assertEquals(log.append(note("second")), 2);
  });
});
