/**
 * Encodings at which implementations of Ed25519 disagree.
 *
 * @module
 */

const ORDER = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn;
const PRIME = 2n ** 255n - 19n;

/** 32 little-endian bytes in hex. */
function littleEndian(integer: bigint): string {
  return integer.toString(16).padStart(64, "0").match(/../g)!.reverse().join("");
}

/** Points of small order, encodings that are not canonical, and scalars at the edge of the group order. */
export const ED25519_TOKENS: readonly string[] = [
  ...[0n, 1n, PRIME - 1n, PRIME, PRIME + 1n, 2n ** 255n - 1n, 2n ** 255n, 2n ** 255n + 1n, 2n ** 256n - 1n],
  ...[ORDER - 1n, ORDER, ORDER + 1n],
].map(littleEndian).concat(
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
);

/** A signature, in hex, with the group order added to its scalar: careless verifiers accept both. */
export function orderAdded(signature: string): string {
  const scalar = BigInt("0x" + signature.slice(64).match(/../g)!.reverse().join(""));
  return signature.slice(0, 64) + littleEndian(scalar + ORDER);
}
