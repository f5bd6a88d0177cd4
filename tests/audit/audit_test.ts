import { assert, assertEquals, assertRejects } from "@std/assert";
import { FileError, LogError, Operation, OpLog } from "../../mod.ts";
import { audit, type AuditReport, type FindingKind } from "../../src/audit/audit.ts";
import { BUILT_IN } from "../../src/built_in.ts";
import { contentsOf, withDatabase, withFolder } from "../folder.ts";
import { alice, forged, missigned, note } from "../operations.ts";
import { bound, canBeBound } from "../processes.ts";
import {
  behindTriggers,
  chain,
  editBytes,
  indexOf,
  insertAt,
  makeFile,
  noteAfter,
  rewriteSchema,
  seeded,
} from "./tamper.ts";

const ops = chain(60);
const PAGE = 4096;

/** Runs `use` with the path of a log of sixty operations, on which everything is derived that can be. */
async function withFile(use: (path: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    makeFile(path, ops);
    await use(path);
  });
}

/** The kinds of what is found, with the `seq` of each. */
function found({ findings }: AuditReport): [kind: FindingKind, seq?: number][] {
  return findings.map(({ kind, seq }) => seq === undefined ? [kind] : [kind, seq]);
}

/** Which kinds are found. */
function kinds({ findings }: AuditReport): FindingKind[] {
  return [...new Set(findings.map(({ kind }) => kind))];
}

const row = (seq: number) => ops[seq - 1];

Deno.test("nothing is found in a log that is as it should be", async () => {
  await withFile(async (path) => {
    assertEquals(await audit(path), { operations: 60, found: 0, findings: [], unchecked: [], clean: true });
    const more = chain(70).slice(60);
    OpLog.open(path)[Symbol.dispose]();
    using log = OpLog.open(path);
    log.appendAll(more); // the claims are behind
    assertEquals(await audit(path), { operations: 70, found: 0, findings: [], unchecked: [], clean: true });
  });
});

Deno.test("nothing is found in an empty log, and in one whose derived tables are gone", async () => {
  await withFolder(async (folder) => {
    OpLog.open(`${folder}/empty.db`).close();
    assertEquals(found(await audit(`${folder}/empty.db`)), []);
    makeFile(`${folder}/log.db`, ops);
    withDatabase(
      `${folder}/log.db`,
      (database) => database.exec("DROP TABLE mnema_watermarks; DROP TABLE mnema_depths"),
    );
    assertEquals(found(await audit(`${folder}/log.db`)), []);
  });
});

Deno.test("what is derived is as it should be, however it was brought up", async () => {
  await withFolder(async (folder) => {
    const random = seeded(5);
    for (let round = 0; round < 5; round++) {
      const path = `${folder}/${round}.db`;
      using log = OpLog.open(path);
      for (let at = 0; at < ops.length;) {
        const next = at + 1 + random(15);
        log.appendAll(ops.slice(at, next));
        if (random(2) === 0) [...log.claims.query()];
        if (random(2) === 0) log.heads();
        at = next;
      }
      assertEquals(await audit(path), { operations: 60, found: 0, findings: [], unchecked: [], clean: true });
    }
  });
});

