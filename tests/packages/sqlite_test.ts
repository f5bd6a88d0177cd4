// The behaviour of @db/sqlite that this project relies on, quirks included. The
// tests hold for the real package and for the substitute in offline/.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Database, type DatabaseOpenOptions, SqliteError, type Statement } from "@db/sqlite";

function inMemory(
  run: (db: Database) => void,
  options: DatabaseOpenOptions = {},
): void {
  const db = new Database(":memory:", options);
  try {
    run(db);
  } finally {
    db.close();
  }
}

/** Two connections to one database in WAL mode, with three rows in `item`. */
async function onFile(
  run: (one: Database, other: Database) => void,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const one = new Database(`${folder}/test.db`);
  const other = new Database(`${folder}/test.db`);
  try {
    one.exec("PRAGMA journal_mode = WAL");
    one.exec("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE)");
    one.exec("INSERT INTO item VALUES (1, 'a'), (2, 'b'), (3, 'c')");
    run(one, other);
  } finally {
    one.close();
    other.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Asserts that `fn` throws a plain `Error` without a code. */
function assertPlainError(fn: () => unknown, message: string): void {
  const error = assertThrows(fn, Error);
  assertEquals(error.message, message);
  assertEquals(error.constructor, Error);
  assert(!("code" in error));
}

function first(db: Database, sql: string): unknown {
  return db.prepare(sql).value<unknown[]>()?.[0];
}

function itemIds(db: Database): unknown[] {
  return db.prepare("SELECT id FROM item ORDER BY id").values().flat();
}

/** Whether a checkpoint moved the whole WAL, which no reader prevented. */
function checkpoints(db: Database): boolean {
  return first(db, "PRAGMA wal_checkpoint(TRUNCATE)") === 0;
}

// Reading

Deno.test("without int64, integers are cut to 32 bits", () => {
  inMemory((db) => {
    assertEquals(first(db, "SELECT 2147483647"), 2147483647);
    assertEquals(first(db, "SELECT 2147483648"), -2147483648);
    assertEquals(first(db, "SELECT 1722222222222"), 1722222222222 | 0);
  });
});

Deno.test("with int64, safe integers are numbers and larger ones bigints", () => {
  inMemory((db) => {
    assertEquals(first(db, "SELECT 1722222222222"), 1722222222222);
    assertEquals(first(db, "SELECT 9007199254740991"), 9007199254740991);
    assertEquals(first(db, "SELECT -9007199254740991"), -9007199254740991);
    assertEquals(first(db, "SELECT 9007199254740992"), 9007199254740992n);
    assertEquals(first(db, "SELECT -9007199254740992"), -9007199254740992n);
    assertEquals(first(db, "SELECT 9223372036854775807"), 2n ** 63n - 1n);
  }, { int64: true });
});

Deno.test("each SQLite type is read as its JavaScript type", () => {
  inMemory((db) => {
    assertEquals(
      db.prepare("SELECT 1, 1.5, 'text', x'00ff', NULL, '', x''").value(),
      [1, 1.5, "text", new Uint8Array([0, 255]), null, "", new Uint8Array()],
    );
  });
});

Deno.test("text with a NUL is stored whole and read up to the NUL", () => {
  inMemory((db) => {
    assertEquals(
      db.prepare("SELECT ?1, length(CAST(?1 AS BLOB))").value("a\0b"),
      ["a", 3],
    );
  });
});

Deno.test("text of any length and script is read as it was bound", () => {
  inMemory((db) => {
    const echo = db.prepare("SELECT ?");
    for (const text of ["", "é", "日本", "😀".repeat(30_000), "x", "y\n"]) {
      assertEquals(echo.value(text), [text]);
    }
  });
});

Deno.test("JSON from SQLite's own functions is parsed unless parseJson is false", () => {
  const sql = "SELECT json_group_array(value) FROM json_each('[1,2]')";
  inMemory((db) => assertEquals(first(db, sql), [1, 2]));
  inMemory((db) => assertEquals(first(db, sql), "[1,2]"), { parseJson: false });
});

Deno.test("text that only looks like JSON is not parsed", () => {
  inMemory((db) => {
    assertEquals(first(db, `SELECT '{"a":1}'`), '{"a":1}');
    assertEquals(first(db, `SELECT '[{"a":1}]' ->> '$[0].a'`), 1);
  });
});

Deno.test("get and all return objects, value and values return arrays", () => {
  inMemory((db) => {
    const two = db.prepare("SELECT value AS n, 'x' AS x FROM json_each(?)");
    assertEquals(two.get("[7,8]"), { n: 7, x: "x" });
    assertEquals(two.value("[7,8]"), [7, "x"]);
    assertEquals(two.all("[7,8]"), [{ n: 7, x: "x" }, { n: 8, x: "x" }]);
    assertEquals(two.values("[7,8]"), [[7, "x"], [8, "x"]]);
    assertEquals([...two.iter("[7,8]")], two.all("[7,8]"));
    assertEquals(two.get("[]"), undefined);
    assertEquals(two.value("[]"), undefined);
    assertEquals(two.all("[]"), []);
    assertEquals(two.values("[]"), []);
  });
});

Deno.test("each get without parameters returns a new object", () => {
  inMemory((db) => {
    const statement = db.prepare("SELECT 1 AS n");
    const row = statement.get<{ n: number }>();
    assert(row !== statement.get());
  });
});

// Parameters

Deno.test("parameters are the arguments, an array of them, or an object by name", () => {
  inMemory((db) => {
    const sql = db.prepare("SELECT :a, :b");
    assertEquals(sql.value(1, "x"), [1, "x"]);
    assertEquals(sql.value([1, "x"]), [1, "x"]);
    assertEquals(sql.value({ b: "x", a: 1 }), [1, "x"]);
    assertEquals(sql.value({ ":b": "x", ":a": 1 }), [1, "x"]);
  });
});

Deno.test("an array or object after the first argument is bound as its JSON text", () => {
  inMemory((db) => {
    assertEquals(
      db.prepare("SELECT ?, ?, ?").value(1, [2, 3], { a: "é" }),
      [1, "[2,3]", '{"a":"é"}'],
    );
    assertEquals(db.prepare("SELECT ?").value([{ a: 1 }]), ['{"a":1}']);
  });
});

Deno.test("parameters that are not given are NULL, not those of the last call", () => {
  inMemory((db) => {
    const sql = db.prepare("SELECT :a, :b");
    assertEquals(sql.value(1, "x"), [1, "x"]);
    assertEquals(sql.value(2), [2, null]);
    assertEquals(sql.value(3, "y"), [3, "y"]);
    assertEquals(sql.value({ b: "z" }), [null, "z"]);
    assertEquals(sql.value(undefined, null), [null, null]);
    assertEquals(sql.value(), [null, null]);
  });
});

Deno.test("parameters the statement does not have are refused", () => {
  inMemory((db) => {
    const sql = db.prepare("SELECT :a");
    assertPlainError(() => sql.value({ b: 1 }), 'No such parameter "b"');
    const error = assertThrows(() => sql.value(1, 2), SqliteError);
    assertEquals(error.code, 25);
  });
});

Deno.test("numbers are bound as integers where they are whole", () => {
  inMemory((db) => {
    const sql = db.prepare("SELECT typeof(?1), ?1");
    assertEquals(sql.value(1), ["integer", 1]);
    assertEquals(sql.value(-(2 ** 31)), ["integer", -(2 ** 31)]);
    assertEquals(sql.value(2 ** 31), ["integer", 2 ** 31]);
    assertEquals(sql.value(1722222222222), ["integer", 1722222222222]);
    assertEquals(sql.value(1.5), ["real", 1.5]);
    assertEquals(sql.value(NaN), ["null", null]);
    assertEquals(sql.value(2n ** 62n), ["integer", 2n ** 62n]);
  }, { int64: true });
});

Deno.test("other values are bound as their SQLite equivalents", () => {
  inMemory((db) => {
    const sql = db.prepare("SELECT typeof(?1), ?1");
    assertEquals(sql.value(true), ["integer", 1]);
    assertEquals(sql.value(false), ["integer", 0]);
    assertEquals(sql.value(null), ["null", null]);
    assertEquals(sql.value(undefined), ["null", null]);
    assertEquals(
      sql.value(new Date(0)),
      ["text", "1970-01-01T00:00:00.000Z"],
    );
    const bytes = new Uint8Array([1, 2, 3, 4]);
    assertEquals(sql.value(bytes), ["blob", bytes]);
    assertEquals(sql.value(bytes.subarray(1, 3)), ["blob", bytes.slice(1, 3)]);
  });
});

Deno.test("empty text and an empty blob stay empty, and are not NULL", () => {
  inMemory((db) => {
    const sql = db.prepare("SELECT typeof(?1), ?1");
    assertEquals(sql.value(""), ["text", ""]);
    assertEquals(sql.value(new Uint8Array()), ["blob", new Uint8Array()]);
  });
});

// Writing

Deno.test("exec runs several statements and counts the last one's changes", () => {
  inMemory((db) => {
    db.exec("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT)");
    assertEquals(
      db.exec(
        "INSERT INTO item VALUES (1, 'a'); DELETE FROM item WHERE id > 1",
      ),
      0,
    );
    assertEquals(db.exec("INSERT INTO item VALUES (?, ?)", 2, "b"), 1);
    assertEquals(db.prepare("UPDATE item SET name = ?").run("c"), 2);
    assertEquals(db.changes, 2);
    assertEquals(db.totalChanges, 4);
  });
});

Deno.test("value and get return the new row of RETURNING", () => {
  inMemory((db) => {
    db.exec("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT)");
    const insert = db.prepare(
      "INSERT INTO item (id, name) VALUES (?, ?) RETURNING id, name",
    );
    assertEquals(insert.value(2 ** 40, "a"), [2 ** 40, "a"]);
    assertEquals(insert.get(null, "b"), { id: 2 ** 40 + 1, name: "b" });
    assertEquals(first(db, "SELECT count(*) FROM item"), 2);
  }, { int64: true });
});

Deno.test("values throws when the commit after RETURNING fails, value does not", () => {
  inMemory((db) => {
    db.exec(`
      PRAGMA foreign_keys = ON;
      CREATE TABLE parent (id INTEGER PRIMARY KEY);
      CREATE TABLE child (
        id INTEGER PRIMARY KEY,
        parent INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED
      );
    `);
    const insert = db.prepare("INSERT INTO child VALUES (1, 2) RETURNING id");
    assertPlainError(() => insert.values(), "FOREIGN KEY constraint failed");
    assertEquals(insert.value(), [1]);
    assertEquals(first(db, "SELECT count(*) FROM child"), 0);
  });
});

Deno.test("lastInsertRowId is cut to 32 bits", () => {
  inMemory((db) => {
    db.exec("CREATE TABLE item (id INTEGER PRIMARY KEY)");
    db.exec("INSERT INTO item VALUES (7)");
    assertEquals(db.lastInsertRowId, 7);
    db.exec("INSERT INTO item VALUES (?)", 2 ** 32 + 5);
    assertEquals(db.lastInsertRowId, 5);
  }, { int64: true });
});

// Errors

Deno.test("a failing statement throws a plain Error with SQLite's message", () => {
  inMemory((db) => {
    db.exec(`
      CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
      CREATE TRIGGER item_kept BEFORE DELETE ON item
        BEGIN SELECT RAISE(ABORT, 'items are kept'); END;
      INSERT INTO item VALUES (1, 'a');
    `);
    const insert = db.prepare("INSERT INTO item VALUES (?, ?)");
    const unique = "UNIQUE constraint failed: item.name";
    assertPlainError(() => insert.run(2, "a"), unique);
    assertPlainError(() => insert.value(2, "a"), unique);
    assertPlainError(
      () => db.exec("INSERT INTO item VALUES (2, 'a')"),
      unique,
    );
    assertPlainError(() => db.exec("DELETE FROM item"), "items are kept");
    assertPlainError(
      () => db.prepare("DELETE FROM item WHERE id = ?").run(1),
      "items are kept",
    );
    assertPlainError(() => db.prepare("SELEC"), 'near "SELEC": syntax error');
    assertPlainError(
      () => db.prepare("SELECT * FROM none"),
      "no such table: none",
    );
  });
});

Deno.test("a lock another connection holds throws a plain Error", async () => {
  await onFile((one, other) => {
    other.exec("BEGIN IMMEDIATE");
    assertPlainError(
      () => one.exec("INSERT INTO item VALUES (4, 'd')"),
      "database is locked",
    );
    const begin = one.transaction(() => {});
    assertPlainError(() => begin.immediate(), "database is locked");
  });
});

Deno.test("a file that is not a database opens, and its first statement throws", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/test.db`, "not a database ".repeat(99));
    const db = new Database(`${folder}/test.db`);
    const message = "file is not a database";
    assertPlainError(() => db.exec("PRAGMA journal_mode = WAL"), message);
    assertPlainError(() => db.prepare("SELECT * FROM item"), message);
    db.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a file that cannot be opened throws SqliteError 14", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const options of [{ create: false }, { readonly: true }]) {
      const error = assertThrows(
        () => new Database(`${folder}/none.db`, options),
        SqliteError,
      );
      assertEquals(error.code, 14);
      assertEquals(error.message, "14: unable to open database file");
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// Statements that are not reset

Deno.test("iter that ends early holds its read transaction until the statement's next use", async () => {
  await onFile((one, other) => {
    const statement = one.prepare("SELECT id FROM item");
    for (const _ of statement.iter()) break;
    other.exec("INSERT INTO item VALUES (4, 'd')");
    assert(!checkpoints(other));
    assertEquals(itemIds(one), [1, 2, 3], "a snapshot from before the insert");
    statement.run();
    assert(checkpoints(other));
    assertEquals(itemIds(one), [1, 2, 3, 4]);
  });
});

Deno.test("iter that is read to its end, and every other method, holds no transaction", async () => {
  await onFile((one, other) => {
    const statement = one.prepare("SELECT id FROM item WHERE id < ?");
    assertEquals([...statement.iter(9)].length, 3);
    assert(checkpoints(other));
    for (const id of [0, 9]) {
      statement.run(id);
      assert(checkpoints(other));
      statement.get(id);
      assert(checkpoints(other));
      statement.value(id);
      assert(checkpoints(other));
      statement.all(id);
      assert(checkpoints(other));
      statement.values(id);
      assert(checkpoints(other));
    }
  });
});

Deno.test("after `database is locked` nothing commits until the statement's next use", async () => {
  await onFile((one, other) => {
    const insert = one.prepare("INSERT INTO item VALUES (?, ?)");
    other.exec("BEGIN IMMEDIATE");
    assertThrows(() => insert.run(4, "d"), Error, "database is locked");
    other.exec("ROLLBACK");

    one.exec("INSERT INTO item VALUES (5, 'e')");
    assertEquals(itemIds(one), [1, 2, 3, 5]);
    assertEquals(itemIds(other), [1, 2, 3], "inserted, but not committed");
    assertThrows(
      () => one.exec("BEGIN; COMMIT"),
      Error,
      "cannot commit transaction - SQL statements in progress",
    );
    one.exec("ROLLBACK");

    insert.run(4, "d");
    one.exec("INSERT INTO item VALUES (6, 'f')");
    assertEquals(itemIds(other), [1, 2, 3, 4, 6], "the one between is lost");
  });
});

Deno.test("after `database is locked` at its begin, a transaction blocks only others", async () => {
  await onFile((one, other) => {
    const insert = one.prepare("INSERT INTO item (name) VALUES (?)");
    const add = one.transaction((name: string) => insert.run(name));
    other.exec("BEGIN IMMEDIATE");
    assertThrows(() => add.immediate("d"), Error, "database is locked");
    other.exec("ROLLBACK");
    assertThrows(() => add.deferred("e"), Error, "cannot commit");
    add.immediate("f");
    add.deferred("g");
    assertEquals(
      first(other, "SELECT group_concat(name, '') FROM item"),
      "abcfg",
    );
  });
});

Deno.test("a statement whose last use threw throws again when finalized", () => {
  inMemory((db) => {
    db.exec("CREATE TABLE item (id INTEGER PRIMARY KEY)");
    const insert: Statement = db.prepare("INSERT INTO item VALUES (1)");
    insert.run();
    assertThrows(() => insert.run(), Error, "UNIQUE constraint failed");
    const error = assertThrows(() => insert.finalize(), SqliteError);
    assertEquals(error.code, 19);
    insert.finalize();
  });
});

// Transactions

Deno.test("a transaction commits when its function returns and rolls back when it throws", async () => {
  await onFile((one, other) => {
    const insert = one.prepare("INSERT INTO item (id) VALUES (?) RETURNING id");
    const add = one.transaction((id: number, fail: boolean) => {
      assert(one.inTransaction && !one.autocommit);
      const added = insert.value<[number]>(id);
      if (fail) throw new RangeError("no");
      return added;
    });
    assertEquals(add(4, false), [4]);
    assertEquals(add.deferred(5, false), [5]);
    assertEquals(add.immediate(6, false), [6]);
    assertEquals(add.exclusive(7, false), [7]);
    assertThrows(() => add.immediate(8, true), RangeError, "no");
    assert(!one.inTransaction && one.autocommit);
    assertEquals(itemIds(other), [1, 2, 3, 4, 5, 6, 7]);
  });
});

Deno.test("a transaction within a transaction is a savepoint of it", async () => {
  await onFile((one, other) => {
    const insert = one.prepare("INSERT INTO item (id) VALUES (?)");
    const inner = one.transaction((id: number, fail: boolean) => {
      insert.run(id);
      if (fail) throw new RangeError("no");
    });
    const outer = one.transaction(() => {
      insert.run(4);
      inner.immediate(5, false);
      assertThrows(() => inner.immediate(6, true), RangeError, "no");
      assert(one.inTransaction);
      assertEquals(itemIds(other), [1, 2, 3], "nothing is committed yet");
      insert.run(7);
    });
    outer.immediate();
    assertEquals(itemIds(other), [1, 2, 3, 4, 5, 7]);
  });
});

Deno.test("immediate takes the write lock at once, deferred at the first write", async () => {
  await onFile((one, other) => {
    const insert = other.prepare("INSERT INTO item (id) VALUES (?)");
    const run = one.transaction((fn: () => void) => fn());
    run.deferred(() => void insert.run(4));
    run.immediate(() => {
      assertThrows(() => insert.run(5), Error, "database is locked");
    });
  });
});

// Opening and closing

Deno.test("a database opens by path and by file URL", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/a b.db`;
    const db = new Database(path);
    assertEquals(db.path, path);
    db.exec("CREATE TABLE item (id INTEGER PRIMARY KEY)");
    db.close();
    const url = new URL("file://");
    url.pathname = path;
    const again = new Database(url, { create: false });
    assertEquals(itemIds(again), []);
    again.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a database opened readonly refuses to write", async () => {
  await onFile((one) => {
    const db = new Database(one.path, { readonly: true });
    assertEquals(itemIds(db), [1, 2, 3]);
    assertPlainError(
      () => db.exec("DELETE FROM item"),
      "attempt to write a readonly database",
    );
    db.close();
  });
});

Deno.test("close finalizes every statement and may be called twice", async () => {
  await onFile((one, other) => {
    const left = one.prepare("SELECT id FROM item");
    for (const _ of left.iter()) break;
    one.prepare("SELECT 1");
    other.exec("INSERT INTO item VALUES (4, 'd')");
    assert(one.open);
    one.close();
    assert(!one.open);
    assert(!one.inTransaction);
    one.close();
    left.finalize();
    assert(checkpoints(other), "the read transaction went with it");
  });
});

Deno.test("a statement may be finalized twice, and using finalizes it", async () => {
  await onFile((one, other) => {
    const statement = one.prepare("SELECT id FROM item");
    statement.finalize();
    statement.finalize();
    {
      using left = one.prepare("SELECT id FROM item");
      for (const _ of left) break;
      other.exec("INSERT INTO item VALUES (4, 'd')");
      assert(!checkpoints(other));
    }
    assert(checkpoints(other));
  });
});

Deno.test("SQL that is not ASCII is prepared whole", () => {
  inMemory((db) => {
    assertEquals(db.prepare("SELECT '日本', 'é' AS ü").value(), ["日本", "é"]);
  });
});
