/**
 * Sums of ids: little-endian 256-bit numbers, added modulo 2^256.
 *
 * @module
 */

/** The length of an id, and of a sum of ids, in bytes. */
export const SUM_BYTES = 32;

/**
 * Adds a number to a sum, in place.
 *
 * @param sum The sum, 32 bytes.
 * @param bytes Holds the number.
 * @param at Where its 32 bytes begin.
 */
export function addTo(sum: Uint8Array, bytes: Uint8Array, at = 0): void {
  let carry = 0;
  for (let i = 0; i < SUM_BYTES; i++) {
    carry += sum[i] + bytes[at + i];
    sum[i] = carry; // its low 8 bits
    carry >>= 8;
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
