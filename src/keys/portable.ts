/**
 * Strict Ed25519 verification (RFC 8032) in plain JavaScript, for browsers: the same result as `native.ts` for every key,
 * signature and message. Takes some milliseconds.
 *
 * The `verify` of noble multiplies both sides by the cofactor 8, and so accepts signatures that native code rejects. Only
 * its point arithmetic is used.
 *
 * @module
 */

import { Point } from "@noble/ed25519";
import { sha512 } from "@noble/hashes/sha2.js";
import { toHex } from "../bytes.ts";
import { isBelowGroupOrder, isStrictPoint } from "./strict.ts";

/**
 * Checks a signature.
 *
 * @param publicKey 32 bytes.
 * @param signature R ‖ S, 64 bytes.
 * @param message The bytes that were signed.
 * @returns Whether the signature is valid under the strict rules.
 */
export function verifySignature(publicKey: Uint8Array, signature: Uint8Array, message: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const [R, S] = [signature.subarray(0, 32), signature.subarray(32)];
  if (!isStrictPoint(toHex(publicKey)) || !isStrictPoint(toHex(R)) || !isBelowGroupOrder(toHex(S))) return false;
  const A = pointOf(publicKey);
  if (A === undefined) return false;
  // k = SHA512(R ‖ A ‖ M) mod L, and R = [S]B - [k]A, byte for byte (5.1.7).
  const k = integer(sha512.create().update(R).update(publicKey).update(message).digest()) % Point.CURVE().n;
  const difference = Point.BASE.multiplyUnsafe(integer(S)).subtract(A.multiplyUnsafe(k));
  return difference.toHex() === toHex(R);
}

function pointOf(bytes: Uint8Array): Point | undefined {
  try {
    return Point.fromBytes(bytes);
  } catch {
    return undefined; // not a point of the curve
  }
}

function integer(littleEndian: Uint8Array): bigint {
  return BigInt("0x" + toHex(littleEndian.toReversed()));
}
