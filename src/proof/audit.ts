/**
 * Audit: triggers stop programs, not someone who edits the file. An audit reads the whole file and says everything that
 * is not as the log left it.
 *
 * @module
 */

import { FileError } from "../errors.ts";
import { Connection } from "../log/connection.ts";
import { requireInteger } from "../log/entries.ts";
import { CheckPool } from "../log/ingest/pool.ts";
import { checkKeptCheckpoints } from "./audit/checkpoints.ts";
import { checkDerived } from "./audit/derived.ts";
import { checkIntegrity, openSchema, reading } from "./audit/file.ts";
import { type Finding, Findings } from "./audit/findings.ts";
import { type AuditProgress, checkRows, MOST_BYTES } from "./audit/rows.ts";
import { checkForeign, checkSchema, readObjects } from "./audit/schema.ts";

export type { Finding, FindingKind } from "./audit/findings.ts";
export type { AuditProgress } from "./audit/rows.ts";

/** How to audit. */
export interface AuditOptions {
  /** How many workers check signatures: as many as there are cores by default, 0 for none. What is found is the same. */
  workers?: number;
  /** Is told now and then how far it is. */
  onProgress?: (progress: AuditProgress) => void;
  /** Is told of every finding, as it is found. */
  onFinding?: (finding: Finding) => void;
  /** Ends it: the promise is rejected with the signal's reason. */
  signal?: AbortSignal;
  /** How long to wait for another process that locks the file, in milliseconds: 5,000 by default. */
  busyTimeoutMs?: number;
}

/** What an audit comes to. */
export interface AuditReport {
  /** How many operations were looked at. */
  operations: number;
  /** How many findings there are: 0 for a log that is as it should be. */
  found: number;
  /** The first 10,000 of them, in the order of `seq`; those about the whole file come first. */
  findings: Finding[];
  /** What was not looked at, because of what was found. */
  unchecked: string[];
}

const DEFAULT_BUSY_TIMEOUT_MS = 5000;

/**
 * Reads a whole log and says what is wrong with it: damage to the file (SQLite's own check), a schema that is not the
 * log's, wire texts that are not what they claim to be, columns that say something else, references to what is not
 * there or stands behind, `seq` that are missing, derived tables that a rebuild would change, and a kept checkpoint that
 * the log no longer begins with.
 *
 * The file may be damaged or hostile. What stands in it is a finding, whatever it is, and no error; an error is what
 * keeps the file from being read. It is never written to, and its `-wal` neither; `-shm` is, as by every reader. What
 * is appended meanwhile is not looked at.
 *
 * One cause is told once: of a wire text that was changed, it is not told that the columns beside it, what it follows
 * and what is derived from it no longer fit; of a row that was removed, not that others follow it. What an operation's
 * body says is not judged here: another implementation may append bodies that this one refuses. Neither are the states
 * of projections that a user wrote.
 *
 * Memory does not grow with the log, but for derived tables, which are made anew in memory.
 *
 * @param path The file.
 * @param options Workers, progress, abort.
 * @returns What was found.
 * @throws {Deno.errors.NotCapable} When Deno may not read the path, or not write `-wal` and `-shm` beside it.
 * @throws {FileError} `missing-file`, `is-a-folder`, `not-a-file`, `super-journal`, `locked`, `io`; `read-only` when it cannot be read without
 * writing: an interrupted change is to be rolled back, or commits stand beside it in a folder that cannot be written.
 * @throws {LogError} `invalid-argument`, `old-sqlite`, `worker-failed`.
 *
 * @example
 * ```ts
 * import { audit, Identity, OpLog } from "@mnema/oplog";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = Deno.makeTempDirSync();
 * {
 *   using log = OpLog.open(`${folder}/log.db`);
 *   log.record(Identity.generate(), "note", { text: "tea at four" });
 * }
 * const { operations, findings } = await audit(`${folder}/log.db`);
 * assertEquals([operations, findings], [1, []]);
 * Deno.removeSync(folder, { recursive: true });
 * ```
 */
export async function audit(path: string | URL, options: AuditOptions = {}): Promise<AuditReport> {
  const { workers = navigator.hardwareConcurrency, busyTimeoutMs = DEFAULT_BUSY_TIMEOUT_MS, signal } = options;
  requireInteger("workers", workers, 0);
  requireInteger("busyTimeoutMs", busyTimeoutMs, 0);
  signal?.throwIfAborted();
  const findings = new Findings(options.onFinding);
  let connection: Connection;
  try {
    connection = Connection.openToAudit(path, busyTimeoutMs);
  } catch (error) {
    if (!(error instanceof FileError) || error.code !== "not-a-database") throw error;
    findings.add({ kind: "integrity", message: error.message });
    return reportOf(findings, 0);
  }
  const pool = new CheckPool(workers, MOST_BYTES, undefined, false);
  try {
    return reportOf(findings, await auditFile(connection, findings, pool, options));
  } finally {
    pool.close();
    connection.close();
  }
}

/** Makes every check, each as far as what was found before allows, and returns how many operations there are. */
async function auditFile(
  connection: Connection,
  findings: Findings,
  pool: CheckPool,
  { onProgress, signal }: AuditOptions,
): Promise<number> {
  if (!openSchema(connection, findings)) return 0;
  const objects = readObjects(connection, findings);
  const isLog = checkSchema(connection, objects, findings);
  const hasIndexes = checkIntegrity(connection, objects, findings);
  if (!isLog) {
    checkForeign(connection, objects, findings);
    findings.unchecked.push("operations: there is no table of them as it should be");
    return 0;
  }
  const { operations } = await checkRows(connection, findings, { pool, hasIndexes, onProgress, signal });
  signal?.throwIfAborted();
  reading(() => {
    const confirmed = checkDerived(connection, findings);
    checkKeptCheckpoints(connection, { objects, operations, confirmed }, findings);
  }, (message) => findings.addFault({ kind: "integrity", message }));
  checkForeign(connection, objects, findings);
  return operations;
}

function reportOf(findings: Findings, operations: number): AuditReport {
  return { operations, found: findings.count, findings: findings.sorted(), unchecked: findings.unchecked };
}
