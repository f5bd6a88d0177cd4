/**
 * Changes to a log's file by other programs.
 *
 * @module
 */

import type { Operation } from "../mod.ts";
import { withDatabase } from "./folder.ts";

/** Inserts operations as another implementation does, which writes only the table `ops`. */
export function insertOutside(path: string, ops: readonly Operation[]): void {
  const rows = ops.map(({ opId, type, author, ts, wire }) => [opId, type, author, ts, wire]);
  const columns = [0, 1, 2, 3, 4].map((column) => `value ->> ${column}`);
  withDatabase(path, (database) => {
    database.prepare(`INSERT INTO ops (op_id, type, author, ts, wire) SELECT ${columns} FROM json_each(?) ORDER BY key`)
      .run(JSON.stringify(rows));
  });
}

/** Runs `work` while another connection holds the write lock. */
export function whileLocked<T>(path: string, work: () => T): T {
  return withDatabase(path, (database) => {
    database.exec("BEGIN IMMEDIATE");
    try {
      return work();
    } finally {
      database.exec("ROLLBACK");
    }
  });
}
