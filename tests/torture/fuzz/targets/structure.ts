/**
 * Files of databases, read without SQLite: their pages, trees, schema and `-wal`, whatever is in them.
 *
 * An input is the file, behind its length in four bytes, and then the `-wal`.
 *
 * @module
 */

import { hasRefusedWal, readStructure } from "../../../../src/audit/structure.ts";
import { withDatabase } from "../../../folder.ts";
import { chain } from "../../../audit/tamper.ts";
import { OpLog } from "../../../../mod.ts";
import { bytesOf, require, type Target } from "../target.ts";

const PAGE = 512;
/** What one object, finding or fault may take; a message has a bounded length. */
const MAX_MESSAGE = 2000;

function join(file: Uint8Array, wal: Uint8Array = new Uint8Array()): Uint8Array {
  const bytes = new Uint8Array(4 + file.length + wal.length);
  new DataView(bytes.buffer).setUint32(0, file.length);
  bytes.set(file, 4);
  bytes.set(wal, 4 + file.length);
  return bytes;
}

/** Small files: with pages that overflow, with free pages, and with commits in a `-wal`. */
function samples(folder: string): Uint8Array[] {
  const plain = `${folder}/plain.db`;
  withDatabase(plain, (database) => {
    database.exec(`PRAGMA page_size = ${PAGE}; CREATE TABLE ops (seq INTEGER PRIMARY KEY, wire TEXT)`);
    database.exec("CREATE INDEX wires ON ops (wire); INSERT INTO ops (wire) VALUES ('a'), ('b'), (hex(zeroblob(900)))");
    database.exec(
      "WITH n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 60) INSERT INTO ops (wire) SELECT i FROM n",
    );
    database.exec("DELETE FROM ops WHERE seq BETWEEN 5 AND 25");
  });
  const log = `${folder}/log.db`;
  withDatabase(log, (database) => database.exec(`PRAGMA page_size = ${PAGE}; VACUUM`));
  using open = OpLog.open(log);
  open.appendAll(chain(3, "word"));
  return [
    join(Deno.readFileSync(plain)),
    join(Deno.readFileSync(log), Deno.readFileSync(`${log}-wal`).subarray(0, 8000)),
  ];
}

export const target: Target = {
  start(folder) {
    const path = `${folder}/fuzzed.db`;
    return {
      seeds: samples(folder),
      tokens: [
        "SQLite format 3\0",
        "CREATE TABLE ops (seq INTEGER PRIMARY KEY, wire TEXT)",
        "tableopsops",
        Uint8Array.of(0x0d, 0, 0),
        Uint8Array.of(5, 0, 0),
        Uint8Array.of(2, 0, 0),
        Uint8Array.of(0x0a, 0, 0),
        Uint8Array.of(0x37, 0x7f, 6, 0x82),
        Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
        Uint8Array.of(0, 0, 0, 1),
        Uint8Array.of(0, 0, 0, 2),
        bytesOf("\x81\x80"),
      ],
      run(input) {
        const length = input.length < 4 ? 0 : new DataView(input.buffer, input.byteOffset).getUint32(0);
        const [file, wal] = [input.subarray(4, 4 + length), input.subarray(4 + length)];
        Deno.writeFileSync(path, file);
        Deno.writeFileSync(`${path}-wal`, wal);
        const { findings, faults, objects, unsafe, unread } = readStructure(path);
        hasRefusedWal(path);
        const messages = [...findings.map(({ message }) => message), ...faults, unread ?? ""];
        require(messages.every((message) => message.length < MAX_MESSAGE), "messages have a bounded length");
        require(messages.length < 1000, "there are not more messages than anybody reads");
        require(objects.length <= input.length && unsafe.length <= input.length, "an object has a byte");
      },
    };
  },
};
