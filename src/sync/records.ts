/**
 * The records of a log that are reconciled.
 *
 * @module
 */

import { fromHex } from "../bytes.ts";
import { internalsOf, type OpLog } from "../oplog.ts";
import { MemoryStorage } from "./negentropy/memory.ts";
import type { RecordStorage } from "./negentropy/storage.ts";

const MAX_SECOND = 2 ** 32 - 1;

/** Runs `use` with the records of a log, as they are in one read transaction. */
export function withRecords<T>(log: OpLog, use: (records: RecordStorage) => T): T {
  const rows = internalsOf(log).connection.query("SELECT ts, op_id FROM ops").values<[number, string]>();
  return use(
    new MemoryStorage(rows.map(([ts, opId]) => ({
      timestamp: Math.min(Math.floor(ts / 1000), MAX_SECOND),
      id: fromHex(opId.slice("op_".length)),
    }))),
  );
}