Deno.test("a claim whose input came after the claims were brought up is no finding", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    const late = note("late");
    const deriver = { id: "tests", version: "1" };
    const body = { key: "k", value: 1, confidence_ppm: 1, deriver, inputs: [late.opId] };
    const claim = Operation.create({ type: "claim.assert", body }, alice);
    makeFile(path, [claim]);
    using log = OpLog.open(path);
    log.append(late);
    assertEquals(found(await audit(path)), []);
    [...log.claims.query()];
    assertEquals(found(await audit(path)), []);
  });
});

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
  ["an operation stands there that its author did not sign", (path) => {
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
  ["the same, and the memory of the last seq is mended", (path) => {
    behindTriggers(path, (db) => {
      db.exec("UPDATE ops SET seq = -seq WHERE seq > 20; UPDATE ops SET seq = 1 - seq WHERE seq < 0");
      insertAt(db, 21, noteAfter("inserted", [row(20).opId]));
      db.exec("UPDATE sqlite_sequence SET seq = 61 WHERE name = 'ops'");
    });
  }, derivedAll()],
  ["a valid operation is inserted before the first", (path) => {
    behindTriggers(path, (db) => insertAt(db, 0, note("before all")));
  }, [["seq-out-of-range", 0]]],
  ["a row stands at a seq that is no safe integer", (path) => {
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

function exec(path: string, sql: string): void {
  withDatabase(path, (database) => database.exec(sql));
}

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

Deno.test("an audit leaves no file behind, and every file as it was", async () => {
  await withFile(async (path) => {
    const folder = path.slice(0, path.lastIndexOf("/"));
    const before = contentsOf(folder);
    assertEquals((await audit(path, { workers: 0 })).clean, true);
    assertEquals(contentsOf(folder), before);
    using log = OpLog.open(path); // its commits are in `-wal`
    log.append(noteAfter("one more", log.heads()));
    const { "log.db-shm": _, ...open } = contentsOf(folder);
    assertEquals((await audit(path, { workers: 0 })).clean, true);
    const { "log.db-shm": __, ...after } = contentsOf(folder);
    assertEquals(after, open);
  });
});

/** What someone does to the pages of a file; several findings of a kind may come of it. */
/** With what else is found, where the damage is in rows of the log. */
const DAMAGES: [what: string, change: (path: string) => void, more?: readonly FindingKind[]][] = [
  ["the file is cut in half", (path) => editBytes(path, (bytes) => bytes.slice(0, bytes.length / 2))],
  ["the last page is cut off", (path) => editBytes(path, (bytes) => bytes.slice(0, -PAGE))],
  [
    "the file is cut within a page",
    (path) => editBytes(path, (bytes) => bytes.slice(0, -PAGE / 2)),
    ["seq-gap", "bad-shape"],
  ],
  ["all but the first page is cut off", (path) => editBytes(path, (bytes) => bytes.slice(0, PAGE))],
  ["half a header is left", (path) => editBytes(path, (bytes) => bytes.slice(0, 50))],
  ["the page of a row is zeroed", (path) =>
    editBytes(path, (bytes) => {
      const page = PAGE * Math.floor(indexOf(bytes, '"n":30,') / PAGE);
      bytes.fill(0, page, page + PAGE);
    })],
  ["the page of a row is garbled", (path) =>
    editBytes(path, (bytes) => {
      const page = PAGE * Math.floor(indexOf(bytes, '"n":30,') / PAGE);
      bytes.fill(0xa5, page, page + PAGE);
    })],
  ["the first page is zeroed", (path) => editBytes(path, (bytes) => void bytes.fill(0, 0, PAGE))],
  ["the schema is zeroed", (path) => editBytes(path, (bytes) => void bytes.fill(0, 100, PAGE))],
];

for (const [what, change, more = []] of DAMAGES) {
  Deno.test(`found as damage, and as nothing else: ${what}`, async () => {
    await withFile(async (path) => {
      change(path);
      const before = Deno.readFileSync(path);
      const report = await audit(path, { workers: 0 });
      const expected = report.operations === 0 ? ["schema", "index", "trigger"] : [];
      assertEquals(
        kinds(report).filter((kind) => !expected.includes(kind)),
        ["integrity", ...more],
        JSON.stringify(report, null, 1),
      );
      assertEquals(Deno.readFileSync(path), before);
    });
  });
}

Deno.test("where a page of rows is zeroed, it is said which cannot be read, and the others are looked at", async () => {
  await withFile(async (path) => {
    editBytes(path, (bytes) => {
      const page = PAGE * Math.floor(indexOf(bytes, '"n":30,') / PAGE);
      bytes.fill(0, page, page + PAGE);
    });
    behindTriggersRaw(path);
    const report = await audit(path, { workers: 0 });
    const [unreadable] = report.findings.filter(({ kind, seq }) => kind === "integrity" && seq !== undefined);
    const [, from, to] = unreadable.message.match(/^seq (\d+) to (\d+) cannot be read/)!.map(Number);
    assert(from <= 31 && to >= 31);
    assertEquals(report.operations, 60 - (to - from + 1));
    assertEquals(found(report).filter(([kind]) => kind !== "integrity"), [["bad-address", 2], ["bad-address", 59]]);
  });
});

/** Flips a byte of the second row and of the last but one. */
function behindTriggersRaw(path: string): void {
  editBytes(path, (bytes) => {
    for (const seq of [2, 59]) {
      const at = indexOf(bytes, row(seq).sig);
      bytes[at] = bytes[at] === 0x61 ? 0x62 : 0x61;
    }
  });
}

/** Everything that a reader can get out of a log, or the code of the error. */
function allThatIsRead(path: string): unknown {
  const attempt = (read: () => unknown) => {
    try {
      return read();
    } catch (error) {
      assert(error instanceof LogError, String(error));
      return error.code;
    }
  };
  return attempt(() => {
    using log = OpLog.open(path, { readonly: true });
    return [
      attempt(() => [...log.entries()].map(({ seq, op }) => [seq, op.wire])),
      attempt(() => ops.map(({ opId }) => log.seqOf(opId))),
      attempt(() => log.byType("claim.assert").length),
      attempt(() => log.heads()),
      attempt(() => [...log.claims.query()]),
      attempt(() => [log.size, log.lastSeq(), log.stats()]),
    ];
  });
}

Deno.test("a hundred random edits of a byte are found, or change nothing that is read", async () => {
  await withFile(async (path) => {
    const whole = Deno.readFileSync(path);
    const before = allThatIsRead(path);
    const random = seeded(1);
    let harmless = 0;
    for (let edit = 0; edit < 100; edit++) {
      // Some in the header and in the schema, where little of the file is and much depends on it.
      let at = edit < 20 ? random(100) : edit < 30 ? random(PAGE) : random(whole.length);
      while (edit >= 30 && whole[at] === 0) at = random(whole.length); // not in the free space of a page
      const to = whole[at] ^ (1 + random(255));
      editBytes(path, () => whole.with(at, to));
      const report = await audit(path, { workers: 0 });
      assertEquals(Deno.readFileSync(path), whole.with(at, to));
      if (report.found > 0) continue;
      harmless++;
      assertEquals(allThatIsRead(path), before, `byte ${at} from ${whole[at]} to ${to}`);
    }
    assert(harmless < 40, `${harmless} of 100`);
  });
});

/** Files of which nothing is to be believed. */
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

Deno.test("findings do not depend on the workers, and are told one by one as well", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    const many = chain(400, "word ".repeat(200));
    makeFile(path, many);
    behindTriggers(path, (db) => {
      db.exec("DELETE FROM ops WHERE seq % 50 = 0; UPDATE ops SET ts = ts + 1 WHERE seq % 70 = 0");
      db.exec("UPDATE ops SET wire = replace(wire, 'word word', 'word  word') WHERE seq % 60 = 1");
      insertAt(db, 401, forged(note("forged")));
      insertAt(db, 402, noteAfter("x", ["op_" + "1".repeat(64), "op_" + "2".repeat(64)]));
    });
    const reports: AuditReport[] = [];
    for (const workers of [0, 1, 2]) {
      const told: unknown[] = [];
      const progress: number[] = [];
      reports.push(
        await audit(path, {
          workers,
          onFinding: (finding) => told.push(finding),
          onProgress: ({ checked, total }) => progress.push(checked / total),
        }),
      );
      assertEquals(told.length, reports[0].found);
      assertEquals([progress.at(-1), progress.toSorted((a, b) => a - b)], [1, progress]);
    }
    assertEquals(reports[1], reports[0]);
    assertEquals(reports[2], reports[0]);
    assertEquals(new Set(kinds(reports[0])), new Set(["seq-gap", "column-differs", "bad-address"]));
  });
});

/** The bytes of a log's files that an audit must leave alone. */
function filesOf(path: string): unknown {
  const bytes = (suffix: string) => {
    try {
      return Deno.readFileSync(path + suffix);
    } catch {
      return new Uint8Array();
    }
  };
  return [bytes(""), bytes("-wal"), bytes("-journal")];
}

Deno.test("the log of a process that was killed is read with what it had committed, and nothing is written", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    const script = decodeURIComponent(new URL("children/append_and_wait.ts", import.meta.url).pathname);
    const args = ["run", "--quiet", "--no-prompt", "--allow-all", script, path, "20"];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    const live = await audit(path);
    assertEquals([live.operations, live.found], [20, 0]);
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    const before = filesOf(path);
    assert(Deno.statSync(`${path}-wal`).size > 0);
    assertEquals([(await audit(path)).operations, (await audit(path)).found], [20, 0]);
    assertEquals(filesOf(path), before);
    using log = OpLog.open(path);
    assertEquals(log.size, 20);
  });
});

