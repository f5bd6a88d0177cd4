/**
 * Checks the log against signed checkpoints: those stored in it, and those that somebody else holds.
 *
 * Each stored checkpoint is checked: its signature, the size column beside it, that none is missing between the others,
 * and its root against that of the log, unless rows that it covers are faulty. That the newest stored checkpoints were
 * removed cannot be seen in the file: those that others hold show it.
 *
 * @module
 */

import { ProofError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import type { TableProjection } from "../derived/table_projection.ts";
import { lastSeq } from "../log/entries.ts";
import { counted } from "../text.ts";
import { type Checkpoint, parseCheckpoint } from "../tlog/checkpoint.ts";
import { equalHashes, treeRoot } from "../tlog/merkle.ts";
import { parseVerifierKey } from "../tlog/note.ts";
import { hashReader, tree, treeSize } from "../derived/tree.ts";
import { withRebuilt } from "./derived.ts";
import { reading } from "./damage.ts";
import type { Findings } from "./findings.ts";
import type { SchemaObject } from "../log/objects.ts";
import { isExpected } from "./schema.ts";
import { keysInOrigin, requireSigned, Signers } from "./signers.ts";
import { isSafe, largestRow, type Structure } from "./structure.ts";

/** Limit of a checkpoint; one of the log has some 300 bytes. */
export const MAX_CHECKPOINT_BYTES: number = 1 << 16;
const PAGE_ROWS = 500;
const SELECT_STORED = "SELECT rowid, CASE typeof(size) WHEN 'integer' THEN size END, " +
  `CASE typeof(note) WHEN 'text' THEN note END FROM main.checkpoints NOT INDEXED WHERE rowid > ? ORDER BY rowid ` +
  `LIMIT ${PAGE_ROWS}`;
const BEFORE_ALL = Number.MIN_SAFE_INTEGER;

/** A checkpoint that somebody else holds, with a verified signature. */
export type GivenCheckpoint = Checkpoint;

/** The results of earlier checks. */
export interface Known {
  /** The schema of the file. It may be hostile. */
  objects: readonly SchemaObject[];
  /** The structure of the file. */
  structure: Structure;
  /** The projections whose tables are equal to what the log derives. */
  confirmed: ReadonlySet<TableProjection>;
  /** Whether the indexes of `ops` are intact. */
  hasIndexes: boolean;
  /** Checkpoints that others hold. */
  checkpoints: readonly GivenCheckpoint[];
  /** Verifier keys of stored checkpoints whose origin does not name one. */
  vkeys: readonly string[];
}

/**
 * Reads a checkpoint that somebody else holds.
 *
 * @param text The checkpoint, whole.
 * @param vkeys Verifier keys, any of which may have signed it; none when its origin names the key.
 * @throws {ProofError} `bad-checkpoint`, `bad-key`; no message quotes a text that is no checkpoint.
 */
export function readCheckpoint(text: string, vkeys: readonly string[]): GivenCheckpoint {
  let checkpoint: Checkpoint;
  try {
    checkpoint = parseCheckpoint(text);
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    throw new ProofError(
      "bad-checkpoint",
      "this is not a checkpoint: three lines of origin, size and root, an empty line, and signatures",
    );
  }
  const { origin } = checkpoint;
  const keys = vkeys.length > 0 ? vkeys.map(parseVerifierKey) : keysInOrigin(origin);
  if (keys.length === 0) {
    throw new ProofError("bad-key", `the origin ${JSON.stringify(origin)} names no key; give the verifier key, too`);
  }
  requireSigned(checkpoint, keys);
  return checkpoint;
}

/**
 * Compares checkpoints with the log.
 *
 * @param connection The log's file.
 * @param known The results of earlier checks.
 * @param findings Takes what is found.
 */
export function checkCheckpoints(connection: Connection, known: Known, findings: Findings): void {
  let hasStored = canReadStored(known, findings);
  if (!hasStored && known.checkpoints.length === 0) return;
  connection.temporarily(() => {
    const largest = reading(
      () => hasStored ? checkNotes(connection, known, findings) : 0,
      (said) => {
        findings.add({ kind: "checkpoint", message: `the stored checkpoints cannot be read: ${said}` });
        hasStored = false;
        return 0;
      },
    );
    const given = known.checkpoints.map(({ size }) => size).filter((size) => findings.areSound(size));
    const upTo = Math.max(largest, ...given);
    const compare = () => {
      const size = upTo === 0 || lastSeq(connection) === 0 ? 0 : treeSize(connection);
      if (hasStored) checkStoredRoots(connection, size, findings);
      for (const checkpoint of known.checkpoints) checkGivenRoot(connection, size, checkpoint, findings);
    };
    if (upTo === 0 || known.confirmed.has(tree) && treeSize(connection) >= upTo) compare();
    else withRebuilt(connection, upTo, [tree], compare);
  });
}

/** Whether there are stored checkpoints that can be read. */
function canReadStored({ objects, structure }: Known, findings: Findings): boolean {
  const table = objects.find(({ name }) => name === "checkpoints");
  if (table === undefined) return false;
  if (!isExpected(table)) { // which the schema check reports
    findings.skip("stored checkpoints: their table has an unexpected schema");
    return false;
  }
  if (!isSafe(structure, "checkpoints")) {
    findings.skip("stored checkpoints: their table reaches a page twice");
    return false;
  }
  const bytes = largestRow(structure, "checkpoints");
  if (bytes > MAX_CHECKPOINT_BYTES) {
    const message = `a stored checkpoint has ${bytes} bytes, and more than ${MAX_CHECKPOINT_BYTES} are not read`;
    findings.add({ kind: "checkpoint", message });
    return false;
  }
  return true;
}

interface Stored {
  rowid: number;
  size: number | null;
  note: string | null;
}

function* readStored(connection: Connection): Generator<Stored[]> {
  for (let after = BEFORE_ALL;;) {
    const rows = connection.query(SELECT_STORED).values<[number, number | null, string | null]>(after);
    const page = rows.map(([rowid, size, note]) => ({ rowid, size, note })).filter(({ rowid }) => rowid > after);
    if (page.length === 0) return;
    yield page;
    after = page[page.length - 1].rowid;
    if (!Number.isSafeInteger(after)) return;
  }
}

/** Checks everything but the roots of stored checkpoints, and returns the size of the largest valid one. */
function checkNotes(connection: Connection, { vkeys, hasIndexes }: Known, findings: Findings): number {
  const signers = new Signers(connection, vkeys, hasIndexes);
  const report = (message: string) => findings.add({ kind: "checkpoint", message });
  let next = 1;
  let largest = 0;
  let unknown = 0;
  for (const page of readStored(connection)) {
    for (const { rowid, size, note } of page) {
      if (rowid > next) {
        const missing = rowid - 1 === next ? `number ${next} is` : `numbers ${next} to ${rowid - 1} are`;
        report(`of the stored checkpoints, ${missing} missing`);
      } else if (rowid < next) report(`a stored checkpoint has the number ${rowid}; the first is 1`);
      next = Math.max(next, rowid + 1);
      const checkpoint = parse(note);
      if (checkpoint === undefined) {
        report(`stored checkpoint ${rowid} is malformed`);
        continue;
      }
      if (size !== checkpoint.size) {
        report(
          `stored checkpoint ${rowid} is of ${
            counted(checkpoint.size, "operation")
          }, and the size beside it is ${size}`,
        );
      }
      try {
        if (!signers.check(checkpoint)) unknown++;
      } catch (error) {
        if (!(error instanceof ProofError)) throw error;
        report(`stored checkpoint ${rowid}: ${error.message}`);
        continue;
      }
      if (findings.areSound(checkpoint.size)) largest = Math.max(largest, checkpoint.size);
    }
  }
  if (unknown > 0) {
    findings.skip(
      `who signed ${
        counted(unknown, "stored checkpoint")
      }: no key is in the origin, none was given, and no author of the ` +
        "log has it",
    );
  }
  return largest;
}

function parse(note: string | null): Checkpoint | undefined {
  try {
    return note === null ? undefined : parseCheckpoint(note);
  } catch (error) {
    if (error instanceof ProofError) return undefined;
    throw error;
  }
}

/** Compares the root of each stored checkpoint with that of the log. All differences are one finding. */
function checkStoredRoots(connection: Connection, size: number, findings: Findings): void {
  let beyond = 0;
  let faulty = 0;
  let changed: { size: number; count: number } | undefined;
  for (const page of readStored(connection)) {
    const read = hashReader(connection);
    for (const { note } of page) {
      const checkpoint = parse(note);
      if (checkpoint === undefined) continue;
      if (!findings.areSound(checkpoint.size)) faulty++;
      else if (checkpoint.size > size) beyond = Math.max(beyond, checkpoint.size);
      else if (!equalHashes(treeRoot(checkpoint.size, read), checkpoint.root)) {
        changed = { size: Math.min(checkpoint.size, changed?.size ?? Infinity), count: (changed?.count ?? 0) + 1 };
      }
    }
  }
  if (faulty > 0) findings.skip(`${counted(faulty, "stored checkpoint")}: rows that they cover are faulty`);
  if (beyond > 0) {
    const message = `a checkpoint of ${counted(beyond, "operation")} was signed, and there are ${size}`;
    findings.add({ kind: "checkpoint", message });
  }
  if (changed !== undefined) {
    const others = changed.count === 1 ? "" : `, and ${changed.count - 1} more`;
    const message = `the log contradicts its signed checkpoint of ${counted(changed.size, "operation")}${others}`;
    findings.add({ kind: "checkpoint", message });
  }
}

function checkGivenRoot(
  connection: Connection,
  there: number,
  { size, root, origin }: GivenCheckpoint,
  findings: Findings,
): void {
  const what = `the checkpoint of ${counted(size, "operation")} in ${origin} that was given`;
  if (!findings.areSound(size)) {
    findings.skip(`${what}: rows that it covers are faulty`);
  } else if (size > there) {
    findings.add({ kind: "checkpoint", message: `the log has ${counted(there, "operation")}, fewer than ${what}` });
  } else if (!equalHashes(treeRoot(size, hashReader(connection)), root)) {
    findings.add({ kind: "checkpoint", message: `the log contradicts ${what}` });
  }
}
