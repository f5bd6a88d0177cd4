import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { FileError, formatJson, formatTree, LogError, OpLog } from "../../mod.ts";
import { openConnection } from "../../src/sqlite/open.ts";
import { BUILT_IN } from "../../src/built_in.ts";
import { openRanges } from "../../src/sync/store.ts";
import { FallPaths } from "../../src/claims/cascade.ts";
import { withDatabase, withFolder } from "../folder.ts";
import { alice, bob, note } from "../operations.ts";
import { counts } from "./projections.ts";
import { runs, sample } from "../runs.ts";
import { claimAnswers } from "../claims/scenarios.ts";

const NAMED = { origin: "example.org/log" };
const STATE = "mnema_state_counts";
const TABLES = [...BUILT_IN.flatMap(({ tables }) => Object.keys(tables)), "mnema_watermarks", STATE];

/** What a copy is changed with need not survive a power cut. */
const UNSYNCED = "PRAGMA synchronous = OFF;";

/** A log in which claims have every status, and everything derived is kept. */
function makeLog(path: string): void {
  using log = OpLog.open(path);
  for (let n = 0; n < 5; n++) log.append(note(`${n}`));
  const claim = (key: string, value: string, ...inputs: string[]) =>
    log.claims.assert(alice, { key, value, inputs }).opId;
  const seen = log.record(bob, "evidence.add", { source: "shop", kind: "receipt", content: {} }).opId;
  const tea = claim("drink", "tea", seen);
  claim("gift", "teapot", claim("shop", "tea house", tea));
  claim("meal", "breakfast", "op_" + "0".repeat(64));
  claim("pet", "cat");
  claim("pet", "dog");
  log.claims.correct(alice, "sport", "chess");
  claim("sport", "golf");
  claim("colour", "red");
  log.claims.refute(alice, "colour");
  log.claims.refute(alice, "drink", { value: "tea" });
  log.proofs.checkpoint(alice, NAMED);
  read(log).forEach(({ ask }) => ask());
}

/** Everything that reads what is derived, one by one. */
function read(log: OpLog): { what: string; ask: () => unknown }[] {
  const ops = [...log.entries()].map(({ op }) => op);
  const keys = ["drink", "gift", "shop", "meal", "pet", "sport", "colour", "none"];
  const explained = (what: string) => {
    const explanation = log.claims.explain(what);
    return [explanation, formatTree(explanation)];
  };
  const claims = ops.filter(({ type }) => type === "claim.assert" || type === "claim.correct");
  return [
    { what: "heads", ask: () => log.heads() },
    { what: "children", ask: () => ops.map(({ opId }) => log.children(opId)) },
    {
      what: "entries by time",
      ask: () => [...log.entries({ fromTs: ops[1].ts, untilTs: ops[5].ts })].map(({ seq }) => seq),
    },
    { what: "counts", ask: () => ({ ...log.stats(), bytes: 0 }) },
    { what: "ranges", ask: () => openRanges(log).read((records) => [...records.range(0, records.size)]) },
    { what: "counts of claims", ask: () => log.claims.stats() },
    { what: "claims", ask: () => [...log.claims.query()].map(formatJson) },
    { what: "claims that fell", ask: () => [...log.claims.query({ status: "invalidated" })] },
    { what: "claims by an author", ask: () => [...log.claims.query({ author: alice.author, prefix: "p" })] },
    ...keys.map((key) => ({ what: key, ask: () => [log.claims.current(key), log.claims.latest(key)] })),
    ...claims.map(({ opId }) => ({ what: `why ${opId}`, ask: () => explained(opId) })),
    { what: "a projection", ask: () => log.project(counts) },
    { what: "a replay", ask: () => log.replay(counts) },
    { what: "a proof", ask: () => log.proofs.prove(ops[2].opId) },
    { what: "the records", ask: () => openRanges(log).read((records) => [...records.range(0, records.size)]) },
    { what: "a sum of records", ask: () => openRanges(log).read((records) => records.sum(1, records.size)) },
    { what: "a consistency proof", ask: () => log.proofs.proveConsistency(log.proofs.checkpoints()[0]) },
  ];
}

