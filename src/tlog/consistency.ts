/**
 * Consistency proofs (RFC 6962, section 2.1.2): that the log of one checkpoint is the beginning of the log of another.
 *
 * No standard has a text for them. This one is made as c2sp.org/tlog-proof is: the line `consistency@v1`, a hash on each
 * line in the order of the RFC, an empty line, the older checkpoint, an empty line, and the newer one.
 *
 * @module
 */

import { ProofError } from "../errors.ts";
import { toBase64 } from "../bytes.ts";
import { type Checkpoint, verifyCheckpoint } from "./checkpoint.ts";
import { decodeHash } from "./text_lines.ts";
import { EMPTY_ROOT, equalHashes, rootsFromConsistency } from "./merkle.ts";

const HEADER = "consistency@v1";

/** What a consistency proof consists of. */
export interface ConsistencyProof {
  /** The older checkpoint, whole. */
  readonly old: string;
  /** The newer checkpoint, whole. */
  readonly new: string;
  /** The hashes, as the RFC orders them. */
  readonly hashes: readonly Uint8Array[];
}

/** Writes a consistency proof. */
export function formatConsistencyProof({ old, new: newer, hashes }: ConsistencyProof): string {
  return [HEADER, ...hashes.map(toBase64), "", old, newer].join("\n");
}

/**
 * Reads a consistency proof. Checks nothing but its form, and not that of the checkpoints.
 *
 * @param text The proof, whole.
 * @throws {ProofError} `bad-proof` when it is malformed.
 */
export function parseConsistencyProof(text: string): ConsistencyProof {
  const fault = (what: string) => new ProofError("bad-proof", `the consistency proof ${what}`);
  if (typeof text !== "string") throw fault("is no text");
  // A checkpoint has one empty line, before its signatures.
  const [head, ...parts] = text.split("\n\n");
  const [header, ...lines] = head.split("\n");
  if (header !== HEADER) throw fault(`does not begin with the line ${HEADER}`);
  if (parts.length !== 4) throw fault("does not consist of hashes and two checkpoints, with empty lines between");
  const hashes = lines.map((line, i) => {
    const hash = decodeHash(line);
    if (hash === undefined) throw fault(`has something else than hash ${i + 1} in base64 where that should be`);
    return hash;
  });
  const [oldLines, oldSignatures, newLines, newSignatures] = parts;
  return { old: `${oldLines}\n\n${oldSignatures}\n`, new: `${newLines}\n\n${newSignatures}`, hashes };
}

/**
 * Checks that one checkpoint's log is the beginning of another's: nothing in it was changed, removed or put between.
 *
 * Whoever kept a checkpoint must compare it with the older one that is returned, by `size` and `root`: the proof says
 * nothing about others.
 *
 * @param proof The consistency proof, whole.
 * @param vkey The verifier key of who must have signed both checkpoints: `NAME+HEX8+BASE64`.
 * @param origin The log's origin: the name in the verifier key by default.
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
 * Checks that one tree is the beginning of another. The empty tree is the beginning of every other, by no hashes.
 *
 * @param oldSize How many leaves the older tree has.
 * @param oldRoot Its root.
 * @param newSize How many leaves the newer tree has.
 * @param newRoot Its root.
 * @param hashes The proof, as the RFC orders it.
 * @throws {ProofError} `bad-proof` when it is not, or the proof does not show it.
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
    throw new ProofError("bad-proof", `${what}: the empty tree has its own root, and needs no hashes`);
  }
  const roots = rootsFromConsistency(oldSize, oldRoot, newSize, hashes);
  if (!equalHashes(roots.oldRoot, oldRoot)) throw new ProofError("bad-proof", `${what}: the older root is another`);
  if (!equalHashes(roots.newRoot, newRoot)) throw new ProofError("bad-proof", `${what}: the newer root is another`);
}
