/**
 * What must hold for a log, whatever has happened to the processes that wrote it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { audit, type Operation, OpLog } from "../../mod.ts";
import { note } from "../operations.ts";

/** What was promised before something happened. */
export class Promised {
  /** Operations whose append has returned. */
  readonly opIds = new Set<string>();
  /** Checkpoints that were signed. */
  readonly checkpoints: string[] = [];
}

/**
 * Opens a log, and checks that it holds every acknowledged operation and checkpoint, no half batch, claims as a rebuild
 * makes them, nothing that an audit finds, and that it can be appended to.
 *
 * @param path The file.
 * @param promised What it must hold. What is appended is added to it.
 * @param options Whether no batch may be there in part: they may where operations come from another log.
 * @returns The number of operations.
 */
export async function checkLog(path: string, promised: Promised, { isWhole = true } = {}): Promise<number> {
  let size: number;
  {
    using log = OpLog.open(path);
    const ops = [...log.entries()].map(({ op }) => op);
    const held = new Set(ops.map(({ opId }) => opId));
    assertEquals([...promised.opIds.difference(held)], [], "acknowledged operations are lost");
    if (isWhole) checkWhole(ops);
    checkCheckpoints(log, promised.checkpoints);
    const before = [...log.claims.query()];
    log.rebuild();
    assertEquals([...log.claims.query()], before, "a rebuild changes the claims");
    const last = note(`after ${ops.length}`, log.heads(1));
    log.append(last);
    promised.opIds.add(last.opId);
    size = log.size;
  }
  await checkAudit(path, promised.checkpoints);
  return size;
}

/** Checks that every signed checkpoint is stored, and that what each covers is the beginning of the log. */
export function checkCheckpoints(log: OpLog, checkpoints: readonly string[]): void {
  const stored = new Set(log.proofs.checkpoints());
  for (const text of checkpoints) {
    assert(stored.has(text), `a signed checkpoint is lost:\n${text}`);
    log.proofs.proveConsistency(text);
  }
}

/** Checks that an audit finds nothing. */
export async function checkAudit(path: string, checkpoints: readonly string[] = []): Promise<void> {
  const report = await audit(path, { workers: 0, checkpoints });
  assertEquals([report.findings, report.unchecked], [[], []], "an audit finds something");
}

/** Checks that no batch, ingest or cascade is there in part, but for the end of an ingest. */
export function checkWhole(ops: readonly Operation[]): void {
  const batches = new Map<string, number>();
  const positions = new Map<string, number>();
  const falls = new Map<string, number>();
  for (const { body, type } of ops) {
    if (typeof body.batch === "string") add(batches, body.batch);
    if (typeof body.source === "string" && typeof body.position === "number") {
      add(positions, body.source);
      assertEquals(body.position, positions.get(body.source), `of the ingest ${body.source} an operation is missing`);
    }
    if (type === "claim.invalidate") add(falls, String(body.cause));
  }
  for (const { body, opId } of ops) {
    const { batch, of, reason } = body;
    if (typeof batch === "string") assertEquals(batches.get(batch), of, `the batch ${batch} is there in part`);
    const count = typeof reason === "string" ? /^falls (\d+)$/.exec(reason)?.[1] : undefined;
    if (count !== undefined) assertEquals(falls.get(opId), Number(count), `the cascade of ${opId} is there in part`);
  }
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
