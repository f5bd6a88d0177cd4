/**
 * Merkle trees (RFC 6962, section 2.1): roots and proofs from stored hashes, and the roots that follow from a proof.
 *
 * MTH(D[n]) splits n leaves at k, the largest power of two smaller than n. So every subtree in a proof, except those along
 * the right edge, is complete: 2^level leaves, of which the first is a multiple of 2^level. A log stores the hashes of
 * complete subtrees, which never change, and computes the others from them.
 *
 * @module
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { LogError, ProofError } from "../errors.ts";
import { HASH_BYTES } from "../bytes.ts";

const LEAF = new Uint8Array([0]);
const NODE = new Uint8Array([1]);

/** MTH({}), the root of the empty tree: the hash of no bytes. */
export const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array());

/**
 * Returns the stored hash of the complete subtree with the 2^level leaves from leaf index·2^level on. Level 0 is the
 * leaves.
 */
export type HashReader = (level: number, index: number) => Uint8Array;

/** SHA-256(0x00 ‖ data): the hash of a leaf. */
export function leafHash(data: Uint8Array): Uint8Array {
  return sha256.create().update(LEAF).update(data).digest();
}

/** SHA-256(0x01 ‖ left ‖ right): the hash over two hashes of 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256.create().update(NODE).update(left).update(right).digest();
}

/**
 * MTH(D[size]), the root of the tree. Reads at most 53 hashes.
 *
 * @param size The number of leaves, 0 to 2^53-1.
 * @param read Returns the stored hashes.
 * @returns The root; of no leaves, {@linkcode EMPTY_ROOT}.
 * @throws {LogError} `invalid-argument` when `size` is out of range.
 */
export function treeRoot(size: number, read: HashReader): Uint8Array {
  checkInteger(size, "the size of a tree", Number.MAX_SAFE_INTEGER);
  return size === 0 ? EMPTY_ROOT.slice() : subtreeRoot({ start: 0, end: size }, read);
}

/**
 * PATH(index, D[size]) of section 2.1.1: the siblings on the way from a leaf to the root. Reads at most 105 hashes.
 *
 * @param index The leaf, 0 to size - 1.
 * @param size The number of leaves of the tree.
 * @param read Returns the stored hashes.
 * @returns The hashes, from the leaf's sibling upward.
 * @throws {LogError} `invalid-argument` when `size` or `index` is out of range.
 */
export function inclusionProof(index: number, size: number, read: HashReader): Uint8Array[] {
  checkInteger(size, "the size of a tree", Number.MAX_SAFE_INTEGER);
  checkInteger(index, `the index of a leaf of ${size}`, size - 1);
  return leafPath(index, size).map((sibling) => subtreeRoot(sibling, read));
}

/**
 * PROOF(oldSize, D[newSize]) of section 2.1.2: the hashes from which both roots can be computed. Reads at most 106 hashes.
 *
 * @param oldSize The number of leaves of the older tree. The proof for 0 has no hashes.
 * @param newSize The number of leaves of the newer tree, at least `oldSize`.
 * @param read Returns the stored hashes.
 * @returns The hashes.
 * @throws {LogError} `invalid-argument` when a size is out of range.
 */
export function consistencyProof(oldSize: number, newSize: number, read: HashReader): Uint8Array[] {
  checkInteger(newSize, "the size of a tree", Number.MAX_SAFE_INTEGER);
  checkInteger(oldSize, `the size of an older tree than one of ${newSize}`, newSize);
  if (oldSize === 0) return [];
  const { shared, siblings } = edgePath(oldSize, newSize);
  // The verifier knows the older tree's root.
  const subtrees = shared.start === 0 ? siblings : [shared, ...siblings];
  return subtrees.map((subtree) => subtreeRoot(subtree, read));
}

/**
 * The root that follows from an inclusion proof.
 *
 * @param index The leaf.
 * @param size The number of leaves of the tree.
 * @param leaf The hash of the leaf.
 * @param hashes The proof.
 * @returns The root of the tree with this leaf at this index. The caller must compare it.
 * @throws {ProofError} `bad-proof` when there is no such leaf, or the number of hashes is wrong.
 */
export function rootFromInclusion(
  index: number,
  size: number,
  leaf: Uint8Array,
  hashes: readonly Uint8Array[],
): Uint8Array {
  if (!isInteger(index) || !isInteger(size) || index >= size) {
    throw new ProofError("bad-proof", `a tree of size ${size} has no leaf ${index}`);
  }
  const path = leafPath(index, size);
  checkHashes(hashes, path.length, `leaf ${index} in a tree of size ${size}`);
  checkHash(leaf);
  return path.reduce(
    (root, sibling, i) => sibling.start > index ? nodeHash(root, hashes[i]) : nodeHash(hashes[i], root),
    leaf,
  );
}

