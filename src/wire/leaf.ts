/**
 * The hash under which an operation stands in the Merkle tree over a log (RFC 6962, section 2.1).
 *
 * @module
 */

import { createSHA256, type IHasher } from "hash-wasm";

/** SHA-256, ready for the next message after `init`. */
export const sha256: IHasher = await createSHA256();
const LEAF_PREFIX = Uint8Array.of(0);

/** SHA-256(0x00 ‖ data): the hash of a leaf. */
export function leafHash(data: Uint8Array): Uint8Array {
  return sha256.init().update(LEAF_PREFIX).update(data).digest("binary");
}
