/**
 * Consistency proofs (RFC 6962, section 2.1.2): the log of one checkpoint is a prefix of the log of another.
 *
 * No standard defines a text format for them. This one follows c2sp.org/tlog-proof:
 *
 * ```text
 * consistency@v1
 * BASE64 of each hash, in the order of the RFC, one a line
 *
 * the older checkpoint
 *
 * the newer checkpoint
 * ```
 *
 * @module
 */

import { ProofError } from "../errors.ts";
import { toBase64 } from "../bytes.ts";
import { type Checkpoint, verifyCheckpoint } from "./checkpoint.ts";
import { decodeHash } from "./text_lines.ts";
import { EMPTY_ROOT, equalHashes, rootsFromConsistency } from "./merkle.ts";

const HEADER = "consistency@v1";

/** A decoded consistency proof. */
export interface ConsistencyProof {
  /** The whole text of the older checkpoint. */
  readonly old: string;
  /** The whole text of the newer checkpoint. */
  readonly new: string;
  /** The hashes, in the order of the RFC. */
  readonly hashes: readonly Uint8Array[];
}

/** Encodes a consistency proof. */
export function formatConsistencyProof({ old, new: newer, hashes }: ConsistencyProof): string {
  return [HEADER, ...hashes.map(toBase64), "", old, newer].join("\n");
}

/**
 * Decodes a consistency proof. Checks its format only, and not that of its checkpoints.
 *
 * @param text The whole text of the proof.
 * @throws {ProofError} `bad-proof` when it is malformed.
 */
export function parseConsistencyProof(text: string): ConsistencyProof {
  const fault = (what: string) => new ProofError("bad-proof", `the consistency proof ${what}`);
  if (typeof text !== "string") throw fault("must be a string");
  // A checkpoint has one empty line, before its signatures.
  const [head, ...parts] = text.split("\n\n");
  const [header, ...lines] = head.split("\n");
  if (header !== HEADER) throw fault(`does not begin with the line ${HEADER}`);
  if (parts.length !== 4) throw fault("does not consist of hashes and two checkpoints, with empty lines between");
  const hashes = lines.map((line, i) => {
    const hash = decodeHash(line);
    if (hash === undefined) throw fault(`has a line that is not hash ${i + 1}: 32 bytes in base64`);
    return hash;
  });
  const [oldLines, oldSignatures, newLines, newSignatures] = parts;
  return { old: `${oldLines}\n\n${oldSignatures}\n`, new: `${newLines}\n\n${newSignatures}`, hashes };
}

/**
 * Checks that the log of one checkpoint is a prefix of the log of another: no operation in it was changed, removed or
 * inserted.
 *
 * A caller who has kept a checkpoint must compare it with the older one that is returned, by `size` and `root`: the proof
 * is only about these two.
 *
 * @param proof The whole text of the proof.
 * @param vkey The verifier key of the log: `NAME+HEX8+BASE64`.
 * @param origin The log's origin; by default the name in the verifier key.
 * @returns Both checkpoints.
 * @throws {ProofError} `bad-proof`: malformed, or the logs are not consistent. `bad-checkpoint`, `bad-key`.
 */
export function verifyConsistency(
  proof: string,
  vkey: string,
  origin?: string,
): { readonly old: Checkpoint; readonly new: Checkpoint } {
  const parts = parseConsistencyProof(proof);
  const [old, newer] = [parts.old, parts.new].map((text) => verifyCheckpoint(text, vkey, origin));
  checkConsistency(old.size, old.root, newer.size, newer.root, parts.hashes);
  return { old, new: newer };
}

/**
 * Checks that one tree is a prefix of another. The empty tree is a prefix of every tree, and its proof has no hashes.
 *
 * @param oldSize The number of leaves of the older tree.
 * @param oldRoot Its root hash.
 * @param newSize The number of leaves of the newer tree.
 * @param newRoot Its root hash.
 * @param hashes The proof, in the order of the RFC.
 * @throws {ProofError} `bad-proof` when the proof is invalid.
 */
export function checkConsistency(
  oldSize: number,
  oldRoot: Uint8Array,
  newSize: number,
  newRoot: Uint8Array,
  hashes: readonly Uint8Array[],
): void {
  const what = `the proof does not lead from size ${oldSize} to size ${newSize}`;
  if (oldSize === 0) {
    const isPossible = newSize === 0 ? equalHashes(newRoot, EMPTY_ROOT) : Number.isSafeInteger(newSize) && newSize > 0;
    if (hashes.length === 0 && equalHashes(oldRoot, EMPTY_ROOT) && isPossible) return;
    throw new ProofError("bad-proof", `${what}: the empty tree has a fixed root, and its proof has no hashes`);
  }
  const roots = rootsFromConsistency(oldSize, oldRoot, newSize, hashes);
  if (!equalHashes(roots.oldRoot, oldRoot)) throw new ProofError("bad-proof", `${what}: the older root differs`);
  if (!equalHashes(roots.newRoot, newRoot)) throw new ProofError("bad-proof", `${what}: the newer root differs`);
}
