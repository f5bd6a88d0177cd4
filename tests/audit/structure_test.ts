import { assert, assertEquals } from "@std/assert";
import { Operation, OpLog } from "../../mod.ts";
import { audit, type AuditReport } from "../../src/audit/audit.ts";
import { contentsOf, withDatabase, withFolder } from "../folder.ts";
import { alice } from "../operations.ts";
import { editPages, interior, repeatTree, rootOf } from "./craft.ts";
import { chain, editBytes, makeFile, rewriteSchema } from "./tamper.ts";

const ops = chain(60);

/** Runs `use` with the path of a log. */
async function withFile(use: (path: string) => Promise<void>, made = ops): Promise<void> {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    makeFile(path, made);
    await use(path);
  });
}

function exec(path: string, sql: string): void {
  withDatabase(path, (database) => database.exec(sql));
}

function messages({ findings }: AuditReport): string {
  return findings.map(({ kind, message }) => `${kind}: ${message}`).join("\n");
}

/** Trees that are repeated, and whether the operations are looked at all the same. */
const REPEATED: [name: string, operations: number][] = [
  ["ops", 0],
  ["sqlite_autoindex_ops_1", 60],
  ["idx_ops_author", 60],
  ["sqlite_sequence", 60],
  ["mnema_tiles", 60],
  ["mnema_heads_seq", 60],
  ["mnema_watermarks", 60],
  ["checkpoints", 60],
  ["songs", 60],
  ["sqlite_stat1", 0], // which is read together with the schema
  ["sqlite_schema", 0],
];

for (const [name, operations] of REPEATED) {
  Deno.test(`a tree that is there more often than can be read is found, and not walked: ${name}`, async () => {
    await withFile(async (path) => {
      OpLog.open(path).close();
      {
        using log = OpLog.open(path);
        log.proofs.checkpoint(alice);
      }
      exec(path, "CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('a'), ('b'); ANALYZE");
      repeatTree(path, name, 16, 4);
      const before = contentsOf(path.slice(0, path.lastIndexOf("/")))["log.db"];
      const report = await audit(path, { workers: 0, stallTimeoutMs: 60_000 });
      assert(/integrity: .*page \d+ is reached a second time/.test(messages(report)), messages(report));
      assert(!messages(report).includes("aborted"));
      assert(report.unchecked.length > 0);
      assertEquals([report.operations, report.clean], [operations, false]);
      assertEquals(contentsOf(path.slice(0, path.lastIndexOf("/")))["log.db"], before);
    });
  });
}

Deno.test("statistics that SQLite would compute as it reads the schema keep it from being read", async () => {
  await withFile(async (path) => {
    exec(path, "ANALYZE");
    const analyzed = await audit(path, { workers: 0 });
    assertEquals([analyzed.operations, analyzed.unchecked], [60, []]);
    const sql = "CREATE TABLE sqlite_stat1(tbl,idx,stat AS (hex(zeroblob(400000000))))";
    rewriteSchema(path, `UPDATE sqlite_schema SET sql = '${sql}' WHERE name = 'sqlite_stat1'`);
    const report = await audit(path, { workers: 0 });
    assertEquals(messages(report), "integrity: sqlite_stat1 is not as SQLite creates it");
    assertEquals([report.operations, report.unchecked.length], [0, 1]);
  });
});

Deno.test({
  name: "an audit keeps a file open once, and not when it was deleted",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await withFolder(async (folder) => {
      for (const name of ["first.log", "second.log"]) makeFile(`${folder}/${name}`, ops.slice(0, 3));
      const script = decodeURIComponent(new URL("children/open_files.ts", import.meta.url).pathname);
      const args = [
        "run",
        "--quiet",
        "--no-prompt",
        "--allow-all",
        script,
        `${folder}/first.log`,
        `${folder}/second.log`,
      ];
      const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
      assertEquals(new TextDecoder().decode(stdout), "first.log\nsecond.log\n");
    });
  },
});

