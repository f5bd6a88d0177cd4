import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { FileError, OpLog } from "../../mod.ts";
import { contentsOf, withDatabase, withFolder } from "../folder.ts";
import { note } from "../operations.ts";
import { works } from "../processes.ts";

const COLUMNS = "op_id, type, author, ts, wire";
const VALUES = "'new', 'note', 'author', 1, '{}'";
const SCHEMA = "SELECT type, name, sql FROM sqlite_schema WHERE name LIKE '%ops%' ORDER BY name";
const TRIGGERS = ["ops_no_update", "ops_no_delete", "ops_no_replace"];

/** A log of `seq` 1 to 5 and 11 to 13. */
function withLog(use: (path: string) => void): void {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    append(path, 5);
    withDatabase(path, (database) => database.exec("UPDATE sqlite_sequence SET seq = 10 WHERE name = 'ops'"));
    append(path, 3);
    use(path);
  });
}

function append(path: string, count: number): void {
  using log = OpLog.open(path);
  const before = log.size;
  for (let n = 0; n < count; n++) log.append(note(`${before + n}`, log.heads()));
}

function rowsOf(path: string): unknown[] {
  return withDatabase(path, (database) => database.prepare("SELECT * FROM ops ORDER BY seq").values());
}

/** Every way to change what is in the log, or to put something where it does not belong. */
function attempts(opId: string): string[] {
  const columns = ["seq", "op_id", "type", "author", "ts", "wire"];
  const replacing = `'${opId}', 'note', 'author', 1, '{}'`;
  return [
    ...columns.map((column) => `UPDATE ops SET ${column} = ${column} || '0' WHERE seq = 2`),
    ...columns.map((column) => `UPDATE OR REPLACE ops SET ${column} = (SELECT ${column} FROM ops WHERE seq = 1)`),
    "UPDATE ops SET rowid = 6 WHERE seq = 5",
    "DELETE FROM ops",
    "DELETE FROM ops WHERE seq = 13",
    `INSERT OR REPLACE INTO ops (${COLUMNS}) VALUES (${replacing})`,
    `INSERT OR REPLACE INTO ops (${COLUMNS}) VALUES (${VALUES}), (${replacing})`,
    `INSERT OR REPLACE INTO ops (${COLUMNS}) SELECT ${COLUMNS} FROM ops`,
    `INSERT OR REPLACE INTO ops (seq, ${COLUMNS}) VALUES (2, ${VALUES})`,
    `INSERT OR REPLACE INTO ops (rowid, ${COLUMNS}) VALUES (2, ${VALUES})`,
    `REPLACE INTO ops (${COLUMNS}) VALUES (${replacing})`,
    `REPLACE INTO ops (seq, ${COLUMNS}) VALUES (13, ${VALUES})`,
    `INSERT INTO ops (${COLUMNS}) VALUES (${replacing}) ON CONFLICT (op_id) DO UPDATE SET wire = '{}'`,
    `INSERT INTO ops (seq, ${COLUMNS}) VALUES (2, ${VALUES}) ON CONFLICT (seq) DO UPDATE SET wire = '{}'`,
    ...["1", "7", "14", "1000", "0", "-2", "-1000", "'7'", "7.0"].map((seq) =>
      `INSERT INTO ops (seq, ${COLUMNS}) VALUES (${seq}, ${VALUES})`
    ),
  ];
}

Deno.test("the file refuses every change of its rows, from any program", () => {
  withLog((path) => {
    const before = rowsOf(path);
    withDatabase(path, (database) => {
      for (const sql of attempts(note("1", [note("0").opId]).opId)) {
        assertThrows(() => database.exec(sql), Error, "append-only", sql);
        assertEquals(rowsOf(path), before, sql);
      }
    });
  });
});

