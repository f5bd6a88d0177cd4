/**
 * Signs checkpoints of a log, and proves what they say.
 *
 * @module
 */

import { InconsistentError, LogError, NotFoundError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { lastSeq, rowOf } from "../log/entries.ts";
import { readTexts } from "../derived/batch.ts";
import { derivedDamaged } from "../derived/damage.ts";
import type { Projections } from "../derived/engine.ts";
import { counted } from "../text.ts";
import { textLeafHash } from "../log/leaf.ts";
import { checkedSigner, type Signer } from "../keys/signer.ts";
import { type Checkpoint, parseCheckpoint, signCheckpoint, verifierKey } from "../tlog/checkpoint.ts";
import { formatConsistencyProof } from "../tlog/consistency.ts";
import { formatInclusionProof } from "../tlog/inclusion.ts";
import { keepCheckpoint, keptCheckpoints, newestCheckpoint } from "./stored.ts";
import { consistencyProof, equalHashes, inclusionProof } from "../tlog/merkle.ts";
import { publicKeyOf } from "../tlog/note.ts";
import { keptOrigin, newOrigin, requireOrigin } from "./origin.ts";
import { hashReader, rootAt, tree, treeSize } from "../derived/tree.ts";

const COUNT_BEFORE = "SELECT count(*) FROM ops WHERE seq < ?";
const COUNT = "SELECT count(*) FROM ops WHERE seq <= ?";
const SELECT_OP_ID = "SELECT op_id FROM ops WHERE seq = ?";

/** How a checkpoint is named. */
export interface CheckpointOptions {
  /**
   * The log's name in it, and that of the key: no spaces, no plus. By default that of the author's last checkpoint of the
   * log, or with the first a new one: `mnema/`, the author id, and a random part.
   */
  origin?: string;
  /**
   * Begins a new name of that form, which later checkpoints continue. For a copy of the log's file, when the other is
   * appended to as well: under one name they would pass for one log that was tampered with.
   */
  newName?: boolean;
}

/** Proves what a log holds. */
export class Prover {
  readonly #connection: Connection;
  readonly #projections: Projections;
  /** The checkpoint that was signed here last. */
  #signed?: string;

  /** Made by the log. */
  constructor(connection: Connection, projections: Projections) {
    this.#connection = connection;
    this.#projections = projections;
  }

  /** Signs the log as it is, and keeps what was signed. Inside a transaction. @see OpLog.checkpoint */
  checkpoint(signer: Signer, { origin, newName = false }: CheckpointOptions): string {
    const calling = <T>(work: () => T): T => this.#connection.callOut("a signer", work);
    if (this.#connection.isHeld) {
      throw new LogError(
        "locked",
        "nothing is signed during an atomic ingest, which may be undone; wait until it has ended",
      );
    }
    const checked = calling(() => checkedSigner(signer));
    const size = this.#prepare();
    const newest = newestCheckpoint(this.#connection);
    if (newest !== undefined) this.#requireConsistent(newest, size);
    const name = origin ?? (newName ? undefined : keptOrigin(this.#connection, checked.author, this.#signed)) ??
      newOrigin(checked.author);
    const head = { size, root: rootAt(this.#connection, size) };
    const text = calling(() => signCheckpoint(head, checked, name));
    keepCheckpoint(this.#connection, parseCheckpoint(text));
    this.#signed = text;
    return text;
  }

  /** The verifier key of an author's checkpoints. @see OpLog.verifierKey */
  verifierKey(author: string): string {
    publicKeyOf(author); // refuses what is none
    return verifierKey(author, requireOrigin(this.#connection, author));
  }

  /** Proves that the log held an operation when a checkpoint was signed. @see OpLog.prove */
  prove(opId: string, checkpoint?: string): string {
    const row = rowOf(this.#connection, opId);
    if (row === undefined) throw new NotFoundError(opId);
    const [seq, wire] = row;
    const size = this.#prepare();
    const index = this.#indexOf(seq, size);
    const signed = checkpoint === undefined ? newestCheckpoint(this.#connection, index) : parseCheckpoint(checkpoint);
    if (signed === undefined || index >= signed.size) {
      const what = signed === undefined ? "no checkpoint was signed since" : `the checkpoint ends before`;
      throw new LogError("not-found", `${what} operation ${opId} entered; sign one with: mnema checkpoint`);
    }
    this.#requireConsistent(signed, size);
    const read = hashReader(this.#connection);
    if (!equalHashes(read(0, index), textLeafHash(wire))) throw this.#changed(signed, { seq, opId });
    return formatInclusionProof({ index, hashes: inclusionProof(index, signed.size, read), checkpoint: signed.text });
  }

  /** Proves that one checkpoint's log is the beginning of another's. @see OpLog.proveConsistency */
  proveConsistency(old: string, newer?: string): string {
    const older = parseCheckpoint(old);
    const size = this.#prepare();
    const later = newer === undefined ? newestCheckpoint(this.#connection) : parseCheckpoint(newer);
    if (later === undefined) {
      throw new LogError("not-found", "no checkpoint was signed; sign one with: mnema checkpoint");
    }
    if (later.size < older.size) {
      const what = `the newer checkpoint has ${later.size} operations, the older one ${older.size}`;
      throw new LogError(
        "invalid-argument",
        `${what}; give the older one first, or sign another with: mnema checkpoint`,
      );
    }
    this.#requireConsistent(older, size);
    this.#requireConsistent(later, size);
    const hashes = consistencyProof(older.size, later.size, hashReader(this.#connection));
    return formatConsistencyProof({ old: older.text, new: later.text, hashes });
  }

  /** How many operations the tree has: all that there were, and no more than there are. */
  #prepare(): number {
    const last = this.#projections.prepare(tree);
    const size = last === 0 ? 0 : treeSize(this.#connection);
    const isWhole = size >= last || size >= this.#connection.query(COUNT).value<[number]>(last)![0];
    if (isWhole && size <= lastSeq(this.#connection)) return size;
    throw derivedDamaged(this.#connection, "the Merkle tree has more or fewer leaves than there are operations");
  }

  /** The position of an operation in `seq` order: seq - 1 where none is missing, and none ever should be. */
  #indexOf(seq: number, size: number): number {
    return lastSeq(this.#connection) === size ? seq - 1 : this.#connection.query(COUNT_BEFORE).value<[number]>(seq)![0];
  }

  #requireConsistent(checkpoint: Checkpoint, size: number): void {
    if (checkpoint.size > size) {
      throw new InconsistentError(
        checkpoint.text,
        `a checkpoint of ${
          counted(checkpoint.size, "operation")
        } was signed, and the log has ${size}: some were removed; look at ` +
          "it with: mnema audit",
      );
    }
    if (!equalHashes(rootAt(this.#connection, checkpoint.size), checkpoint.root)) throw this.#inconsistent(checkpoint);
  }

  /** Says which operation changed first: by the hashes that are kept, or else between which checkpoints it stands. */
  #inconsistent(checkpoint: Checkpoint): InconsistentError {
    const change = this.#firstChange(checkpoint.size);
    if (change !== undefined) return this.#changed(checkpoint, change);
    const holds = (kept: Checkpoint) => equalHashes(rootAt(this.#connection, kept.size), kept.root);
    const kept = keptCheckpoints(this.#connection).filter(({ size }) => size <= checkpoint.size);
    const before = kept.findLast(holds)?.size ?? 0;
    const until = kept.find((kept) => kept.size > before && !holds(kept))?.size ?? checkpoint.size;
    return new InconsistentError(
      checkpoint.text,
      `the log is no longer what its checkpoint of ${
        counted(checkpoint.size, "operation")
      } says: the first that changed is one of ` +
        `number ${before + 1} to ${until}; look at it with: mnema audit, and restore it from a copy or another node`,
    );
  }

  #changed({ text, size }: Checkpoint, change: { seq: number; opId: string }): InconsistentError {
    return new InconsistentError(
      text,
      `the log is no longer what its checkpoint of ${
        counted(size, "operation")
      } says: operation ${change.opId} (seq ${change.seq}) ` +
        "is the first that changed; restore it from a copy or another node",
      change,
    );
  }

  /** The first of so many operations that is not what its hash in the tree says. */
  #firstChange(size: number): { seq: number; opId: string } | undefined {
    const read = hashReader(this.#connection);
    let index = 0;
    for (const { seq, wire } of readTexts(this.#connection, { after: 0, last: lastSeq(this.#connection) })) {
      if (index >= size) return undefined;
      if (equalHashes(read(0, index++), textLeafHash(wire))) continue;
      return { seq, opId: this.#connection.query(SELECT_OP_ID).value<[string]>(seq)![0] };
    }
    return undefined;
  }
}
