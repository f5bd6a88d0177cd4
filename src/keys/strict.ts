/**
 * The encodings of scalars and points that strict Ed25519 verification accepts (RFC 8032, 5.1). Libraries differ on the
 * others, which are therefore rejected before any arithmetic.
 *
 * @module
 */

import { fromHex, toHex } from "../bytes.ts";

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

/** Whether a scalar, 32 little-endian bytes in hex, is below the group order: its top byte almost always decides. */
export function isBelowGroupOrder(scalar: string): boolean {
  const topByte = scalar.slice(62);
  return topByte < "10" || (topByte === "10" && toHex(fromHex(scalar).reverse()) < GROUP_ORDER);
}

/** A fast filter: every encoding that is not strict matches, and few others do. */
const SUSPECT = /^(?:0000|0100|26e8|c717|ecff|e[def]ff|f.ff)/;

/** Whether 32 bytes in hex are canonical (y below p = 2^255 - 19) and not a point of small order. */
export function isStrictPoint(hex: string): boolean {
  if (!SUSPECT.test(hex)) return true;
  const y = hex.slice(0, 62) + (parseInt(hex.slice(62), 16) & 0x7f).toString(16).padStart(2, "0");
  const isCanonical = !y.endsWith("f".repeat(60) + "7f") || y < "ed";
  return isCanonical && !SMALL_ORDER_Y.has(y);
}