/**
 * The roots that follow from a consistency proof.
 *
 * @param oldSize The number of leaves of the older tree, at least 1.
 * @param oldRoot Its root.
 * @param newSize The number of leaves of the newer tree.
 * @param hashes The proof.
 * @returns The roots of an older and a newer tree that begin with the same leaves. The caller must compare both.
 * @throws {ProofError} `bad-proof` when the sizes or the number of hashes are wrong.
 */
export function rootsFromConsistency(
  oldSize: number,
  oldRoot: Uint8Array,
  newSize: number,
  hashes: readonly Uint8Array[],
): { oldRoot: Uint8Array; newRoot: Uint8Array } {
  if (!isInteger(oldSize) || !isInteger(newSize) || oldSize === 0 || oldSize > newSize) {
    throw new ProofError("bad-proof", `a tree of size ${newSize} does not extend one of size ${oldSize}`);
  }
  const { shared, siblings } = edgePath(oldSize, newSize);
  const isKnown = shared.start === 0;
  checkHashes(hashes, siblings.length + (isKnown ? 0 : 1), `size ${oldSize} in size ${newSize}`);
  checkHash(oldRoot);
  const [first, rest] = isKnown ? [oldRoot, hashes] : [hashes[0], hashes.slice(1)];
  let roots = { oldRoot: first, newRoot: first };
  siblings.forEach((sibling, i) => {
    roots = sibling.start >= oldSize
      ? { oldRoot: roots.oldRoot, newRoot: nodeHash(roots.newRoot, rest[i]) }
      : { oldRoot: nodeHash(rest[i], roots.oldRoot), newRoot: nodeHash(rest[i], roots.newRoot) };
  });
  return roots;
}

/** Whether two hashes are equal. */
export function equalHashes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The leaves D[start:end]. */
interface Subtree {
  readonly start: number;
  readonly end: number;
}

/** The siblings of the subtrees that contain a leaf, from its own sibling upward. */
function leafPath(index: number, size: number): Subtree[] {
  const siblings: Subtree[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + largestPowerBelow(end - start);
    if (index < middle) {
      siblings.push({ start: middle, end });
      end = middle;
    } else {
      siblings.push({ start, end: middle });
      start = middle;
    }
  }
  return siblings.reverse();
}

/**
 * SUBPROOF of section 2.1.2: the largest subtree of both trees that ends where the older tree ends, and the siblings of
 * the subtrees that contain it, upward.
 */
function edgePath(oldSize: number, newSize: number): { shared: Subtree; siblings: Subtree[] } {
  const siblings: Subtree[] = [];
  let [start, end] = [0, newSize];
  while (end !== oldSize) {
    const middle = start + largestPowerBelow(end - start);
    if (oldSize <= middle) {
      siblings.push({ start: middle, end });
      end = middle;
    } else {
      siblings.push({ start, end: middle });
      start = middle;
    }
  }
  return { shared: { start, end }, siblings: siblings.reverse() };
}

/** MTH(D[start:end]): hashes its complete subtrees, one for each bit of its size, from the right. */
function subtreeRoot({ start, end }: Subtree, read: HashReader): Uint8Array {
  const complete: Uint8Array[] = [];
  for (let level = 52; start < end; level--) {
    const leaves = 2 ** level;
    if (leaves > end - start) continue;
    complete.push(read(level, start / leaves));
    start += leaves;
  }
  return complete.reduceRight((right, left) => nodeHash(left, right));
}

/** k of section 2.1: the largest power of two smaller than n, where n > 1. Exact for numbers up to 2^53. */
function largestPowerBelow(n: number): number {
  let k = 1;
  while (2 * k < n) k *= 2;
  return k;
}

function isInteger(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function checkInteger(value: number, what: string, max: number): void {
  if (isInteger(value) && value <= max) return;
  throw new LogError("invalid-argument", `${what} must be an integer from 0 to ${max}, not ${value}`);
}

function checkHashes(hashes: readonly Uint8Array[], count: number, what: string): void {
  if (hashes.length !== count) {
    throw new ProofError("bad-proof", `a proof of ${what} has ${count} hashes, not ${hashes.length}`);
  }
  hashes.forEach(checkHash);
}

/** Stops an attack: hashes of other lengths, split at another place, could give the same node hash. */
function checkHash(hash: Uint8Array): void {
  if (hash.length !== HASH_BYTES) {
    throw new ProofError("bad-proof", `a hash is ${HASH_BYTES} bytes, not ${hash.length}`);
  }
}