/** What each reader gives. */
function answers(log: OpLog): unknown[] {
  return read(log).map(({ ask }) => ask());
}

/** A folder with a log in it, and a way to get a damaged copy. */
function withCopies(use: (damagedCopy: (sql: string) => string, expected: unknown[]) => void): void {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    makeLog(path);
    let expected: unknown[];
    {
      using log = OpLog.open(path);
      expected = answers(log);
    }
    let copies = 0;
    use((sql) => {
      const copy = `${folder}/${copies++}.db`;
      Deno.copyFileSync(path, copy);
      if (sql !== "") withDatabase(copy, (database) => database.exec(UNSYNCED + sql));
      return copy;
    }, expected);
  });
}

/** Asserts that a rebuild restores everything. */
function assertRepaired(path: string, expected: unknown[], what: string): void {
  using log = OpLog.open(path);
  log.rebuild();
  assertEquals(answers(log), expected, what);
}

const REPLACED: [what: string, sql: (table: string) => string][] = [
  ["a view", (table) => `DROP TABLE ${table}; CREATE VIEW ${table} AS SELECT 1 AS seq, 2 AS op_id, 3 AS name`],
  [
    "a view without an end",
    (table) =>
      `DROP TABLE ${table}; CREATE VIEW ${table} AS WITH RECURSIVE n (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n) ` +
      "SELECT seq, seq AS op_id FROM n",
  ],
  ["a view in upper case", (table) => `DROP TABLE ${table}; CREATE VIEW ${table.toUpperCase()} AS SELECT 1 AS seq`],
  [
    "a table with a generated column",
    (table) => `DROP TABLE ${table}; CREATE TABLE ${table} (seq INTEGER PRIMARY KEY, op_id, x AS (hex(op_id)) STORED)`,
  ],
  ["a table with a CHECK", (table) => `DROP TABLE ${table}; CREATE TABLE ${table} (seq CHECK (hex(seq) <> ''))`],
  ["a table of other columns", (table) => `DROP TABLE ${table}; CREATE TABLE ${table} (a, b)`],
  [
    "a table with a column more",
    (table) => `ALTER TABLE ${table} ADD COLUMN more INTEGER NOT NULL DEFAULT 5`,
  ],
  ["an index", (table) => `DROP TABLE ${table}; CREATE TABLE other (a); CREATE INDEX ${table} ON other (a)`],
];

for (const [what, sql] of REPLACED) {
  Deno.test(`where a derived table was, ${what} is replaced, or ignored by a readonly log`, () => {
    withCopies((damagedCopy, expected) => {
      for (const table of TABLES) {
        {
          using log = OpLog.open(damagedCopy(sql(table)), { readonly: true });
          assertEquals(answers(log), expected, table);
        }
        const path = damagedCopy(sql(table));
        {
          using log = OpLog.open(path);
          assertEquals(answers(log), expected, table);
        }
        withDatabase(path, (database) => {
          const [[type, name]] = database
            .prepare("SELECT type, name FROM sqlite_schema WHERE lower(name) = ?").values<[string, string]>(table);
          assertEquals([type, name], ["table", table]);
        });
        assertRepaired(damagedCopy(sql(table)), expected, table);
      }
    });
  });
}

Deno.test("whatever has the name of an index of a derived table is replaced by it in a rebuild", () => {
  withCopies((damagedCopy, expected) => {
    for (const index of BUILT_IN.flatMap(({ indexes = {} }) => Object.keys(indexes))) {
      const replaced = [
        `DROP INDEX ${index}`,
        `DROP INDEX ${index}; CREATE TABLE ${index} (a)`,
        `DROP INDEX ${index}; CREATE VIEW ${index} AS SELECT 1`,
        `DROP INDEX ${index}; CREATE INDEX ${index} ON ops (ts)`,
      ];
      for (const sql of replaced) {
        const path = damagedCopy(sql);
        assertRepaired(path, expected, sql);
        withDatabase(path, (database) => {
          const rows = database.prepare("SELECT type FROM sqlite_schema WHERE name = ? AND tbl_name LIKE 'mnema_%'")
            .values(index);
          assertEquals(rows, [["index"]], sql);
        });
      }
    }
  });
});

