/**
 * Ed25519 verification (RFC 8032), strict: the same verdict on the same bytes everywhere.
 *
 * The runtime's native code does the arithmetic: it checks `[S]B = R + [k]A` without the cofactor, against the bytes
 * of R. What native libraries are free to accept or refuse is refused here first: S at or above the group order,
 * points that are not encoded canonically, and points of small order, for which a signature can be made without a key.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createPublicKey, type KeyObject, verify } from "node:crypto";

/** The group order L (RFC 8032, 5.1), 32 bytes in hex, most significant byte first. */
const GROUP_ORDER = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed";

/** The y coordinates of the eight points of small order, little-endian, sign bit cleared. */
const SMALL_ORDER_Y: ReadonlySet<string> = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000", // order 4
  "0100000000000000000000000000000000000000000000000000000000000000", // order 1
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // order 2: p - 1
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // order 8
]);

/** The DER, in hex, before the 32 bytes of an Ed25519 public key (RFC 8410). */
const SPKI_PREFIX = "302a300506032b6570032100";

/** Reading a key costs about a quarter of a verification, and a log has far fewer authors than operations. */
const MAX_CACHED_KEYS = 1024;
const keys = new Map<string, KeyObject>();
/** Where a signature is decoded: making an array for each would cost more than decoding it. */
const signatureBytes = new Uint8Array(64);

/**
 * Checks a signature.
 *
 * @param publicKey 32 bytes in lower-case hex.
 * @param signature 64 bytes, R ‖ S, in lower-case hex.
 * @param message The bytes that were signed.
 * @returns Whether the signature is the key's, under the strict rules. Never throws on well-formed hex.
 */
export function verifySignature(publicKey: string, signature: string, message: Uint8Array): boolean {
  if (!isBelowGroupOrder(signature.slice(64)) || !isStrictPoint(signature.slice(0, 64))) return false;
  const key = publicKeyObject(publicKey);
  if (key === undefined) return false;
  signatureBytes.setFromHex(signature);
  return verify(null, message, key, signatureBytes);
}

/** Whether a scalar, 32 little-endian bytes in hex, is below the group order: its top byte almost always tells. */
function isBelowGroupOrder(scalar: string): boolean {
  const topByte = scalar.slice(62);
  return topByte < "10" || (topByte === "10" && Uint8Array.fromHex(scalar).reverse().toHex() < GROUP_ORDER);
}

/** How the few encodings begin that are not strict; the rest of one that begins so is looked at. */
const SUSPECT = /^(?:0000|0100|26e8|c717|ecff|e[def]ff|f.ff)/;

/** Whether 32 bytes in hex are canonical (y below p = 2^255 - 19) and not a point of small order. */
function isStrictPoint(hex: string): boolean {
  if (!SUSPECT.test(hex)) return true;
  const y = hex.slice(0, 62) + (parseInt(hex.slice(62), 16) & 0x7f).toString(16).padStart(2, "0");
  const isCanonical = !y.endsWith("f".repeat(60) + "7f") || y < "ed";
  return isCanonical && !SMALL_ORDER_Y.has(y);
}

function publicKeyObject(hex: string): KeyObject | undefined {
  let key = keys.get(hex);
  if (key === undefined) {
    if (!isStrictPoint(hex)) return undefined;
    try {
      key = createPublicKey({ key: Buffer.from(SPKI_PREFIX + hex, "hex"), format: "der", type: "spki" });
    } catch {
      return undefined; // no point of the curve
    }
    if (keys.size >= MAX_CACHED_KEYS) keys.delete(keys.keys().next().value!);
    keys.set(hex, key);
  }
  return key;
}
