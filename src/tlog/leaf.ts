/**
 * The leaf hash of an operation in the Merkle tree over a log (RFC 6962, section 2.1), by WebAssembly.
 *
 * @module
 */

import { createSHA256, type IHasher } from "hash-wasm";

/** SHA-256; call `init` before each message. */
export const sha256: IHasher = await createSHA256();

/** 0x00 ‖ data. Reused: allocating an array for each leaf, or hashing it in two parts, doubles the cost. */
let leaf = new Uint8Array(4096);

/** SHA-256(0x00 ‖ data): the hash of a leaf. */
export function leafHash(data: Uint8Array): Uint8Array {
  if (leaf.length <= data.length) leaf = new Uint8Array(2 * data.length + 1);
  leaf.set(data, 1);
  return sha256.init().update(leaf.subarray(0, 1 + data.length)).digest("binary");
}