Deno.test("a tree that leads back to its root is found, and not walked", async () => {
  await withFile(async (path) => {
    const root = rootOf(path, "ops");
    editPages(path, (pages) => {
      pages.bytesOf(root).set(interior(pages.size, true, root, 3, new Uint8Array([1])));
    });
    const report = await audit(path, { workers: 0 });
    assert(messages(report).includes("ops: page 2 is reached a second time"), messages(report));
    assertEquals(report.operations, 0);
  });
});

Deno.test("a value whose pages lead in a circle is found, and not read", async () => {
  const large = chain(3, "word ".repeat(4000));
  await withFile(async (path) => {
    editPages(path, (pages) => {
      // Pages of a value begin with the number of the next, and are full of the text.
      const isText = (n: number) =>
        new TextDecoder("latin1").decode(pages.bytesOf(n).subarray(100, 200)).includes("word");
      const values = Array.from({ length: pages.bytes.length / pages.size }, (_, i) => i + 1)
        .filter((n) => isText(n) && pages.page(n).getUint32(0) === n + 1);
      pages.page(values[1]).setUint32(0, values[0]);
    });
    const report = await audit(path, { workers: 0 });
    assert(/integrity: ops: page \d+ is reached a second time/.test(messages(report)), messages(report));
    assertEquals(report.operations, 0);
  }, large);
});

Deno.test("free pages that lead in a circle are found as damage", async () => {
  await withFile(async (path) => {
    exec(path, "CREATE TABLE x (y); INSERT INTO x VALUES (zeroblob(100000)); DROP TABLE x");
    const [trunk] = withDatabase(path, (db) => {
      db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").value();
      const view = new DataView(Deno.readFileSync(path).buffer);
      return [view.getUint32(32)];
    });
    assert(trunk > 0);
    editPages(path, (pages) => pages.page(trunk).setUint32(0, trunk));
    const report = await audit(path, { workers: 0 });
    assert(messages(report).startsWith("integrity: "), messages(report));
    assertEquals(report.operations, 60);
  });
});

Deno.test("pages that are not in the file are found as damage, and the rows elsewhere are looked at", async () => {
  await withFile(async (path) => {
    const root = rootOf(path, "ops");
    editPages(path, (pages) => pages.page(root).setUint32(pages.page(root).getUint16(12), 0x7fffffff));
    const report = await audit(path, { workers: 0 });
    assertEquals(new Set(report.findings.map(({ kind }) => kind)), new Set(["integrity"]));
    assert(report.operations > 0 && report.operations < 60, `${report.operations}`);
  });
});

Deno.test("a schema that is larger than a schema is, is not parsed", async () => {
  await withFile(async (path) => {
    const columns = Array.from({ length: 1000 }, (_, n) => `column_number_${n}`).join();
    exec(path, Array.from({ length: 80 }, (_, n) => `CREATE TABLE wide_${n} (${columns})`).join(";"));
    const report = await audit(path, { workers: 0 });
    assert(/integrity: the schema has \d+ bytes/.test(messages(report)), messages(report));
    assertEquals([report.operations, report.unchecked.length, report.clean], [0, 1, false]);
  });
});

const TEXT = "word ".repeat(1000);
const MORE = chain(50, TEXT).slice(40);
const LARGE = [
  ...chain(40, TEXT),
  Operation.create({ type: "note", body: { text: "x".repeat(1_000_000) } }, alice),
];

