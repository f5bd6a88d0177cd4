/**
 * Audit: triggers stop programs, not someone who edits the file. An audit reads the whole file and says everything that
 * is not as the log left it.
 *
 * @module
 */

import { FileError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { requireInteger } from "../log/entries.ts";
import { locate } from "../sqlite/permissions.ts";
import { readCheckpoint } from "./checkpoints.ts";
import { reading } from "./damage.ts";
import { type Finding, Findings } from "./findings.ts";
import { type AuditedFile, openToAudit } from "./open.ts";
import { isOwn } from "./schema.ts";
import type { AuditProgress } from "./rows.ts";
import { auditFile, type AuditRequest, runAudit } from "./run.ts";
import { hasRefusedWal, readStructure, type Structure } from "./structure.ts";
import { auditInWorker } from "./supervise.ts";
import { parseVerifierKey } from "../tlog/note.ts";

export type { Finding, FindingKind } from "./findings.ts";
export type { AuditProgress } from "./rows.ts";

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
  /**
   * Checkpoints that somebody else holds: the log must begin with what they say. They are signed by one of `vkeys`, or,
   * where none is given, by the author that is named in their origin.
   */
  checkpoints?: readonly string[];
  /** Verifier keys, for checkpoints whose origin does not name the author: those above, and those that the log kept. */
  vkeys?: readonly string[];
  /**
   * After how many milliseconds without a sign of it the part of an audit that reads a file which is not plainly a log is
   * given up: by default a minute, and a second for each MiB of the file.
   */
  stallTimeoutMs?: number;
}

/** What an audit comes to. */
export interface AuditReport {
  /** How many operations were looked at. */
  operations: number;
  /** How many findings there are: 0 for a log that is as it should be. */
  found: number;
  /** The first 10,000 of them, in the order of `seq`; those about the whole file come first. */
  findings: Finding[];
  /** What was not looked at, because of what was found or because it cannot be: nothing is known of it. */
  unchecked: string[];
  /** Whether nothing was found, and nothing was left out. */
  clean: boolean;
}

const DEFAULT_BUSY_TIMEOUT_MS = 5000;
const BASE_STALL_TIMEOUT_MS = 60_000;
const STALL_TIMEOUT_MS_PER_MIB = 1000;

/**
 * Reads a whole log and says what is wrong with it: damage to the file (SQLite's own check), a schema that is not the
 * log's, wire texts that are not what they claim to be, columns that say something else, references to what is not
 * there or stands behind, `seq` that are missing, derived tables that a rebuild would change, commits in the `-wal` that
 * SQLite no longer reads, and checkpoints that the log no longer begins with, or that are not signed.
 *
 * The file may be damaged or hostile. What stands in it is a finding, whatever it is, and no error; an error is what
 * keeps the file from being read. It is never written to, and its `-wal` neither; `-shm` is, as by every reader. What
 * is appended meanwhile is not looked at.
 *
 * An audit ends. The b-trees of the file are walked before SQLite does, and where one visits a page twice, SQLite is
 * kept from it: see `unchecked`. A file that is not plainly a log is read in a worker, where workers can be had, and
 * that worker is given up when SQLite does not come back: then that is a finding. The thread of such a worker goes on,
 * and keeps the process from ending by itself: call `Deno.exit`.
 *
 * One cause is told once: of a wire text that was changed, it is not told that the columns beside it, what it follows
 * and what is derived from it no longer fit; of a row that was removed, not that others follow it. What an operation's
 * body says is not judged here: another implementation may append bodies that this one refuses. Neither are the states
 * of projections that a user wrote.
 *
 * Memory does not grow with the log, but for derived tables, which are made anew in memory, and a bit for each page. The
 * file stays open until it is deleted or the process ends, once for each file: to close it would take SQLite's locks
 * away from whoever has the log open in this process. So does the end of a worker in which `audit` was called: call it
 * where the program itself runs, or in a worker that stays.
 *
 * @param path The file.
 * @param options Workers, progress, abort, checkpoints of others.
 * @returns What was found.
 * @throws {Deno.errors.NotCapable} When Deno may not read the path, or not write `-wal` and `-shm` beside it.
 * @throws {FileError} `missing-file`, `is-a-folder`, `not-a-file`, `super-journal`, `locked`, `io`; `read-only` when it cannot be read without
 * writing: an interrupted change is to be rolled back, or commits stand beside it in a folder that cannot be written.
 * @throws {ProofError} `bad-checkpoint`, `bad-key` when a checkpoint that was given is none, or not signed by its key.
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
  if (options.stallTimeoutMs !== undefined) requireInteger("stallTimeoutMs", options.stallTimeoutMs, 1);
  signal?.throwIfAborted();
  const vkeys = options.vkeys ?? [];
  vkeys.forEach(parseVerifierKey);
  const checkpoints = (options.checkpoints ?? []).map((text) => readCheckpoint(text, vkeys));
  const findings = new Findings(options.onFinding);
  let file: AuditedFile;
  try {
    file = openToAudit(path, busyTimeoutMs);
  } catch (error) {
    const message = damageOnOpen(error);
    if (message === undefined) throw error;
    findings.add({ kind: "integrity", message });
    findings.skip("all that is in the file");
    return reportOf(findings, 0);
  }
  const { connection } = file;
  let request: AuditRequest;
  try {
    const structure = lookAt(connection);
    request = { path: connection.path, busyTimeoutMs, workers, structure, checkpoints, vkeys };
    if (isPlain(structure)) {
      const operations = await auditFile(connection, request, findings, options);
      file.closeAndTidy();
      return reportOf(findings, operations);
    }
  } finally {
    connection.close();
  }
  const { stallTimeoutMs = BASE_STALL_TIMEOUT_MS + STALL_TIMEOUT_MS_PER_MIB * request.structure.bytes / 2 ** 20 } =
    options;
  const operations = await auditInWorker(request, findings, options, { stallTimeoutMs });
  return reportOf(findings, operations ?? await runAudit(request, findings, options));
}

/** What in a file keeps SQLite from opening it; undefined when it is something else. */
function damageOnOpen(error: unknown): string | undefined {
  if (!(error instanceof FileError)) return undefined;
  if (error.code === "not-a-database") return error.message;
  if (error.code !== "read-only" || !hasRefusedWal(locate(error.path, true).name)) return undefined;
  return `SQLite refuses ${error.path}-wal: its header has a version that is not known`;
}

/** Looks at the structure of the file while SQLite keeps it as it is. */
function lookAt(connection: Connection): Structure {
  return connection.snapshot(() => {
    // Begins the read transaction, and reads nothing but the header: what SQLite says of that is told later.
    reading(() => void connection.query("PRAGMA schema_version").value(), () => {});
    return readStructure(locate(connection.path, true).name);
  });
}

/** Whether the file holds nothing but what a log has in it, all in order: then SQLite comes back from reading it. */
function isPlain({ unsafe, faults, findings, isSchemaSafe, unread, objects }: Structure): boolean {
  return isSchemaSafe && unread === undefined && unsafe.length + faults.length + findings.length === 0 &&
    objects.every((object) => object.sql === null || isOwn(object));
}

function reportOf(findings: Findings, operations: number): AuditReport {
  const { count, unchecked } = findings;
  return { operations, found: count, findings: findings.sorted(), unchecked, clean: count + unchecked.length === 0 };
}
