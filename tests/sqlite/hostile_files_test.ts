import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { FileError, type LogErrorCode, OpLog } from "../../mod.ts";
import { audit } from "../../src/audit/audit.ts";
import { contentsOf, withDatabase, withFolder } from "../folder.ts";
import { note } from "../operations.ts";
import { works } from "../processes.ts";

const PAGE = 4096;
const MAGIC = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/** Creates a closed log of one note, in the given journal mode. */
function makeLog(path: string, mode: "WAL" | "DELETE" = "WAL"): void {
  {
    using log = OpLog.open(path);
    log.append(note("first"));
  }
  withDatabase(path, (database) => database.prepare(`PRAGMA journal_mode = ${mode}`).value());
}

/** Leaves a hot journal beside a log, as a process does that is killed during a transaction. */
function interrupt(path: string): void {
  const copy = `${path}-copy`;
  withDatabase(path, (database) => {
    database.exec("PRAGMA cache_spill = ON; PRAGMA cache_size = 1; BEGIN IMMEDIATE");
    database.exec("CREATE TABLE x (y); INSERT INTO x VALUES (zeroblob(100000))");
    for (const suffix of ["", "-journal"]) Deno.copyFileSync(path + suffix, copy + suffix);
    database.exec("ROLLBACK");
  });
  for (const suffix of ["", "-journal"]) Deno.renameSync(copy + suffix, path + suffix);
}

/** A journal of one page that ends with the name of a super-journal. */
function journalNaming(name: string, path: string): Uint8Array<ArrayBuffer> {
  const page = Deno.readFileSync(path).subarray(0, PAGE);
  const nonce = 7;
  let sum = nonce;
  for (let at = PAGE - 200; at > 0; at -= 200) sum = (sum + page[at]) >>> 0;
  const bytes = new Uint8Array(512 + 4 + PAGE + 4 + 4 + name.length + 16);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  [1, nonce, Deno.statSync(path).size / PAGE, 512, PAGE].forEach((field, i) => view.setUint32(8 + 4 * i, field));
  view.setUint32(512, 1);
  bytes.set(page, 516);
  view.setUint32(516 + PAGE, sum);
  const end = 520 + PAGE;
  view.setUint32(end, 2 ** 30 / PAGE + 1); // the page that is never written
  const text = new TextEncoder().encode(name);
  bytes.set(text, end + 4);
  view.setUint32(end + 4 + text.length, text.length);
  view.setUint32(end + 8 + text.length, text.reduce((total, byte) => total + byte, 0));
  bytes.set(MAGIC, end + 12 + text.length);
  return bytes;
}

Deno.test("SQLite itself deletes the file that a journal names as its super-journal", () => {
  withFolder((folder) => {
    const [path, precious] = [`${folder}/log.db`, `${folder}/precious`];
    makeLog(path);
    Deno.writeTextFileSync(precious, "precious");
    Deno.writeFileSync(`${path}-journal`, journalNaming(precious, path));
    withDatabase(path, (database) => database.prepare("SELECT count(*) FROM ops").value());
    assertThrows(() => Deno.lstatSync(precious), Deno.errors.NotFound);
  });
});

/** Variants of a journal that names a super-journal. */
const JOURNALS: Record<string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>> = {
  "with a valid header": (bytes) => bytes,
  "with a zeroed header": (bytes) => bytes.fill(0, 0, 28),
  "with a preceding segment": (bytes) => {
    const pages = bytes.subarray(0, 520 + PAGE);
    const segment = new Uint8Array(Math.ceil(pages.length / 512) * 512);
    segment.set(pages);
    const both = new Uint8Array(segment.length + bytes.length);
    both.set(segment);
    both.set(bytes, segment.length);
    return both;
  },
  "without a header and pages": (bytes) => bytes.slice(520 + PAGE),
  "with an invalid checksum": (bytes) => bytes.with(bytes.length - 9, bytes.at(-9)! ^ 1) as Uint8Array<ArrayBuffer>,
};

for (const [what, change] of Object.entries(JOURNALS)) {
  Deno.test(`a journal ${what} that names a super-journal is refused by every way to open the log`, async () => {
    await withFolder(async (folder) => {
      const [path, precious] = [`${folder}/log.db`, `${folder}/precious`];
      for (const mode of ["WAL", "DELETE"] as const) {
        makeLog(path, mode);
        Deno.writeTextFileSync(precious, "precious");
        Deno.writeFileSync(`${path}-journal`, change(journalNaming(precious, path)));
        const before = contentsOf(folder);
        const errors = [
          assertThrows(() => OpLog.open(path), FileError),
          assertThrows(() => OpLog.open(path, { create: false, readonly: true }), FileError),
          await assertRejects(() => audit(path), FileError),
        ];
        assertEquals(errors.map(({ code, path }) => [code, path]), errors.map(() => ["super-journal", path]));
        assertEquals(contentsOf(folder), before);
        for (const name of Object.keys(before)) Deno.removeSync(`${folder}/${name}`);
      }
    });
  });
}