/** File layouts, and the header fields that declare them. */
const LAYOUTS: [what: string, layout: (path: string) => void, is: (header: DataView) => boolean][] = [
  ...[512, 1024, 2048, 4096, 8192, 16384, 32768, 65536].map((size): typeof LAYOUTS[number] => [
    `pages of ${size} bytes`,
    (path) => exec(path, `PRAGMA page_size = ${size}; CREATE TABLE x (y); DROP TABLE x`),
    (header) => header.getUint16(16) === size % 65535,
  ]),
  [
    "a map of its pages",
    (path) => exec(path, "PRAGMA auto_vacuum = FULL; CREATE TABLE x (y); DROP TABLE x"),
    (header) => header.getUint32(52) > 0,
  ],
  [
    "a map of its small pages, and free ones",
    (path) => {
      exec(path, "PRAGMA page_size = 512; PRAGMA auto_vacuum = INCREMENTAL; CREATE TABLE x (y)");
      exec(path, "INSERT INTO x VALUES (zeroblob(4000000)); DROP TABLE x");
    },
    (header) => header.getUint32(52) > 0 && header.getUint32(36) > 0,
  ],
  [
    "free pages",
    (path) =>
      exec(
        path,
        "PRAGMA auto_vacuum = NONE; CREATE TABLE x (y); INSERT INTO x VALUES (zeroblob(9000000)); DROP TABLE x",
      ),
    (header) => header.getUint32(36) > 0,
  ],
  [
    "bytes of every page that are kept for others",
    (path) => {
      exec(path, "PRAGMA page_size = 4096; PRAGMA auto_vacuum = NONE; CREATE TABLE x (y); DROP TABLE x; VACUUM");
      editBytes(path, (bytes) => {
        bytes[20] = 32;
        bytes.set([0x0f, 0xe0], 105); // what the page holds begins before them
        return bytes.slice(0, 4096);
      });
    },
    (header) => header.getUint8(20) === 32,
  ],
];

for (const [what, layout, is] of LAYOUTS) {
  Deno.test(`nothing is found in a log with large operations in a file with ${what}`, async () => {
    await withFolder(async (folder) => {
      const path = `${folder}/log.db`;
      layout(path);
      makeFile(path, LARGE);
      assert(is(new DataView(Deno.readFileSync(path).buffer)));
      const clean = { operations: LARGE.length, found: 0, findings: [], unchecked: [], clean: true };
      assertEquals(await audit(path, { workers: 0 }), clean);
      using log = OpLog.open(path);
      log.appendAll(MORE); // in the -wal
      assertEquals(await audit(path, { workers: 0 }), { ...clean, operations: LARGE.length + 10 });
    });
  });
}

Deno.test("an audit takes no lock away from a log that is open in the same process", async () => {
  await withFile(async (path) => {
    using log = OpLog.open(path);
    log.record(alice, "note", { text: "one" });
    await audit(path, { workers: 0 });
    // Another process that closes the log takes itself for the last when it finds no locks, and removes the -wal.
    const script = decodeURIComponent(new URL("children/reopen.ts", import.meta.url).pathname);
    const args = ["run", "--quiet", "--no-prompt", "--allow-all", script, path];
    assert((await new Deno.Command(Deno.execPath(), { args }).output()).success);
    const { opId } = log.record(alice, "note", { text: "two" });
    withDatabase(path, (db) => assertEquals(db.prepare("SELECT op_id FROM ops WHERE seq = 62").value(), [opId]));
  });
});

Deno.test("an audit takes no lock on -shm away from a log that is open in the same process", async () => {
  await withFile(async (path) => {
    using log = OpLog.open(path);
    for (let n = 0; n < 20; n++) log.record(alice, "note", { n });
    const changes = await changesOf(path);
    await audit(path, { workers: 0 });
    // Another process that finds no locks makes a new -shm, and counts from the beginning.
    const script = decodeURIComponent(new URL("children/reopen.ts", import.meta.url).pathname);
    const args = ["run", "--quiet", "--no-prompt", "--allow-all", script, path];
    assert((await new Deno.Command(Deno.execPath(), { args }).output()).success);
    assert(changes >= 20);
    assert(await changesOf(path) >= changes);
  });
});

/** How many changes `-shm` counts. To read it in this process would drop its locks. */
async function changesOf(path: string): Promise<number> {
  const { stdout } = await new Deno.Command("head", { args: ["-c", "12", `${path}-shm`] }).output();
  return new Uint32Array(stdout.slice(8).buffer)[0];
}

Deno.test("messages of findings have a bounded length", async () => {
  await withFile(async (path) => {
    exec(path, `CREATE TRIGGER long AFTER INSERT ON ops BEGIN SELECT '${"x".repeat(500_000)}'; END`);
    const report = await audit(path, { workers: 0 });
    assertEquals(report.findings.map(({ kind }) => kind), ["trigger"]);
    assert(report.findings[0].message.length < 3000);
  });
});
