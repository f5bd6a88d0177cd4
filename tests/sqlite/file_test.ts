import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { pathToFileURL } from "node:url";
import { FileError, LogError, type LogErrorCode, type OpenOptions, OpLog } from "../../mod.ts";
import { contentsOf, withDatabase, withFolder } from "../folder.ts";
import { headsOf, note } from "../operations.ts";
import { bound, canBeBound, works } from "../processes.ts";
import { runChild } from "../log/children/run.ts";

const PAGE = 4096;

/** Creates a closed log of `count` notes. */
function makeLog(path: string, count: number): void {
  using log = OpLog.open(path);
  log.appendAll(Array.from({ length: count }, (_, n) => note(`${n} ${"word ".repeat(40)}`)));
  log.heads();
}

/** Asserts that `use` fails with a FileError that names the path, and changes nothing in the folder. */
function assertRefused(use: () => unknown, code: LogErrorCode, path: string, folder: string): void {
  const before = contentsOf(folder);
  const error = assertThrows(use, FileError);
  assertEquals([error.code, error.path], [code, path]);
  assertStringIncludes(error.message, path);
  assertEquals(contentsOf(folder), before);
}

/** Files that are not valid logs: how each is created and opened, and the code of the error. */
const REFUSED: [what: string, code: LogErrorCode, make: (path: string) => void, options?: OpenOptions][] = [
  ["a folder", "is-a-folder", (path) => Deno.mkdirSync(path)],
  ["a missing file, for reading", "missing-file", () => {}, { readonly: true }],
  ["a missing file without create", "missing-file", () => {}, { create: false }],
  ["an empty file, for reading", "not-a-log", (path) => Deno.writeFileSync(path, new Uint8Array()), {
    readonly: true,
  }],
  ["a single byte", "not-a-database", (path) => Deno.writeTextFileSync(path, "x")],
  ["a short text", "not-a-database", (path) => Deno.writeTextFileSync(path, "a note")],
  ["a long text", "not-a-database", (path) => Deno.writeTextFileSync(path, "a note\n".repeat(1000))],
  ["zeros", "not-a-database", (path) => Deno.writeFileSync(path, new Uint8Array(PAGE))],
  ["a log with another first line", "not-a-database", (path) => damagedLog(path, (bytes) => bytes.fill(0xa5, 0, 16))],
  ["a log with a garbled header", "not-a-database", (path) => damagedLog(path, (bytes) => bytes.fill(0xa5, 16, 100))],
  ["a log with a garbled schema", "corrupt", (path) => damagedLog(path, (bytes) => bytes.fill(0xa5, 100, PAGE))],
  ["the first half of a header", "not-a-database", (path) => damagedLog(path, (bytes) => bytes.subarray(0, 50))],
  ["the first half of a log", "corrupt", (path) => damagedLog(path, (bytes) => bytes.subarray(0, bytes.length / 2))],
  ["another database", "not-a-log", (path) => makeDatabase(path, "CREATE TABLE songs (title TEXT)")],
  ["another database with a write-ahead log", "not-a-log", (path) => {
    makeDatabase(path, "PRAGMA journal_mode = WAL; CREATE TABLE songs (title TEXT)");
  }],
  ["another table named ops", "not-a-log", (path) => {
    makeDatabase(path, "CREATE TABLE ops (seq INTEGER PRIMARY KEY, op_id TEXT)");
  }],
  ["a view named ops", "not-a-log", (path) => makeDatabase(path, "CREATE VIEW ops AS SELECT 1 AS seq")],
];

function damagedLog(path: string, damage: (bytes: Uint8Array) => Uint8Array): void {
  makeLog(path, 100);
  Deno.writeFileSync(path, damage(Deno.readFileSync(path)));
}

function makeDatabase(path: string, sql: string): void {
  withDatabase(path, (database) => database.exec(sql));
}

for (const [what, code, make, options] of REFUSED) {
  Deno.test(`open of ${what} fails with ${code} and changes nothing`, () => {
    withFolder((folder) => {
      const path = `${folder}/log.db`;
      make(path);
      assertRefused(() => OpLog.open(path, options), code, path, folder);
      if (code !== "missing-file") assertRefused(() => OpLog.open(path, { readonly: true }), code, path, folder);
    });
  });
}

