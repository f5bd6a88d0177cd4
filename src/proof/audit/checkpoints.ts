/**
 * The checkpoints that a log signed and kept: it must still begin with what the largest of them says. Where rows are
 * found faulty that it covers, that it no longer holds merely follows.
 *
 * @module
 */

import { ProofError } from "../../errors.ts";
import type { Connection } from "../../log/connection.ts";
import { lastSeq } from "../../log/entries.ts";
import { readTexts } from "../../replay/batch.ts";
import type { TableProjection } from "../../replay/projections.ts";
import { textLeafHash } from "../../wire/text_leaf.ts";
import { type Checkpoint, parseCheckpoint } from "../checkpoint.ts";
import { equalHashes } from "../merkle.ts";
import { nodeHash } from "../node_hash.ts";
import { rootAt, tree, treeSize } from "../tree.ts";
import type { Findings } from "./findings.ts";
import { isOwn, type SchemaObject } from "./schema.ts";

const SELECT_NOTES = "SELECT note FROM checkpoints ORDER BY rowid";

/** What was found out before. */
export interface Known {
  /** What the schema of the file holds. It may be hostile. */
  objects: readonly SchemaObject[];
  /** How many operations there are. */
  operations: number;
  /** The projections whose tables were compared with the log, and are as they should be. */
  confirmed: ReadonlySet<TableProjection>;
}

/**
 * Compares the largest checkpoint that was kept with the log.
 *
 * @param connection The log's file.
 * @param known What was found out before.
 * @param findings Takes what is found.
 */
export function checkKeptCheckpoints(connection: Connection, known: Known, findings: Findings): void {
  const table = known.objects.find(({ name }) => name.toLowerCase() === "checkpoints");
  if (table === undefined) return;
  if (!isOwn(table)) { // the schema check has told of it
    findings.unchecked.push("the kept checkpoints: what should hold them is not the log's table");
    return;
  }
  let largest: Checkpoint | undefined;
  for (const [note] of connection.query(SELECT_NOTES).values<[unknown]>()) {
    const checkpoint = readCheckpoint(note);
    if (checkpoint === undefined) {
      findings.add({ kind: "checkpoint", message: "a kept checkpoint is no checkpoint" });
    } else if (largest === undefined || checkpoint.size > largest.size) largest = checkpoint;
  }
  if (largest === undefined) return;
  const { size, root } = largest;
  if (!findings.areSound(size)) {
    findings.unchecked.push("the kept checkpoint: the rows that it is about are not sound");
  } else if (size > known.operations) {
    const message = `a checkpoint of ${size} operations was signed, and there are ${known.operations}`;
    findings.add({ kind: "checkpoint", message });
  } else if (!equalHashes(rootOf(connection, size, known), root)) {
    const message = `the first ${size} operations are not those of the checkpoint that was signed of them`;
    findings.add({ kind: "checkpoint", message });
  }
}

function readCheckpoint(note: unknown): Checkpoint | undefined {
  try {
    return parseCheckpoint(String(note));
  } catch (error) {
    if (error instanceof ProofError) return undefined;
    throw error;
  }
}

/** The root over the first operations: from the tree that is kept, where it is as it should be and large enough. */
function rootOf(connection: Connection, size: number, { confirmed }: Known): Uint8Array {
  if (confirmed.has(tree) && treeSize(connection) >= size) return rootAt(connection, size);
  /** The roots of the complete subtrees so far, the largest first: one for each bit of how many leaves there are. */
  const complete: Uint8Array[] = [];
  let leaves = 0;
  for (const { wire } of readTexts(connection, { after: 0, last: lastSeq(connection) })) {
    if (leaves === size) break;
    complete.push(textLeafHash(wire));
    for (let bits = ++leaves; bits % 2 === 0; bits /= 2) {
      const right = complete.pop()!;
      complete.push(nodeHash(complete.pop()!, right));
    }
  }
  return complete.length === 0 ? rootAt(connection, 0) : complete.reduceRight((right, left) => nodeHash(left, right));
}
