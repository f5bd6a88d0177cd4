/**
 * Strict Ed25519 verification (RFC 8032): the same result for the same bytes on every platform.
 *
 * The runtime's native code checks `[S]B = R + [k]A` without the cofactor, against the bytes of R. Inputs on which native
 * libraries differ are rejected first: S at or above the group order, points that are not encoded canonically, and points
 * of small order, for which a signature can be forged without a key.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { isBelowGroupOrder, isStrictPoint } from "./strict.ts";

/** The DER, in hex, before the 32 bytes of an Ed25519 public key (RFC 8410). */
const SPKI_PREFIX = "302a300506032b6570032100";

const PUBLIC_KEY = /^[0-9a-f]{64}$/;
const SIGNATURE = /^[0-9a-f]{128}$/;

/** Parsing a key costs about a quarter of a verification, and a log has far fewer authors than operations. */
const MAX_CACHED_KEYS = 1024;
const keys = new Map<string, KeyObject>();
/** Reused for each decoded signature: allocating an array costs more than decoding one. */
const signatureBytes = new Uint8Array(64);

/**
 * Checks a signature.
 *
 * @param publicKey 32 bytes in lower-case hex.
 * @param signature 64 bytes, R ‖ S, in lower-case hex.
 * @param message The bytes that were signed.
 * @returns Whether the signature is valid under the strict rules; false for malformed keys and signatures.
 */
export function verifySignature(publicKey: string, signature: string, message: Uint8Array): boolean {
  if (!SIGNATURE.test(signature)) return false;
  if (!isBelowGroupOrder(signature.slice(64)) || !isStrictPoint(signature.slice(0, 64))) return false;
  const key = publicKeyObject(publicKey);
  if (key === undefined) return false;
  signatureBytes.setFromHex(signature);
  return verify(null, message, key, signatureBytes);
}

function publicKeyObject(hex: string): KeyObject | undefined {
  let key = keys.get(hex);
  if (key === undefined) {
    if (!PUBLIC_KEY.test(hex) || !isStrictPoint(hex)) return undefined;
    try {
      key = createPublicKey({ key: Buffer.from(SPKI_PREFIX + hex, "hex"), format: "der", type: "spki" });
    } catch {
      return undefined; // not a point of the curve
    }
    if (keys.size >= MAX_CACHED_KEYS) keys.delete(keys.keys().next().value!);
    keys.set(hex, key);
  }
  return key;
}
