import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { FileError, OpLog } from "../../mod.ts";
import { CHECKPOINT_OBJECTS } from "../../src/checkpoints/stored.ts";
import { withDatabase, withFolder } from "../folder.ts";
import { alice, note } from "../operations.ts";

/** How earlier versions made the table and what belongs to it. */
const EARLIER = `
  CREATE TABLE IF NOT EXISTS checkpoints (size INTEGER NOT NULL, note TEXT NOT NULL PRIMARY KEY);
  CREATE INDEX IF NOT EXISTS checkpoints_size ON checkpoints (size);
  CREATE TRIGGER IF NOT EXISTS checkpoints_no_update BEFORE UPDATE ON checkpoints
    BEGIN SELECT RAISE(ABORT, 'signed checkpoints are kept: UPDATE forbidden'); END;
  CREATE TRIGGER IF NOT EXISTS checkpoints_no_delete BEFORE DELETE ON checkpoints
    BEGIN SELECT RAISE(ABORT, 'signed checkpoints are kept: DELETE forbidden'); END`;
const SELECT_OWN = "SELECT name, sql FROM sqlite_schema WHERE tbl_name = 'checkpoints' AND sql NOT NULL ORDER BY rowid";

/** A log of one operation; `change` is what somebody does to its file once it is open. */
function withLog(change: string, use: (log: OpLog, path: string) => void): void {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    using log = OpLog.open(path);
    log.append(note("a"));
    withDatabase(path, (database) => database.exec(change));
    use(log, path);
  });
}

function objectsOf(path: string): Record<string, string> {
  return withDatabase(path, (database) => Object.fromEntries(database.prepare(SELECT_OWN).values<[string, string]>()));
}

Deno.test("a table of an earlier version keeps checkpoints, and has the objects that are made now", () => {
  const bySingleSpaces = (sql: string) => sql.replaceAll(/\s+/g, " ");
  withLog(EARLIER, (log, path) => {
    const signed = log.proofs.checkpoint(alice);
    assertEquals(log.proofs.checkpoints(), [signed]);
    const objects = Object.entries(objectsOf(path)).map(([name, sql]) => [name, bySingleSpaces(sql)]);
    assertEquals(Object.fromEntries(objects), CHECKPOINT_OBJECTS);
  });
  withLog("", (log, path) => {
    log.proofs.checkpoint(alice);
    assertEquals(objectsOf(path), CHECKPOINT_OBJECTS);
  });
});

Deno.test("an index or a trigger that was dropped is made again when the next checkpoint is kept", () => {
  for (const dropped of ["INDEX checkpoints_size", "TRIGGER checkpoints_no_update", "TRIGGER checkpoints_no_delete"]) {
    withLog(`${EARLIER}; DROP ${dropped}`, (log, path) => {
      const signed = log.proofs.checkpoint(alice);
      assertEquals(log.proofs.checkpoints(), [signed]);
      assertEquals(Object.keys(objectsOf(path)).length, 4);
    });
  }
});

const TRIGGER = "CREATE TRIGGER other BEFORE INSERT ON checkpoints BEGIN";
/** What keeps a checkpoint from being kept as it was signed. */
const OBSTACLES: [what: string, sql: string][] = [
  ["a trigger that ignores the row", `${EARLIER}; ${TRIGGER} SELECT RAISE(IGNORE); END`],
  [
    "a trigger that puts another row in its place",
    `${EARLIER}; CREATE TRIGGER other AFTER INSERT ON checkpoints WHEN NEW.size > 0
      BEGIN INSERT OR REPLACE INTO checkpoints VALUES (0, NEW.note); END`,
  ],
  ["a trigger that refuses", `${EARLIER}; ${TRIGGER} SELECT RAISE(ABORT, 'no'); END`],
  ["a view", "CREATE TABLE t (size, note); CREATE VIEW checkpoints AS SELECT size, note FROM t"],
  [
    "a view that takes rows",
    "CREATE TABLE t (size, note); CREATE VIEW checkpoints AS SELECT size, note FROM t; " +
    "CREATE TRIGGER other INSTEAD OF INSERT ON checkpoints BEGIN INSERT INTO t VALUES (NEW.size, NEW.note); END",
  ],
  ["a table of other columns", "CREATE TABLE checkpoints (a, b)"],
  ["a table of other types", "CREATE TABLE checkpoints (size INTEGER NOT NULL, note INTEGER NOT NULL PRIMARY KEY)"],
  ["a table of its own without a key", "CREATE TABLE checkpoints (size INTEGER NOT NULL, note TEXT NOT NULL)"],
  ["a table whose name is in upper case", "CREATE TABLE CHECKPOINTS (size INTEGER NOT NULL, note TEXT)"],
  ["a table that computes", "CREATE TABLE checkpoints (size INTEGER, note TEXT, x AS (size + 1))"],
  ["a table under the name of the index", "CREATE TABLE checkpoints_size (a)"],
  ["an index of that name on another table", "CREATE TABLE t (a); CREATE INDEX checkpoints_size ON t (a)"],
  [
    "a trigger of the log's name that does something else",
    `${EARLIER}; DROP TRIGGER checkpoints_no_delete;
    CREATE TRIGGER checkpoints_no_delete BEFORE DELETE ON checkpoints BEGIN SELECT 1; END`,
  ],
];

for (const [what, sql] of OBSTACLES) {
  Deno.test(`where a checkpoint cannot be kept as it was signed, none is signed: ${what}`, () => {
    withLog(sql, (log, path) => {
      const error = assertThrows(() => log.proofs.checkpoint(alice), FileError);
      assertMatch(error.code, /^(?:not-a-log|io)$/);
      withDatabase(path, (database) => {
        const [tables] = database.prepare("SELECT count(*) FROM sqlite_schema WHERE lower(name) = 'checkpoints'")
          .value<[number]>()!;
        if (tables > 0) assertEquals(database.prepare("SELECT * FROM checkpoints").values(), []);
      });
    });
  });
}

Deno.test("a stored checkpoint that is not what was signed is a documented error, with any row content", () => {
  const insert = (size: string, note: string) => `${EARLIER}; INSERT INTO checkpoints VALUES (${size}, ${note})`;
  const rows: [size: string, note: string][] = [
    ["1", "'x'"],
    ["1", "x'00ff'"],
    ["1", "''"],
    ["'x'", "'y'"],
    [
      "9",
      "'example.org' || char(10) || '1' || char(10) || 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' || char(10, 10)",
    ],
    ["9223372036854775807", "'x'"],
  ];
  for (const [size, text] of rows) {
    withLog(insert(size, text), (log) => {
      const [{ op }] = [...log.entries()];
      for (
        const ask of [
          () => log.proofs.checkpoints(),
          () => log.proofs.checkpoint(alice),
          () => log.proofs.prove(op.opId),
        ]
      ) {
        assertEquals(assertThrows(ask, FileError, "not what was signed").code, "corrupt");
      }
    });
  }
});