Deno.test("a journal that names a super-journal is refused without a log, too", () => {
  withFolder((folder) => {
    const [path, precious] = [`${folder}/log.db`, `${folder}/precious`];
    makeLog(path);
    Deno.writeTextFileSync(precious, "precious");
    Deno.writeFileSync(`${path}-journal`, journalNaming(precious, path));
    Deno.removeSync(path);
    const before = contentsOf(folder);
    assertEquals(assertThrows(() => OpLog.open(path), FileError).code, "super-journal");
    assertEquals(contentsOf(folder), before);
  });
});

Deno.test("the journal of a killed process is rolled back", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    makeLog(path, "DELETE");
    const before = Deno.readFileSync(path);
    interrupt(path);
    assert(Deno.statSync(`${path}-journal`).size > PAGE);
    {
      using log = OpLog.open(path, { readonly: true });
      assertEquals(log.size, 1);
    }
    assertEquals([Deno.readFileSync(path), Object.keys(contentsOf(folder))], [before, ["log.db"]]);
  });
});

const NOT_FILES: Record<string, (path: string) => void> = {
  "a pipe": (path) => assert(works("mkfifo", path)),
  "a folder": (path) => Deno.mkdirSync(path),
  "a link": (path) => Deno.symlinkSync("elsewhere", path),
  "a link to a file": (path) => {
    Deno.writeTextFileSync(`${path}-elsewhere`, "precious");
    Deno.symlinkSync(`${path}-elsewhere`, path);
  },
};

for (const suffix of ["-wal", "-shm", "-journal"]) {
  for (const [what, make] of Object.entries(NOT_FILES)) {
    Deno.test({
      name: `${what} as ${suffix} file is refused before it is opened`,
      ignore: Deno.build.os === "windows",
      async fn() {
        await withFolder(async (folder) => {
          const path = `${folder}/log.db`;
          for (const exists of [true, false]) {
            if (exists) makeLog(path);
            make(path + suffix);
            const opened: (() => unknown)[] = [() => OpLog.open(path), () => OpLog.open(path, { readonly: true })];
            for (const open of opened) assertEquals(assertThrows(open, FileError).code, "not-a-file");
            assertEquals((await assertRejects(() => audit(path), FileError)).code, "not-a-file");
            for (const { name } of [...Deno.readDirSync(folder)]) {
              const file = `${folder}/${name}`;
              if (name.endsWith("elsewhere")) assertEquals(Deno.readTextFileSync(file), "precious");
              Deno.removeSync(file);
            }
          }
        });
      },
    });
  }
}

const NOT_LOGS: [what: string, make: (path: string) => void, code: LogErrorCode][] = [
  ["a pipe", NOT_FILES["a pipe"], "not-a-file"],
  ["a link to a pipe", (path) => {
    assert(works("mkfifo", `${path}-pipe`));
    Deno.symlinkSync(`${path}-pipe`, path);
  }, "not-a-file"],
  ["a device", (path) => Deno.symlinkSync("/dev/zero", path), "not-a-file"],
  ["a link to itself", (path) => Deno.symlinkSync(path, path), "not-a-file"],
  ["a link to itself through a missing folder", (path) => Deno.symlinkSync("nothing/../log.db", path), "not-a-file"],
];

for (const [what, make, code] of NOT_LOGS) {
  Deno.test({
    name: `${what} as log file is refused before it is opened`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await withFolder(async (folder) => {
        const path = `${folder}/log.db`;
        make(path);
        for (const readonly of [false, true]) {
          const error = assertThrows(() => OpLog.open(path, { readonly }), FileError);
          assertEquals([error.code, error.path], [code, path]);
        }
        assertEquals((await assertRejects(() => audit(path), FileError)).code, code);
      });
    },
  });
}

const SOCKET = "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])";

Deno.test({
  name: "a socket as log file is refused before it is opened",
  ignore: !withFolder((folder) => works("python3", "-c", SOCKET, `${folder}/socket`)),
  fn() {
    withFolder((folder) => {
      const path = `${folder}/log.db`;
      assert(works("python3", "-c", SOCKET, path));
      const error = assertThrows(() => OpLog.open(path), FileError);
      assertEquals(error.code, "not-a-file");
      assertMatch(error.message, /is a socket/);
    });
  },
});

Deno.test({
  name: "a new log is readable by its owner only, with any umask; an existing log keeps its mode",
  ignore: Deno.build.os === "windows",
  fn() {
    withFolder((folder) => {
      const modeOf = (name: string) => (Deno.statSync(`${folder}/${name}`).mode! & 0o777).toString(8);
      const umask = Deno.umask(0);
      try {
        using log = OpLog.open(`${folder}/log.db`);
        log.append(note("first"));
        assertEquals(["log.db", "log.db-wal", "log.db-shm"].map(modeOf), ["600", "600", "600"]);
        Deno.writeTextFileSync(`${folder}/empty.db`, "", { mode: 0o640 });
        OpLog.open(`${folder}/empty.db`).close();
        assertEquals(modeOf("empty.db"), "640");
      } finally {
        Deno.umask(umask);
      }
    });
  },
});