/** What no replay writes into a column, as SQL. */
const VALUES = ["NULL", "'x'", "x'00ff'", "1.5", "-1", "9223372036854775807", "rowid", "zeroblob(8193)"];

/** Damage to every column of every table. */
function damages(): string[] {
  const columns = withFolder((folder) => {
    makeLog(`${folder}/log.db`);
    return withDatabase(
      `${folder}/log.db`,
      (database) =>
        TABLES.flatMap((table) =>
          database.prepare("SELECT name FROM pragma_table_info(?)").values<[string]>(table).map((
            [name],
          ) => [table, name])
        ),
    );
  });
  return sample(columns.flatMap(([table, column]) => [
    ...VALUES.map((value) => `UPDATE OR IGNORE ${table} SET ${column} = ${value}`),
    `DELETE FROM ${table} WHERE ${column} = (SELECT max(${column}) FROM ${table})`,
  ]));
}

/** Damage that this SQLite lets somebody do. */
function isPossible(path: string, sql: string): boolean {
  return withDatabase(path, (database) => {
    try {
      database.exec(UNSYNCED);
      return database.exec(sql) > 0;
    } catch {
      return false; // not in this column
    }
  });
}

Deno.test("whatever is in a derived table, each reader gives an answer or a documented error", () => {
  withCopies((damagedCopy, expected) => {
    let [tried, refused] = [0, 0];
    for (const sql of damages()) {
      const path = damagedCopy("");
      if (!isPossible(path, sql)) continue;
      const readonly = tried++ % 2 === 0;
      {
        using log = OpLog.open(path, { readonly, durability: "normal" });
        const changes = [
          { what: "a refute", ask: () => log.claims.refute(alice, "shop", { ts: 5 }) },
          { what: "a claim", ask: () => log.claims.assert(alice, { key: "drink", value: "tea", ts: 5 }) },
          { what: "a checkpoint", ask: () => log.proofs.checkpoint(alice, NAMED) },
        ];
        for (const { what, ask } of [...read(log), ...readonly ? [] : changes]) {
          try {
            ask();
          } catch (error) {
            assert(error instanceof LogError, `${sql}: ${what}: ${Deno.inspect(error)}`);
            if (error.code === "derived-damaged") refused++;
          }
        }
      }
      if (readonly && tried % 8 === 1) assertRepaired(path, expected, sql);
    }
    assert(
      tried > Math.min(100, runs(100)) && refused > Math.min(100, runs(100)),
      `${tried} tried, ${refused} refused`,
    );
  });
});

const SEQ = (key: string) =>
  `(SELECT seq FROM mnema_claims JOIN mnema_values AS v ON v.id = mnema_claims.value JOIN mnema_keys AS k ON k.id = v.key
    WHERE k.key = '${key}')`;

Deno.test("claims that fell with each other, or with themselves, are damage, and not followed for ever", () => {
  const via = (key: string, other: string) =>
    `UPDATE mnema_claims SET support = 2, via = ${SEQ(other)} WHERE seq = ${SEQ(key)};`;
  withCopies((damagedCopy, expected) => {
    const cycles = [
      via("shop", "shop"),
      via("shop", "gift"),
      via("gift", "meal") + via("meal", "shop") + via("shop", "gift"),
    ];
    for (const sql of cycles) {
      const path = damagedCopy(sql);
      for (const readonly of [true, false]) {
        using log = OpLog.open(path, { readonly });
        const asks = [() => log.claims.explain("gift"), () => [...log.claims.query()], () => log.claims.latest("shop")];
        for (const ask of asks) {
          const error = assertThrows(ask, FileError);
          assertEquals([error.code, error.path], ["derived-damaged", path]);
          assertStringIncludes(error.message, "rebuild it with log.rebuild()");
        }
      }
      const connection = openConnection(path, { readonly: true, create: false, busyTimeoutMs: 0 });
      const [shop] = connection.query(`SELECT ${SEQ("shop")}`).value<[number]>()!;
      const all = connection.query("SELECT seq FROM mnema_claims").values<[number]>().flat();
      const paths = new FallPaths(connection, all);
      assertEquals(assertThrows(() => paths.to(shop), FileError).code, "derived-damaged");
      connection.close();
      assertRepaired(path, expected, sql);
    }
  });
});

