/**
 * SHA-256 where nothing but JavaScript can be relied on.
 *
 * @module
 */

import { createSHA256, type IHasher } from "hash-wasm";

/** SHA-256 gives so many bytes. */
export const HASH_BYTES = 32;

/** SHA-256, ready for the next message after `init`. */
export const sha256: IHasher = await createSHA256();