Deno.test("while a log is open, and appended to, it is audited, and nothing is written", async () => {
  await withFile(async (path) => {
    using log = OpLog.open(path);
    log.append(noteAfter("more", [row(60).opId]));
    const before = filesOf(path);
    assertEquals([(await audit(path)).operations, (await audit(path)).found], [61, 0]);
    assertEquals(filesOf(path), before);
    const underWay = audit(path, { workers: 1 });
    for (let n = 0; n < 100; n++) log.append(note(`${n}`));
    assertEquals((await underWay).found, 0);
  });
});

Deno.test("a log of another implementation has no third trigger, and nothing else is found", async () => {
  await withFile(async (path) => {
    exec(path, "DROP TRIGGER ops_no_replace");
    const { findings } = await audit(path);
    assertEquals(findings.map(({ kind }) => kind), ["trigger"]);
  });
});

Deno.test("a body that this implementation refuses is no finding", async () => {
  await withFile(async (path) => {
    const op = Operation.create({ type: "claim.assert", body: { key: 5 }, prev: [row(60).opId] }, alice);
    behindTriggers(path, (db) => insertAt(db, 61, op));
    assertEquals(found(await audit(path)), []);
  });
});

Deno.test("what keeps a file from being read is an error", async () => {
  await withFolder(async (folder) => {
    const code = async (path: string, options = {}) => (await assertRejects(() => audit(path, options), LogError)).code;
    assertEquals(await code(`${folder}/none.db`), "missing-file");
    assertEquals(await code(folder), "is-a-folder");
    assertEquals(await code(":memory:"), "invalid-argument");
    assertEquals(await code(`${folder}/none.db`, { workers: -1 }), "invalid-argument");
    assertEquals(contentsOf(folder), {});
  });
});

