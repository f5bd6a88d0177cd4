/**
 * Merkle trees of RFC 6962, section 2.1: roots and proofs from stored hashes, and what a proof proves.
 *
 * MTH(D[n]) splits n leaves at k, the largest power of two smaller than n. So every subtree that a proof names, but
 * those along the right edge, is complete: 2^level leaves from a multiple of 2^level on. A log stores the hashes of
 * complete subtrees, which never change, and makes the others from them.
 *
 * @module
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { LogError, ProofError } from "../errors.ts";
import { HASH_BYTES } from "../bytes.ts";

const LEAF = new Uint8Array([0]);
const NODE = new Uint8Array([1]);

/** MTH({}): the hash of nothing. */
export const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array());

/**
 * Gives the hash of a complete subtree, the one of the 2^level leaves that begin at leaf index·2^level: level 0 is the
 * leaves themselves.
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
 * @param size How many leaves, 0 to 2^53-1.
 * @param read Gives the stored hashes.
 * @returns The root: of no leaves, {@linkcode EMPTY_ROOT}.
 * @throws {LogError} `invalid-argument` when `size` is none.
 */
export function treeRoot(size: number, read: HashReader): Uint8Array {
  checkInteger(size, "the size of a tree", Number.MAX_SAFE_INTEGER);
  return size === 0 ? EMPTY_ROOT.slice() : subtreeRoot({ start: 0, end: size }, read);
}

/**
 * PATH(index, D[size]) of section 2.1.1: the hashes that lead from a leaf to the root. Reads at most 105 hashes.
 *
 * @param index The leaf, 0 to size - 1.
 * @param size How many leaves the tree has.
 * @param read Gives the stored hashes.
 * @returns The hashes, from the leaf's sibling upward.
 * @throws {LogError} `invalid-argument` when `size` or `index` is out of range.
 */
export function inclusionProof(index: number, size: number, read: HashReader): Uint8Array[] {
  checkInteger(size, "the size of a tree", Number.MAX_SAFE_INTEGER);
  checkInteger(index, `the index of a leaf of ${size}`, size - 1);
  return leafPath(index, size).map((sibling) => subtreeRoot(sibling, read));
}

/**
 * PROOF(oldSize, D[newSize]) of section 2.1.2: the hashes from which both roots can be made. Reads at most 106 hashes.
 *
 * @param oldSize How many leaves the tree had. From 0 there is nothing to prove, and no hash.
 * @param newSize How many leaves the tree has, at least as many.
 * @param read Gives the stored hashes.
 * @returns The hashes.
 * @throws {LogError} `invalid-argument` when a size is out of range.
 */
export function consistencyProof(oldSize: number, newSize: number, read: HashReader): Uint8Array[] {
  checkInteger(newSize, "the size of a tree", Number.MAX_SAFE_INTEGER);
  checkInteger(oldSize, `the size of an older tree than one of ${newSize}`, newSize);
  if (oldSize === 0) return [];
  const { shared, siblings } = edgePath(oldSize, newSize);
  // The older tree's own root is known to whoever checks the proof.
  const subtrees = shared.start === 0 ? siblings : [shared, ...siblings];
  return subtrees.map((subtree) => subtreeRoot(subtree, read));
}

/**
 * What an inclusion proof proves.
 *
 * @param index The leaf.
 * @param size How many leaves the tree has.
 * @param leaf The hash of the leaf.
 * @param hashes The proof.
 * @returns The root of the tree that has this leaf there: the caller compares it.
 * @throws {ProofError} `bad-proof` when there is no such leaf, or the proof has not just the hashes that it needs.
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
 * What a consistency proof proves.
 *
 * @param oldSize How many leaves the older tree has, at least 1.
 * @param oldRoot Its root.
 * @param newSize How many leaves the newer tree has.
 * @param hashes The proof.
 * @returns The roots of an older and a newer tree that begin with the same leaves: the caller compares both.
 * @throws {ProofError} `bad-proof` when the sizes are none, or the proof has not just the hashes that it needs.
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

/** Whether two hashes are the same. */
export function equalHashes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The leaves D[start:end]. */
interface Subtree {
  readonly start: number;
  readonly end: number;
}

/** The siblings of the subtrees that a leaf is in, from the leaf's own upward. */
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
 * SUBPROOF of section 2.1.2: the largest subtree that ends where the older tree ends and that both trees have, and the
 * siblings of the subtrees that it is in, upward.
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

/** MTH(D[start:end]): the complete subtrees it consists of, one for each bit of its size, hashed from the right. */
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

/** k of section 2.1: the largest power of two smaller than n, where n > 1. Numbers up to 2^53 are exact in it. */
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

/** Hashes of other lengths could be cut apart in another place, and hash to the same. */
function checkHash(hash: Uint8Array): void {
  if (hash.length !== HASH_BYTES) {
    throw new ProofError("bad-proof", `a hash is ${HASH_BYTES} bytes, not ${hash.length}`);
  }
}
