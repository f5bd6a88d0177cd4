/**
 * Measures SQLite alone, with the table and the settings of this log: the payloads are put into its rows as they are.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { definitionOf } from "../../src/audit/expected_schema.ts";
import { openLog } from "../../src/log/open.ts";
import { author } from "../generate.ts";
import { measureStore } from "./measure.mjs";

const INSERT = "INSERT INTO ops (op_id, type, author, ts, wire) VALUES (?, ?, ?, ?, ?)";
const signer = author(0).author;
const { connection: probe } = openLog(":memory:", {}, definitionOf);
const [version] = probe.query("SELECT sqlite_version()").value<[string]>()!;
probe.close();

await measureStore(version, (path) => {
  const { connection } = openLog(`${path}.db`, {}, definitionOf);
  const ids: string[] = [];
  const append = (payload: string) => {
    const id = "op_" + createHash("sha256").update(payload).digest("hex");
    connection.query(INSERT).run(id, "evidence.add", signer, ids.push(id), payload);
  };
  return {
    append,
    appendMany: (payloads) => connection.transaction(() => payloads.forEach(append)),
    readAll() {
      let count = 0;
      for (let last = 0;; last = count) {
        const page = connection.query("SELECT seq, wire FROM ops WHERE seq > ? ORDER BY seq LIMIT 1000").values(last);
        if (page.length === 0) return count;
        count += page.length;
      }
    },
    get: (index) => connection.query("SELECT seq, wire FROM ops WHERE op_id = ?").value(ids[index]),
    close() {
      connection.close();
      ids.length = 0;
    },
  };
});