Deno.test("open in a missing folder creates nothing", () => {
  withFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/file`, "");
    for (const path of [`${folder}/none/log.db`, `${folder}/none/deeper/log.db`, `${folder}/file/log.db`]) {
      assertRefused(() => OpLog.open(path), "missing-folder", path, folder);
      assertRefused(() => OpLog.open(path, { readonly: true }), "missing-file", path, folder);
    }
  });
});

Deno.test("an empty file becomes a log", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    Deno.writeFileSync(path, new Uint8Array());
    using log = OpLog.open(path, { create: false });
    assertEquals(log.append(note("first")), 1);
  });
});

Deno.test("reads that need a damaged page fail with corrupt, and change nothing", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    makeLog(path, 200);
    const { wire, opId } = note(`100 ${"word ".repeat(40)}`);
    const bytes = Deno.readFileSync(path);
    const page = PAGE * Math.floor(indexOf(bytes, new TextEncoder().encode(wire)) / PAGE);
    const damages: ((bytes: Uint8Array) => void)[] = [
      (bytes) => bytes.fill(0, page + 1000, page + PAGE),
      (bytes) => bytes.fill(0xa5, page + 1000, page + PAGE),
      (bytes) => bytes.fill(0xa5, page, page + 1000),
    ];
    for (const damage of damages) {
      const damaged = bytes.slice();
      damage(damaged);
      Deno.writeFileSync(path, damaged);
      for (const readonly of [false, true]) {
        using log = OpLog.open(path, { readonly });
        assertEquals(codeOf(() => [...log.entries()]), "corrupt");
        assertEquals(codeOf(() => log.get(opId)), "corrupt");
      }
      assertEquals(Deno.readFileSync(path), damaged);
    }
  });
});

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  const at = bytes.findIndex((_, start) => part.every((byte, i) => bytes[start + i] === byte));
  assert(at >= 0);
  return at;
}

function codeOf(use: () => unknown): LogErrorCode {
  return assertThrows(use, FileError).code;
}

/** Wire texts whose `prev` cannot be read. */
const UNREADABLE: Record<string, string> = {
  "an empty text": "",
  "a word": "word",
  "a JSON null": "null",
  "an empty object": "{}",
  "an object whose prev is a number": '{"prev":5}',
  "an object whose prev is a text": '{"prev":"none"}',
  "an operation that is cut short": note("cut short").wire.slice(0, -1),
  "an operation with trailing text": note("two lines").wire + "\n{}",
};
const NOT_OPERATIONS: Record<string, string> = {
  ...UNREADABLE,
  "an object with prev alone": '{"prev":[]}',
  "an operation with an unknown field": note("a field more").wire.replace("{", '{"more":1,'),
};

function insertRow(path: string, wire: string): void {
  withDatabase(path, (database) => {
    database.exec("DROP TRIGGER ops_no_replace");
    database.prepare("INSERT INTO ops (op_id, type, author, ts, wire) VALUES ('op_bad', 'note', 'a', 1, ?)").run(wire);
  });
}

for (const [what, wire] of Object.entries(NOT_OPERATIONS)) {
  Deno.test(`an operation replaced by ${what} fails with corrupt, and the others can be read`, () => {
    withFolder((folder) => {
      const path = `${folder}/log.db`;
      makeLog(path, 3);
      insertRow(path, wire);
      using log = OpLog.open(path, { readonly: true });
      const error = assertThrows(() => [...log.entries()], FileError);
      assertEquals([error.code, error.path], ["corrupt", path]);
      assertStringIncludes(error.message, "seq 4");
      assertEquals(codeOf(() => log.get("op_bad")), "corrupt");
      assertEquals([...log.entries({ limit: 3 })].length, 3);
      assertEquals(log.size, 4);
    });
  });
}

for (const [what, wire] of Object.entries(UNREADABLE)) {
  Deno.test(`heads with an operation replaced by ${what} fail with corrupt at every call`, () => {
    withFolder((folder) => {
      const path = `${folder}/log.db`;
      OpLog.open(path).close();
      insertRow(path, wire);
      for (const readonly of [true, false]) {
        using log = OpLog.open(path, { readonly });
        assertEquals(codeOf(() => log.heads()), "corrupt");
        assertEquals(codeOf(() => log.heads()), "corrupt");
      }
    });
  });
}

for (const begin of ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"]) {
  Deno.test(`while another connection holds ${begin}, appends fail with locked and reads succeed`, () => {
    withFolder((folder) => {
      const path = `${folder}/log.db`;
      using log = OpLog.open(path, { busyTimeoutMs: 50 });
      log.append(note("before"));
      withDatabase(path, (database) => {
        database.exec(begin);
        using opened = OpLog.open(path, { busyTimeoutMs: 50 });
        for (const append of [() => log.append(note("a")), () => opened.appendAll([note("a"), note("b")])]) {
          const error = assertThrows(append, FileError);
          assertEquals([error.code, error.path], ["locked", path]);
        }
        assertEquals([log.size, opened.lastOpId()], [1, note("before").opId]);
        database.exec("ROLLBACK");
      });
      assertEquals(log.append(note("afterwards")), 2);
      assertEquals(log.heads(), headsOf([note("before"), note("afterwards")]));
    });
  });
}

Deno.test("open of an empty file fails with locked while another connection writes it, and succeeds afterwards", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    Deno.writeFileSync(path, new Uint8Array());
    const before = contentsOf(folder);
    withDatabase(path, (database) => {
      database.exec("BEGIN IMMEDIATE");
      const error = assertThrows(() => OpLog.open(path, { busyTimeoutMs: 50 }), FileError);
      assertEquals([error.code, error.path], ["locked", path]);
      database.exec("ROLLBACK");
    });
    assertEquals(contentsOf(folder), before);
    using log = OpLog.open(path);
    assertEquals(log.append(note("first")), 1);
  });
});

const MOUNTED = 'mount -t tmpfs -o size=2m tmpfs "$0"';

Deno.test({
  name: "append on a full disk fails with disk-full, keeps what was committed, and works once there is space",
  ignore: !withFolder((folder) => works("unshare", "-rm", "sh", "-c", MOUNTED, folder)),
  async fn() {
    await withFolder(async (folder) => {
      const under = ["unshare", "-rm", "sh", "-c", `${MOUNTED} && exec "$@"`, folder];
      const report = await runChild("fill_disk.ts", [folder], { under });
      assert("value" in report);
      const { code, committed, ...counts } = report.value as { code: LogErrorCode; committed: number };
      assertEquals(code, "disk-full");
      assert(committed > 0);
      assertEquals(counts, { kept: committed, reopened: committed, afterwards: committed + 10, heads: 10 });
    });
  },
});

Deno.test({
  name: "a file without write permission can be read, appends fail with read-only, and work with the mode restored",
  ignore: !canBeBound(),
  async fn() {
    for (const journal of ["WAL", "DELETE"]) {
      await withFolder(async (folder) => {
        const path = `${folder}/log.db`;
        makeLog(path, 3);
        withDatabase(path, (database) => database.exec(`PRAGMA journal_mode = ${journal}`));
        Deno.chmodSync(path, 0o444);
        const before = contentsOf(folder);
        const run = (script: string, ...args: string[]) => runChild(script, [path, ...args], { under: bound() });
        assertEquals(await run("record.ts", "0"), { error: "FileError", code: "read-only" });
        assertEquals(await run("use_log.ts", '{"readonly":true}'), { value: { entries: 3, heads: 3 } });
        // SQLite cannot remove -wal and -shm of a log that it cannot write.
        const after = journal === "WAL" ? { "log.db": contentsOf(folder)["log.db"] } : contentsOf(folder);
        assertEquals(after, before);
        for (const name of Object.keys(contentsOf(folder))) Deno.chmodSync(`${folder}/${name}`, 0o644);
        assertEquals(await run("use_log.ts"), { value: { entries: 4, heads: 4 } });
      });
    }
  },
});

Deno.test("a path with special characters is taken literally", () => {
  const names = [
    "with space.db",
    "a#b.db",
    "100%.db",
    "%41.db",
    "a?mode=memory",
    "日本 é 🙂.db",
    'it\'s "quoted".db',
    "-x",
  ];
  withFolder((folder) => {
    for (const name of names) {
      const path = `${folder}/${name}`;
      for (const [given, seq] of [[path, 1], [pathToFileURL(path), 2]] as const) {
        using log = OpLog.open(given);
        assertEquals(log.append(note(`${seq}`)), seq);
      }
      using log = OpLog.open(path, { readonly: true, create: false });
      assertEquals(log.size, 2);
    }
    assertEquals(Object.keys(contentsOf(folder)), [...names].sort());
  });
});

Deno.test("a path that begins with file: or :memory: is a file in the current folder", () => {
  const here = Deno.cwd();
  withFolder((folder) => {
    const names = ["file:log.db", "file:log.db?mode=memory", "file::memory:", ":memory:?cache=shared", "log.db"];
    Deno.chdir(folder);
    try {
      for (const name of names) {
        using log = OpLog.open(name);
        log.append(note(name));
      }
    } finally {
      Deno.chdir(here);
    }
    assertEquals(Object.keys(contentsOf(folder)), [...names].sort());
    for (const name of names) {
      using log = OpLog.open(`${folder}/${name}`, { readonly: true });
      assertEquals(log.lastOpId(), note(name).opId);
    }
  });
});

Deno.test("an invalid path is refused", () => {
  withFolder((folder) => {
    const bad = [
      "",
      "\0",
      `${folder}/log.db\0`,
      new URL(`file://${folder}/log.db%00`),
      new URL("https://example.org/"),
    ];
    for (const path of bad) assertEquals(assertThrows(() => OpLog.open(path), LogError).code, "invalid-argument");
    assertEquals(contentsOf(folder), {});
  });
});
