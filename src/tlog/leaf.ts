/**
 * The hash under which an operation stands in the Merkle tree over a log (RFC 6962, section 2.1).
 *
 * @module
 */

import { createSHA256, type IHasher } from "hash-wasm";

/** SHA-256, ready for the next message after `init`. */
export const sha256: IHasher = await createSHA256();

/** 0x00 ‖ data. Kept: making room for each anew, and hashing it in two parts, would cost as much again. */
let leaf = new Uint8Array(4096);

/** SHA-256(0x00 ‖ data): the hash of a leaf. */
export function leafHash(data: Uint8Array): Uint8Array {
  if (leaf.length <= data.length) leaf = new Uint8Array(2 * data.length + 1);
  leaf.set(data, 1);
  return sha256.init().update(leaf.subarray(0, 1 + data.length)).digest("binary");
}
