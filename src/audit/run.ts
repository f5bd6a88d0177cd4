/**
 * The part of an audit that uses SQLite, on the calling thread or in a worker.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { CheckPool } from "../ingest/pool.ts";
import { checkCheckpoints, type GivenCheckpoint } from "./checkpoints.ts";
import { checkDerived } from "./derived.ts";
import { reading } from "./damage.ts";
import { checkIntegrity, openSchema } from "./integrity.ts";
import type { Findings } from "./findings.ts";
import { openToAudit } from "./open.ts";
import { type AuditProgress, checkRows, MAX_WIRE_BYTES } from "./rows.ts";
import { checkForeign, checkSchema, readObjects } from "./schema.ts";
import { isSafe, type Structure } from "./structure.ts";

/** What to audit. It can be posted to a worker. */
export interface AuditRequest {
  /** The file. */
  path: string;
  /** How long to wait for a lock that another connection holds, in milliseconds. */
  busyTimeoutMs: number;
  /** How many workers check signatures. */
  workers: number;
  /** The structure of the file, read without SQLite. */
  structure: Structure;
  /** Checkpoints that the log must be consistent with. */
  checkpoints: readonly GivenCheckpoint[];
  /** Verifier keys of stored checkpoints, beside those that their origins name. */
  vkeys: readonly string[];
}

/** Progress and abort. */
export interface Watcher {
  /** Called now and then with the progress. */
  onProgress?: (progress: AuditProgress) => void;
  /** Aborts it. */
  signal?: AbortSignal;
}

/** Runs every check that earlier findings allow, and returns how many operations there are. */
export async function runAudit(request: AuditRequest, findings: Findings, watcher: Watcher): Promise<number> {
  const { connection } = openToAudit(request.path, request.busyTimeoutMs);
  try {
    return await auditFile(connection, request, findings, watcher);
  } finally {
    connection.close();
  }
}

/** As {@linkcode runAudit}, on an open file. */
export async function auditFile(
  connection: Connection,
  request: AuditRequest,
  findings: Findings,
  { onProgress, signal }: Watcher,
): Promise<number> {
  const { structure } = request;
  reportStructure(structure, findings);
  if (!structure.isSchemaSafe) {
    findings.skip("operations and all else: the schema of the file cannot be read");
    return 0;
  }
  if (!openSchema(connection, findings)) return 0;
  const objects = readObjects(connection, findings);
  const isLog = checkSchema(connection, objects, findings);
  const hasIndexes = checkIntegrity(connection, objects, structure, findings);
  const isWalkable = structure.unsafe.every(({ name }) => name !== "ops");
  if (!isLog || !isWalkable) {
    checkForeign(connection, objects, findings);
    const why = isLog ? "ops reaches a page twice" : "ops has an unexpected schema";
    findings.skip(`operations: ${why}`);
    return 0;
  }
  const pool = new CheckPool(request.workers, MAX_WIRE_BYTES, undefined, false);
  const hasSequence = isSafe(structure, "sqlite_sequence");
  try {
    const { operations } = await checkRows(connection, findings, {
      pool,
      hasIndexes,
      hasSequence,
      onProgress,
      signal,
    });
    signal?.throwIfAborted();
    reading(() => {
      const confirmed = checkDerived(connection, structure, findings);
      checkCheckpoints(connection, { objects, confirmed, hasIndexes, ...request }, findings);
    }, (message) => findings.addFault({ kind: "integrity", message }));
    checkForeign(connection, objects, findings);
    return operations;
  } finally {
    pool.close();
  }
}

/** Reports what was found without SQLite, except what SQLite's integrity check reports as well. */
function reportStructure({ findings: found, unread }: Structure, findings: Findings): void {
  if (unread !== undefined) findings.skip(unread);
  for (const { message, table } of found) {
    if (table === "ops") findings.addFault({ kind: "integrity", message });
    else findings.add({ kind: "integrity", message });
  }
}
