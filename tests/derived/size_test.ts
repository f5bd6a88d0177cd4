import { assertEquals } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { countOperations } from "../../src/derived/size.ts";
import { internalsOf } from "../../src/oplog.ts";
import { withDatabase } from "../folder.ts";
import { note } from "../operations.ts";
import { insertOutside } from "../outside.ts";
import { behindTriggers } from "../audit/tamper.ts";
import { UNCHECKED, withLog } from "./logs.ts";

const notes = Array.from({ length: 300 }, (_, n) => note(`${n}`));

/** A closed log of all notes but the last ten, whose tree has seen all of them. */
function withMade(use: (path: string) => void): void {
  withLog((path) => {
    {
      using log = OpLog.open(path);
      log.appendAll(notes.slice(0, -10), UNCHECKED);
    }
    use(path);
  });
}

/** The sizes that a log says for writing and for reading alone. */
function sizesOf(path: string): number[] {
  return [false, true].map((readonly) => {
    using log = OpLog.open(path, { readonly });
    return log.size;
  });
}

Deno.test("the size is known without a look at all operations", () => {
  withMade((path) => {
    using log = OpLog.open(path);
    log.appendAll(notes.slice(-10, -5), UNCHECKED);
    const { connection } = internalsOf(log);
    const statements = new Set<string>();
    const query = connection.query.bind(connection);
    connection.query = (sql) => {
      statements.add(sql);
      return query(sql);
    };
    assertEquals(countOperations(connection), 295);
    const scans = [...statements].flatMap((sql) =>
      query(`EXPLAIN QUERY PLAN ${sql}`).values<[number, number, number, string]>()
        .filter(([, , , detail]) => /^SCAN (ops|mnema)/.test(detail))
    );
    assertEquals(scans, []);
  });
});

Deno.test("the size counts what another implementation has appended", () => {
  withMade((path) => {
    insertOutside(path, notes.slice(-10, -5));
    assertEquals(sizesOf(path), [295, 295]);
    insertOutside(path, notes.slice(-5));
    assertEquals(sizesOf(path), [300, 300]);
  });
});

Deno.test("the size counts what is appended in a transaction, and not what was rolled back", async () => {
  using log = OpLog.open();
  log.appendAll(notes.slice(0, 200), UNCHECKED);
  const during: number[] = [];
  const wires = notes.slice(200).map(({ wire }) => wire);
  const onProgress = () => void during.push(log.size);
  await log.ingest([...wires, "{}"], { atomic: true, onProgress }).catch(() => {});
  assertEquals(log.size, 200);
  await log.ingest(wires, { atomic: true, onProgress });
  assertEquals([log.size, during.at(-1)], [300, 300]);
});

Deno.test("the size of a log with gaps, which others can leave, is the number of its operations", () => {
  withMade((path) => {
    const { opId, type, author, ts, wire } = notes[290];
    behindTriggers(path, (database) => {
      database.prepare("INSERT INTO ops VALUES (400, ?, ?, ?, ?, ?)").run(opId, type, author, ts, wire);
    });
    assertEquals(sizesOf(path), [291, 291]);
    using log = OpLog.open(path);
    log.rebuild();
    assertEquals(log.size, 291);
    log.appendAll(notes.slice(-9), UNCHECKED);
    assertEquals(log.size, 300);
  });
});

const DAMAGE: [what: string, sql: string][] = [
  ["without the tree", "DROP TABLE mnema_tiles"],
  ["without watermarks", "DROP TABLE mnema_watermarks"],
  ["with an empty tree", "DELETE FROM mnema_tiles"],
  ["with a tile that is no tile", "UPDATE mnema_tiles SET hashes = x'00'"],
  ["with a tile that is cut short", "UPDATE mnema_tiles SET hashes = substr(hashes, 1, 64) WHERE id = 1"],
  ["with a tile too many", "INSERT INTO mnema_tiles VALUES (1000000, zeroblob(32))"],
  ["with a watermark that is too small", "UPDATE mnema_watermarks SET seq = 288 WHERE name = 'tree'"],
  ["with a watermark beyond the end", "UPDATE mnema_watermarks SET seq = 1000000 WHERE name = 'tree'"],
  ["with a watermark that is no number", "UPDATE mnema_watermarks SET seq = 'all' WHERE name = 'tree'"],
];

for (const [what, sql] of DAMAGE) {
  Deno.test(`the size of a log ${what} is right`, () => {
    withMade((path) => {
      withDatabase(path, (database) => database.exec(sql));
      assertEquals(sizesOf(path), [290, 290]);
    });
  });
}
