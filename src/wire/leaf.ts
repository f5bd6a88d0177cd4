/**
 * The hash under which an operation stands in the Merkle tree over a log (RFC 6962, section 2.1).
 *
 * @module
 */

import { createSHA256, type IHasher } from "hash-wasm";

/** SHA-256 gives so many bytes. */
export const HASH_BYTES = 32;

/** SHA-256, ready for the next message after `init`. */
export const sha256: IHasher = await createSHA256();

const utf8 = new TextEncoder();
/** 0x00 ‖ data. Kept: making room for each anew, and hashing it in two parts, would cost as much again. */
let leaf = new Uint8Array(4096);

/** SHA-256(0x00 ‖ data): the hash of a leaf. */
export function leafHash(data: Uint8Array): Uint8Array {
  reserve(data.length);
  leaf.set(data, 1);
  return hash(data.length);
}

/** The hash of a leaf that is the UTF-8 of a text. */
export function textLeafHash(text: string): Uint8Array {
  reserve(3 * text.length);
  return hash(utf8.encodeInto(text, leaf.subarray(1)).written);
}

function reserve(bytes: number): void {
  if (leaf.length <= bytes) leaf = new Uint8Array(2 * bytes + 1);
}

function hash(bytes: number): Uint8Array {
  return sha256.init().update(leaf.subarray(0, 1 + bytes)).digest("binary");
}
