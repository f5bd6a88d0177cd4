/**
 * Whether a log still begins with what a checkpoint says, and which operation changed first where it does not.
 *
 * @module
 */

import { InconsistentError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { lastSeq, opIdAt } from "../log/entries.ts";
import { textLeafHash } from "../log/leaf.ts";
import { readTexts } from "../derived/batch.ts";
import { hashReader, rootAt } from "../derived/tree.ts";
import { counted } from "../text.ts";
import type { Checkpoint } from "../tlog/checkpoint.ts";
import { equalHashes } from "../tlog/merkle.ts";
import { storedCheckpoints } from "./stored.ts";

/**
 * Refuses a checkpoint that the log contradicts.
 *
 * @param connection The log's file, with its Merkle tree caught up.
 * @param checkpoint The checkpoint.
 * @param size How many operations the tree has.
 * @throws {InconsistentError}
 */
export function requireConsistent(connection: Connection, checkpoint: Checkpoint, size: number): void {
  if (checkpoint.size > size) {
    const signed = counted(checkpoint.size, "operation");
    throw new InconsistentError(
      checkpoint.text,
      `a checkpoint of ${signed} was signed, and the log has ${size}: some were removed`,
    );
  }
  if (!equalHashes(rootAt(connection, checkpoint.size), checkpoint.root)) throw inconsistent(connection, checkpoint);
}

/** The error for a checkpoint that is contradicted by an operation that changed. */
export function changedOperation(checkpoint: Checkpoint, change: { seq: number; opId: string }): InconsistentError {
  const { opId, seq } = change;
  return contradicted(checkpoint, `operation ${opId} (seq ${seq}) is the first that changed`, change);
}

/** Names the first operation that contradicts its stored hash, or else the two checkpoints that it is between. */
function inconsistent(connection: Connection, checkpoint: Checkpoint): InconsistentError {
  const change = firstChange(connection, checkpoint.size);
  if (change !== undefined) return changedOperation(checkpoint, change);
  const holds = ({ size, root }: Checkpoint) => equalHashes(rootAt(connection, size), root);
  const stored = storedCheckpoints(connection).filter(({ size }) => size <= checkpoint.size);
  const before = stored.findLast(holds)?.size ?? 0;
  if (before === checkpoint.size) {
    return contradicted(
      checkpoint,
      "a stored checkpoint of as many operations agrees with the log, so this is of another",
    );
  }
  const until = stored.find((other) => other.size > before && !holds(other))?.size ?? checkpoint.size;
  return contradicted(checkpoint, `the first that changed is one of number ${before + 1} to ${until}`);
}

function contradicted(
  { text, size }: Checkpoint,
  what: string,
  change?: { seq: number; opId: string },
): InconsistentError {
  const message = `the log is no longer what its checkpoint of ${counted(size, "operation")} says: ${what}; ` +
    "restore it from a copy or another node";
  return new InconsistentError(text, message, change);
}

/** The first of the operations whose wire text contradicts its leaf hash in the tree. */
function firstChange(connection: Connection, size: number): { seq: number; opId: string } | undefined {
  const read = hashReader(connection);
  let index = 0;
  for (const { seq, wire } of readTexts(connection, { after: 0, last: lastSeq(connection) })) {
    if (index >= size) return undefined;
    if (equalHashes(read(0, index++), textLeafHash(wire))) continue;
    return { seq, opId: opIdAt(connection, seq)! };
  }
  return undefined;
}