Deno.test({
  name: "the sqlite3 shell is refused as well",
  ignore: !works("sqlite3", "--version"),
  fn() {
    withLog((path) => {
      const before = rowsOf(path);
      for (const sql of attempts(note("1", [note("0").opId]).opId)) {
        const { success, stderr } = new Deno.Command("sqlite3", { args: [path, sql] }).outputSync();
        assertStringIncludes(new TextDecoder().decode(stderr), "append-only", sql);
        assertEquals(success, false, sql);
      }
      assertEquals(rowsOf(path), before);
    });
  },
});

Deno.test("another implementation that inserts without a seq gets the next one", () => {
  withLog((path) => {
    const [theirs, withNull] = [note("theirs"), note("with a seq of NULL")];
    withDatabase(path, (database) => {
      const insert = (columns: string, values: string, { opId, type, author, ts, wire }: typeof theirs) =>
        database.prepare(`INSERT INTO ops (${columns}) VALUES (${values}) RETURNING seq`)
          .value(opId, type, author, ts, wire);
      assertEquals(insert(COLUMNS, "?, ?, ?, ?, ?", theirs), [14]);
      assertEquals(insert(`seq, ${COLUMNS}`, "NULL, ?, ?, ?, ?, ?", withNull), [15]);
    });
    using log = OpLog.open(path);
    log.get(theirs.opId).verify();
    assertEquals(log.append(note("ours", [theirs.opId])), 16);
    assertEquals([...log.entries()].map(({ seq }) => seq), [1, 2, 3, 4, 5, 11, 12, 13, 14, 15, 16]);
  });
});

Deno.test("what the log lacks is put back when it is opened for writing, and only then", () => {
  withLog((path) => {
    const schema = () => withDatabase(path, (database) => database.prepare(SCHEMA).values());
    const whole = schema();
    for (const drop of [...TRIGGERS.map((name) => `TRIGGER ${name}`), "INDEX idx_ops_type", "INDEX idx_ops_author"]) {
      withDatabase(path, (database) => database.exec(`DROP ${drop}`));
      const lacking = schema();
      OpLog.open(path, { readonly: true }).close();
      assertEquals(schema(), lacking, drop);
      OpLog.open(path).close();
      assertEquals(schema(), whole, drop);
    }
  });
});

Deno.test("a file with a trigger of another text is no log, and stays as it is", () => {
  for (const name of TRIGGERS) {
    withFolder((folder) => {
      const path = `${folder}/log.db`;
      append(path, 3);
      withDatabase(path, (database) => {
        database.exec(`DROP TRIGGER ${name}; CREATE TRIGGER ${name} BEFORE UPDATE ON ops BEGIN SELECT 1; END`);
      });
      const before = contentsOf(folder);
      for (const readonly of [false, true]) {
        const error = assertThrows(() => OpLog.open(path, { readonly }), FileError);
        assertEquals([error.code, error.path], ["not-a-log", path]);
      }
      assertEquals(contentsOf(folder), before);
    });
  }
});

Deno.test("a foreign trigger that keeps rows out is noticed: nothing is said to be appended that is not", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    using log = OpLog.open(path); // which refuses a file that has such a trigger before
    withDatabase(path, (db) => {
      db.exec("CREATE TRIGGER thief BEFORE INSERT ON ops WHEN NEW.type = 'note' BEGIN SELECT RAISE(IGNORE); END");
    });
    assertEquals(assertThrows(() => log.append(note("a")), FileError).code, "not-a-log");
    const error = await assertRejects(() => log.ingest([note("a").wire, note("b").wire]), FileError);
    assertEquals([error.code, log.size], ["not-a-log", 0]);
  });
});

Deno.test("where a foreign trigger keeps one row out, those that follow it are not committed either", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    using log = OpLog.open(path);
    withDatabase(path, (db) => {
      db.exec(
        "CREATE TRIGGER thief BEFORE INSERT ON ops WHEN NEW.wire LIKE '%kept out%' BEGIN SELECT RAISE(IGNORE); END",
      );
    });
    const first = note("kept out");
    const error = await assertRejects(() => log.ingest([first.wire, note("b", [first.opId]).wire]), FileError);
    assertEquals([error.code, log.size], ["not-a-log", 0]);
  });
});