Deno.test("claims that were derived from each other are damage when a change goes round among them", () => {
  const edges = (...pairs: [string, string][]) =>
    pairs.map(([from, to]) => `INSERT OR IGNORE INTO mnema_edges VALUES (${SEQ(from)}, ${SEQ(to)});`).join("");
  const sound = "UPDATE mnema_claims SET support = 0, via = NULL, missing = 0;" +
    "UPDATE mnema_values SET standing = 0, cause = NULL; DELETE FROM mnema_rules;";
  withCopies((damagedCopy) => {
    const rings = [
      edges(["shop", "gift"], ["gift", "shop"]),
      edges(["shop", "gift"], ["gift", "meal"], ["meal", "shop"]),
      edges(["shop", "shop"]),
    ];
    const one = `UPDATE mnema_claims SET missing = 1, support = 1 WHERE seq = ${SEQ("gift")};`;
    for (const sql of rings.flatMap((ring) => [sound + ring, ring, sound + ring + one])) {
      const path = damagedCopy(sql);
      using log = OpLog.open(path);
      for (const key of ["shop", "gift", "meal"]) {
        for (const act of [() => log.claims.refute(alice, key), () => log.claims.correct(alice, key, "x")]) {
          try {
            act();
          } catch (error) {
            assert(error instanceof FileError && error.code === "derived-damaged", Deno.inspect(error));
          }
        }
      }
      log.rebuild();
      using fresh = OpLog.open();
      fresh.appendAll(log.entries().map(({ op }) => op));
      assertEquals(claimAnswers(log), claimAnswers(fresh), sql);
    }
  });
});

Deno.test("a checkpoint is not signed of fewer or more operations than there are", () => {
  const tiles = (change: string) => `UPDATE mnema_tiles SET hashes = ${change}`;
  const damages = [
    "DELETE FROM mnema_tiles",
    tiles("substr(hashes, 1, 32)"),
    tiles("substr(hashes, 1, length(hashes) - 32)"),
    tiles("hashes || substr(hashes, 1, 32)"),
    tiles("substr(hashes, 1, 40)"),
    tiles("'text'"),
  ];
  withCopies((damagedCopy) => {
    for (const sql of damages) {
      using log = OpLog.open(damagedCopy(sql));
      const before = log.proofs.checkpoints();
      assertEquals(
        assertThrows(() => log.proofs.checkpoint(alice, NAMED), FileError, "rebuild").code,
        "derived-damaged",
        sql,
      );
      assertEquals(log.proofs.checkpoints(), before);
      log.rebuild();
      log.proofs.checkpoint(alice, NAMED);
    }
  });
});

Deno.test("a kept state that is not one text of JSON is damage, and so is one that is gone", () => {
  const damages = [
    `DELETE FROM ${STATE}`,
    `INSERT INTO ${STATE} VALUES ('{}')`,
    ...["'x'", "''", "x'00'"].map((state) => `UPDATE ${STATE} SET state = ${state}`),
  ];
  withCopies((damagedCopy, expected) => {
    for (const damage of damages) {
      const path = damagedCopy(damage);
      {
        using log = OpLog.open(path);
        assertEquals(assertThrows(() => log.project(counts), FileError).code, "derived-damaged");
        log.record(alice, "note", {});
        assertEquals(assertThrows(() => log.project(counts), FileError).code, "derived-damaged");
        assertEquals(log.project(counts, { rebuild: true }).note, 6);
        assertEquals(log.project(counts).note, 6);
      }
      assertRepaired(damagedCopy(damage), expected, damage);
    }
  });
});

Deno.test("a watermark that is not the seq of an operation has its projection rebuilt", () => {
  withCopies((damagedCopy, expected) => {
    for (const value of ["'x'", "x'00'", "-1", "1.5", "9223372036854775807", "1e300", "''"]) {
      for (const column of ["seq", "version"]) {
        const path = damagedCopy(`UPDATE mnema_watermarks SET ${column} = ${value}`);
        for (const readonly of [true, false]) {
          using log = OpLog.open(path, { readonly });
          assertEquals(answers(log), expected, value);
        }
      }
    }
  });
});
