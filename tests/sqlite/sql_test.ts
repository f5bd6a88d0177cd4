import { assertEquals } from "@std/assert";
import { type Declaration, declarationOf, isPlainIndex, isSameSql, tokensOf } from "../../src/sqlite/sql.ts";

const TABLE = "CREATE TABLE ops (seq INTEGER PRIMARY KEY, op_id TEXT NOT NULL)";
const TRIGGER = "CREATE TRIGGER no_update BEFORE UPDATE ON ops WHEN NEW.seq <> -1 " +
  "BEGIN SELECT RAISE(ABORT, 'UPDATE forbidden'); END";

Deno.test("SQL that differs only in white space, comments, keyword case or quoted names is equal", () => {
  const same = [
    "create table ops(seq integer primary key,op_id text not null)",
    "CREATE TABLE\n\tops ( seq INTEGER PRIMARY KEY,\r\n op_id TEXT NOT NULL )",
    'CREATE TABLE "ops" (`seq` INTEGER PRIMARY KEY, [op_id] TEXT NOT NULL)',
    "CREATE TABLE ops -- the operations\n (seq /* first */ INTEGER PRIMARY KEY, op_id TEXT NOT NULL) /* open",
  ];
  for (const sql of same) assertEquals(isSameSql(sql, TABLE), true, sql);
});

Deno.test("SQL with joined words, other names or other literals differs", () => {
  const others = [
    "CREATE TABLE ops (seq INTEGERPRIMARY KEY, op_id TEXT NOT NULL)",
    "CREATE TABLE ops (seq INTEGER PRIMARY KEY, op_id TEXTNOTNULL)",
    "CREATE TABLE Ops (seq INTEGER PRIMARY KEY, op_id TEXT NOT NULL)",
    "CREATE TABLE 'ops' (seq INTEGER PRIMARY KEY, op_id TEXT NOT NULL)",
    'CREATE TABLE ops (seq "INTEGER" PRIMARY KEY, op_id TEXT NOT NULL)',
    'CREATE TABLE ops ("seq INTEGER" PRIMARY KEY, op_id TEXT NOT NULL)',
    "CREATE TABLE ops (seq INTEGER PRIMARY KEY, op_id TEXT NOT NULL, more)",
    "CREATE TABLE ops (seq INTEGER PRIMARY KEY, op_id TEXT NOT NULL",
    "CREATE TABLE ops (seq INTEGER PR\u0131MARY KEY, op_id TEXT NOT NULL)",
    "CREATE TABLE ops (seq INTEGER\u00a0PRIMARY KEY, op_id TEXT NOT NULL)",
    "CREATE TABLE ops --(seq INTEGER PRIMARY KEY, op_id TEXT NOT NULL)",
    "",
  ];
  for (const sql of others) assertEquals(isSameSql(sql, TABLE), false, sql);
  const changes = [
    ["'UPDATE forbidden'", "'update forbidden'"],
    ["'UPDATE forbidden'", "'UPDATE  forbidden'"],
    ["'UPDATE forbidden'", '"UPDATE forbidden"'],
    ["<>", "< >"],
    ["<> -1", "<> - 1 - 1"],
    ["ops", "checkpoints"],
  ];
  assertEquals(isSameSql(TRIGGER.toLowerCase().replace("update forbidden", "UPDATE forbidden"), TRIGGER), true);
  for (const [from, to] of changes) assertEquals(isSameSql(TRIGGER.replace(from, to), TRIGGER), false, to);
});

Deno.test("the object and the table of a CREATE statement are parsed as SQLite parses them", () => {
  const cases: [sql: string, declared: Declaration | undefined][] = [
    [TABLE, { type: "table", name: "ops", table: "ops" }],
    [TRIGGER, { type: "trigger", name: "no_update", table: "ops" }],
    ["CREATE VIRTUAL TABLE Found USING fts5 (x)", { type: "table", name: "found", table: "found" }],
    ["CREATE/**/VIEW[a b]AS SELECT 1", { type: "view", name: "a b", table: "a b" }],
    ['CREATE UNIQUE INDEX "a""b" ON `Ops` (ts)', { type: "index", name: 'a"b', table: "ops" }],
    ["CREATE TRIGGER t INSTEAD OF UPDATE OF a, \"on\" ON main.'v' BEGIN SELECT 1; END", {
      type: "trigger",
      name: "t",
      table: "v",
    }],
    ["CREATE TRIGGER t --ON songs\nAFTER INSERT ON ops BEGIN SELECT 1; END", {
      type: "trigger",
      name: "t",
      table: "ops",
    }],
    ["CREATE TRIGGER main.t AFTER INSERT ON ops BEGIN SELECT 1; END", { type: "trigger", name: "main", table: "ops" }],
    ["CREATE TEMP TABLE x (y)", undefined],
    ["CREATE TABLE", undefined],
    ["CREATE INDEX i", undefined],
    ["DROP TABLE ops", undefined],
    ["", undefined],
  ];
  for (const [sql, declared] of cases) assertEquals(declarationOf(sql), declared, sql);
});

Deno.test("an index is plain if it has only whole columns and is neither unique nor partial", () => {
  for (const columns of ["(ts)", "(ts, author)", '("ts" DESC, author asc)']) {
    assertEquals(isPlainIndex(`CREATE INDEX i ON ops ${columns}`), true, columns);
  }
  for (const columns of ["(ts + 1)", "(hex(ts))", "(ts) WHERE ts > 1", "(ts COLLATE nocase)", "((ts))", "('ts')"]) {
    assertEquals(isPlainIndex(`CREATE INDEX i ON ops ${columns}`), false, columns);
  }
  assertEquals(isPlainIndex("CREATE UNIQUE INDEX i ON ops (ts)"), false);
});

Deno.test("a quote that is not closed is one token with all that follows, however often it is there", () => {
  for (const quote of ['"', "`", "'", "["]) {
    assertEquals([...tokensOf(`x ${quote}a b`)].map(({ kind, text }) => [kind, text]), [
      ["word", "x"],
      ["other", `${quote}a b`],
    ]);
    assertEquals(isSameSql(`${TABLE} ${quote}`, TABLE), false);
  }
  assertEquals([...tokensOf("[".repeat(1 << 20))].length, 1);
});