Deno.test("a change that was interrupted and must be rolled back is an error that says so", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    makeFile(path, ops);
    withDatabase(path, (db) => db.prepare("PRAGMA journal_mode = DELETE").value());
    const copy = `${folder}/copy.db`;
    withDatabase(path, (db) => {
      db.exec(
        "PRAGMA cache_spill = ON; PRAGMA cache_size = 1; BEGIN IMMEDIATE; CREATE TABLE x (y); INSERT INTO x VALUES (zeroblob(100000))",
      );
      for (const suffix of ["", "-journal"]) Deno.copyFileSync(path + suffix, copy + suffix);
      db.exec("ROLLBACK");
    });
    const before = contentsOf(folder);
    const error = await assertRejects(() => audit(copy), FileError);
    assertEquals(error.code, "read-only");
    assertEquals(contentsOf(folder), before);
  });
});

Deno.test({
  name: "a file in a folder that may not be written is read, unless commits stand beside it that cannot be",
  ignore: !canBeBound(),
  async fn() {
    await withFile(async (path) => {
      const folder = path.slice(0, path.lastIndexOf("/"));
      const script = decodeURIComponent(new URL("children/audit.ts", import.meta.url).pathname);
      const auditBound = async () => {
        const args = [...bound.slice(1), Deno.execPath(), "run", "--quiet", "--no-prompt", "--allow-all", script, path];
        const [command, rest] = bound.length > 0 ? [bound[0], args] : [args[0], args.slice(1)];
        const { stdout } = await new Deno.Command(command, { args: rest }).output();
        return JSON.parse(new TextDecoder().decode(stdout));
      };
      Deno.chmodSync(path, 0o444);
      Deno.chmodSync(folder, 0o555);
      try {
        const before = contentsOf(folder);
        assertEquals(await auditBound(), { operations: 60, findings: [] });
        assertEquals(contentsOf(folder), before);
        Deno.chmodSync(folder, 0o755);
        Deno.writeFileSync(`${path}-wal`, new Uint8Array(100));
        Deno.chmodSync(folder, 0o555);
        assertEquals(await auditBound(), { error: "read-only" });
      } finally {
        Deno.chmodSync(folder, 0o755);
      }
    });
  },
});

Deno.test("an audit ends when it is told to", async () => {
  await withFile(async (path) => {
    await assertRejects(() => audit(path, { signal: AbortSignal.abort() }), DOMException);
    const stop = new AbortController();
    const options = { signal: stop.signal, workers: 0, onProgress: () => stop.abort() };
    await assertRejects(() => audit(path, options), DOMException);
  });
});
