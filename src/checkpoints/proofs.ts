/**
 * Signs checkpoints of a log, and proves what they say.
 *
 * @module
 */

import { LogError, NotFoundError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { lastSeq, requireObject, requireText, rowOf } from "../log/entries.ts";
import { derivedDamaged } from "../derived/damage.ts";
import type { Projections } from "../derived/engine.ts";
import { textLeafHash } from "../log/leaf.ts";
import { checkedSigner, type Signer } from "../keys/signer.ts";
import { parseCheckpoint, signCheckpoint, verifierKey } from "../tlog/checkpoint.ts";
import { formatConsistencyProof } from "../tlog/consistency.ts";
import { formatInclusionProof } from "../tlog/inclusion.ts";
import { consistencyProof, equalHashes, inclusionProof } from "../tlog/merkle.ts";
import { publicKeyOf } from "../tlog/note.ts";
import { hashReader, rootAt, tree, treeSize } from "../derived/tree.ts";
import { changedOperation, requireConsistent } from "./consistent.ts";
import { newOrigin, requireOrigin, storedOrigin } from "./origin.ts";
import { largestCheckpoint, storeCheckpoint, storedCheckpoints } from "./stored.ts";

const COUNT_BEFORE = "SELECT count(*) FROM ops WHERE seq < ?";
const COUNT = "SELECT count(*) FROM ops WHERE seq <= ?";

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

/**
 * The signed checkpoints of a log, and proofs of what they say. A checkpoint states how many operations the log has and
 * the root of their Merkle tree; with one, anyone can later detect whether any of them was changed.
 *
 * @example
 * ```ts
 * import { Identity, OpLog } from "@mnema/oplog";
 * import { verifyConsistency, verifyInclusion } from "@mnema/oplog/proof";
 * import { assertEquals } from "@std/assert";
 *
 * using log = OpLog.open();
 * const alice = Identity.generate();
 * const tea = log.record(alice, "note", { text: "tea at four" });
 * const first = log.proofs.checkpoint(alice); // give it to somebody else
 * log.record(alice, "note", { text: "moved to five" });
 *
 * const vkey = log.proofs.verifierKey(alice.author);
 * assertEquals(verifyInclusion(log.proofs.prove(tea.opId, first), tea.wire, vkey).index, 0);
 * const { old } = verifyConsistency(log.proofs.proveConsistency(first, log.proofs.checkpoint(alice)), vkey);
 * assertEquals(old.text, first);
 * ```
 */
export class Proofs {
  readonly #connection: Connection;
  readonly #projections: Projections;
  readonly #transaction: <T>(work: () => T) => T;
  /** The checkpoint that this object signed last. */
  #signed?: string;

  /** Made by the log: see `OpLog.proofs`. */
  constructor(connection: Connection, projections: Projections, transaction: <T>(work: () => T) => T) {
    this.#connection = connection;
    this.#projections = projections;
    this.#transaction = transaction;
  }

  /**
   * Signs the log as it is. The checkpoint is stored in the log, and nothing is signed that is inconsistent with the
   * largest stored one. Costs what is new, and a logarithm of the log's size.
   *
   * @param signer Who signs: an `Identity`, or another signer, whose signature is verified.
   * @param options The log's name in the checkpoint.
   * @returns The checkpoint, a signed note (c2sp.org/tlog-checkpoint).
   * @throws {InconsistentError} When the log is no longer what a stored checkpoint says.
   * @throws {ProofError} `bad-key` when the origin cannot be a name.
   * @throws {LogError} `invalid-argument`, `bad-key`, `bad-signature`: of a signer that is none, or signs wrongly.
   * @throws {FileError} `locked`, `read-only`, `disk-full`, `io`; `corrupt`, `not-a-log` when the file does not hold what
   * was signed before, or does not store what is signed. Nothing was signed then.
   */
  checkpoint(signer: Signer, options: CheckpointOptions = {}): string {
    requireObject("options", options);
    return this.#transaction(() => this.#sign(signer, options));
  }

  #sign(signer: Signer, { origin, newName = false }: CheckpointOptions): string {
    const connection = this.#connection;
    const calling = <T>(work: () => T): T => connection.callOut("a signer", work);
    if (connection.isHeld) {
      throw new LogError(
        "locked",
        "nothing is signed during an atomic ingest, which may be rolled back; wait until it has ended",
      );
    }
    const checked = calling(() => checkedSigner(signer));
    const size = this.#prepare();
    const largest = largestCheckpoint(connection);
    if (largest !== undefined) requireConsistent(connection, largest, size);
    const name = origin ?? (newName ? undefined : storedOrigin(connection, checked.author, this.#signed)) ??
      newOrigin(checked.author);
    const head = { size, root: rootAt(connection, size) };
    const text = calling(() => signCheckpoint(head, checked, name));
    storeCheckpoint(connection, parseCheckpoint(text));
    this.#signed = text;
    return text;
  }

  /** The checkpoints that were signed in this log, smallest first, each whole. */
  checkpoints(): string[] {
    return storedCheckpoints(this.#connection).map(({ text }) => text);
  }

  /**
   * The verifier key of an author's checkpoints of this log, which verifies these and proofs. For
   * checkpoints that were signed with an `origin`, `verifierKey` of `@mnema/oplog/proof` writes it.
   *
   * @param author Who signs them: `mnk_` and the public key in lower-case hex.
   * @returns The verifier key: `NAME+HEX8+BASE64`.
   * @throws {LogError} `not-found` when the author has signed none.
   * @throws {ProofError} `bad-key` when the author is none.
   */
  verifierKey(author: string): string {
    publicKeyOf(author); // refuses what is none
    return verifierKey(author, requireOrigin(this.#connection, author));
  }

  /**
   * Proves that the log held an operation when a checkpoint was signed.
   *
   * @param opId A whole id.
   * @param checkpoint The checkpoint; by default the largest that was signed in this log.
   * @returns The proof, with the checkpoint in it (c2sp.org/tlog-proof): `verifyInclusion` checks it without the log.
   * @throws {NotFoundError} When the log does not hold the operation.
   * @throws {LogError} `not-found` when no checkpoint covers it.
   * @throws {ProofError} `bad-checkpoint` when it is malformed.
   * @throws {InconsistentError} When the log is no longer what the checkpoint says.
   */
  prove(opId: string, checkpoint?: string): string {
    requireText("an id", opId);
    const connection = this.#connection;
    const row = rowOf(connection, opId);
    if (row === undefined) throw new NotFoundError(opId);
    const [seq, wire] = row;
    const size = this.#prepare();
    const index = this.#indexOf(seq, size);
    const signed = checkpoint === undefined ? largestCheckpoint(connection, index) : parseCheckpoint(checkpoint);
    if (signed === undefined || index >= signed.size) {
      const what = signed === undefined ? "no checkpoint was signed since" : "the checkpoint ends before";
      throw new LogError("not-found", `${what} operation ${opId} entered; sign one first`);
    }
    requireConsistent(connection, signed, size);
    const read = hashReader(connection);
    if (!equalHashes(read(0, index), textLeafHash(wire))) throw changedOperation(signed, { seq, opId });
    return formatInclusionProof({ index, hashes: inclusionProof(index, signed.size, read), checkpoint: signed.text });
  }

  /**
   * Proves that one checkpoint's log is the beginning of another's.
   *
   * @param old The older checkpoint.
   * @param newer The newer one; by default the largest that was signed in this log.
   * @returns The proof, with both checkpoints in it: `verifyConsistency` checks it without the log.
   * @throws As {@linkcode Proofs.prove}; `invalid-argument` when the newer one is smaller.
   */
  proveConsistency(old: string, newer?: string): string {
    const older = parseCheckpoint(old);
    const size = this.#prepare();
    const later = newer === undefined ? largestCheckpoint(this.#connection) : parseCheckpoint(newer);
    if (later === undefined) throw new LogError("not-found", "no checkpoint was signed; sign one first");
    if (later.size < older.size) {
      const what = `the newer checkpoint has ${later.size} operations, the older one ${older.size}`;
      throw new LogError("invalid-argument", `${what}; give the older one first, or sign another`);
    }
    requireConsistent(this.#connection, older, size);
    requireConsistent(this.#connection, later, size);
    const hashes = consistencyProof(older.size, later.size, hashReader(this.#connection));
    return formatConsistencyProof({ old: older.text, new: later.text, hashes });
  }

  /** Catches the Merkle tree up, and returns its size, which must be the number of operations. */
  #prepare(): number {
    const last = this.#projections.prepare(tree);
    const size = last === 0 ? 0 : treeSize(this.#connection);
    const isWhole = size >= last || size >= this.#connection.query(COUNT).value<[number]>(last)![0];
    if (isWhole && size <= lastSeq(this.#connection)) return size;
    throw derivedDamaged(this.#connection, "the Merkle tree has more or fewer leaves than there are operations");
  }

  /** The position of an operation in `seq` order: seq - 1 in a log without gaps, as every intact log is. */
  #indexOf(seq: number, size: number): number {
    return lastSeq(this.#connection) === size ? seq - 1 : this.#connection.query(COUNT_BEFORE).value<[number]>(seq)![0];
  }
}
