/**
 * Sums of ids: little-endian 256-bit numbers, added modulo 2^256.
 *
 * @module
 */

/** The length of an id, and of a sum of ids, in bytes. */
export const SUM_BYTES = 32;

const LIMBS = SUM_BYTES / 2;
const limbs = new Uint32Array(LIMBS);

/**
 * Adds numbers to a sum, in place.
 *
 * @param sum The sum, 32 bytes.
 * @param bytes Holds the numbers.
 * @param at Where the 32 bytes of the first begin.
 * @param count How many numbers there are: at most 65,536.
 * @param stride How many bytes after the begin of one the next begins.
 */
export function addTo(sum: Uint8Array, bytes: Uint8Array, at = 0, count = 1, stride: number = SUM_BYTES): void {
  limbs.fill(0); // sums of 16 bits each, without carries: below 2^32
  for (let n = 0; n < count; n++, at += stride) {
    for (let i = 0; i < LIMBS; i++) limbs[i] += bytes[at + 2 * i] | (bytes[at + 2 * i + 1] << 8);
  }
  let carry = 0;
  for (let i = 0; i < LIMBS; i++) {
    carry += limbs[i] + (sum[2 * i] | (sum[2 * i + 1] << 8));
    sum[2 * i] = carry; // its low 8 bits
    sum[2 * i + 1] = carry >>> 8;
    carry = Math.floor(carry / 2 ** 16);
  }
}

/**
 * Subtracts a number from a sum, in place.
 *
 * @param sum The sum, 32 bytes.
 * @param bytes Holds the number.
 * @param at Where its 32 bytes begin.
 */
export function subtractFrom(sum: Uint8Array, bytes: Uint8Array, at = 0): void {
  let borrow = 0;
  for (let i = 0; i < SUM_BYTES; i++) {
    borrow += sum[i] - bytes[at + i];
    sum[i] = borrow;
    borrow >>= 8;
  }
}
