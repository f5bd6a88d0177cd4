/**
 * Audits a log. Triggers stop programs, not someone who edits the file: an audit reads the whole file and reports every
 * difference from what the log would have written.
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
import { isExpected } from "./schema.ts";
import type { AuditProgress } from "./rows.ts";
import { auditFile, type AuditRequest, runAudit } from "./run.ts";
import { hasRefusedWal, readStructure, type Structure } from "./structure.ts";
import { auditInWorker } from "./supervise.ts";
import { parseVerifierKey } from "../tlog/note.ts";
import type { WalIndex } from "./wal.ts";
import { readWalIndex } from "./wal_index.ts";

export type { Finding, FindingKind } from "./findings.ts";
export type { AuditProgress } from "./rows.ts";

/** How to audit. */
export interface AuditOptions {
  /** How many workers check signatures: as many as there are cores by default, 0 for none. What is found is the same. */
  workers?: number;
  /** Called now and then with the progress. */
  onProgress?: (progress: AuditProgress) => void;
  /** Called with every finding, as it is found. */
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
  /** Verifier keys, for checkpoints whose origin does not name the author: those above, and those stored in the log. */
  vkeys?: readonly string[];
  /**
   * Limit, in milliseconds, of the time without progress in which SQLite reads a file with an unexpected structure; then
   * the audit is aborted. By default a minute, and a second for each MiB of the file.
   */
  stallTimeoutMs?: number;
}

/** The result of an audit. */
export interface AuditReport {
  /** How many operations were checked. */
  operations: number;
  /** How many findings there are: 0 for an intact log. */
  found: number;
  /** The first 10,000 of them, in the order of `seq`; those about the whole file come first. */
  findings: Finding[];
  /** What was not checked, and why: a finding prevents the check, or it is not possible. */
  unchecked: string[];
  /** Whether everything was checked and nothing was found. */
  clean: boolean;
}

const DEFAULT_BUSY_TIMEOUT_MS = 5000;
const BASE_STALL_TIMEOUT_MS = 60_000;
const STALL_TIMEOUT_MS_PER_MIB = 1000;

/**
 * Reads a whole log and reports what is wrong with it: damage to the file (SQLite's integrity check), an unexpected
 * schema, wire texts that are not valid, not the content of their id or not signed, columns that differ from the wire
 * text, references to operations that are missing or come later, gaps in `seq`, derived tables that a rebuild would
 * change, commits in the `-wal` that SQLite no longer reads, and checkpoints that the log contradicts, or that are not
 * signed.
 *
 * The file may be damaged or hostile. Any content yields findings, never exceptions; an exception means that the file
 * cannot be read. Neither it nor its `-wal` is ever written; `-shm` is, as by every reader. What is appended meanwhile is
 * not checked.
 *
 * An audit always terminates. It walks the b-trees of the file before SQLite does; where one reaches a page twice, SQLite
 * does not read it: see `unchecked`. A file with an unexpected structure is read in a worker, where workers are
 * available, and a worker in which SQLite makes no progress is abandoned, which is a finding. The thread of such a worker
 * goes on, and keeps the process from ending by itself: call `Deno.exit`.
 *
 * Each root cause is reported once; its consequences are suppressed: for a changed wire text, that its columns, its
 * references and what is derived from it no longer match; for a removed row, that others follow it. The bodies of
 * operations are not checked: another implementation may append bodies that this one rejects. Neither are the states of
 * projections that a user wrote.
 *
 * Memory does not grow with the log, except for derived tables, which are rebuilt in memory, and a bit for each page. The
 * file and its `-shm` stay open until they are deleted or the process ends, once for each file: closing them would drop
 * the locks of SQLite's connections in this process. The end of a worker in which `audit` was called closes them, too:
 * call `audit` on the main thread, or in a worker that stays.
 *
 * @param path The file.
 * @param options Workers, progress, abort, checkpoints of others.
 * @returns What was found.
 * @throws {Deno.errors.NotCapable} When Deno may not read the path, or not write `-wal` and `-shm` beside it.
 * @throws {FileError} `missing-file`, `is-a-folder`, `not-a-file`, `super-journal`, `locked`, `io`; `read-only` when it
 * cannot be read without writing: an interrupted change must be rolled back, or there are commits in a `-wal` in a folder
 * that cannot be written.
 * @throws {ProofError} `bad-checkpoint`, `bad-key` when a given checkpoint is malformed, or not signed by its key.
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
  let index: WalIndex | undefined;
  try {
    file = openToAudit(path, busyTimeoutMs, (name) => void (index = readWalIndex(`${name}-shm`)));
  } catch (error) {
    const message = damageOnOpen(error);
    if (message === undefined) throw error;
    findings.add({ kind: "integrity", message });
    findings.skip("the whole content of the file");
    return reportOf(findings, 0);
  }
  const { connection } = file;
  let request: AuditRequest;
  try {
    const structure = readStructureOf(connection, index);
    request = { path: connection.path, busyTimeoutMs, workers, structure, checkpoints, vkeys };
    if (hasExpectedStructure(structure)) {
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

/** The damage that prevents SQLite from opening a file; undefined for other errors. */
function damageOnOpen(error: unknown): string | undefined {
  if (!(error instanceof FileError)) return undefined;
  if (error.code === "not-a-database") return error.message;
  if (error.code !== "read-only" || !hasRefusedWal(locate(error.path, true).name)) return undefined;
  return `SQLite refuses ${error.path}-wal: its header has an unknown version`;
}

/** Reads the structure of the file in a read transaction. */
function readStructureOf(connection: Connection, index: WalIndex | undefined): Structure {
  return connection.snapshot(() => {
    // Begins the read transaction, and reads nothing but the header: damage to it is reported later.
    reading(() => void connection.query("PRAGMA schema_version").value(), () => {});
    return readStructure(locate(connection.path, true).name, index);
  });
}

/** Whether the file has the expected schema and intact b-trees: then SQLite terminates when it reads the file. */
function hasExpectedStructure({ unsafe, faults, findings, isSchemaSafe, unread, objects }: Structure): boolean {
  return isSchemaSafe && unread === undefined && unsafe.length + faults.length + findings.length === 0 &&
    objects.every((object) => object.sql === null || isExpected(object));
}

function reportOf(findings: Findings, operations: number): AuditReport {
  const { count, unchecked } = findings;
  return { operations, found: count, findings: findings.sorted(), unchecked, clean: count + unchecked.length === 0 };
}
