/**
 * The values that MNC-1 encodes, and their limits.
 *
 * @module
 */

/** What MNC-1 can encode. Integers beyond ±(2^53-1) are `bigint`, never a rounded `number`. */
export type CanonicalValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly CanonicalValue[]
  | CanonicalObject;

/** An object of {@linkcode CanonicalValue}s. */
export type CanonicalObject = { readonly [key: string]: CanonicalValue };

/** The root has depth 0; a value deeper than this is an error. */
export const MAX_DEPTH = 64;

/** The least and the greatest integer: signed 64 bits. */
export const MIN_INTEGER: bigint = -(2n ** 63n);
/** @see MIN_INTEGER */
export const MAX_INTEGER: bigint = 2n ** 63n - 1n;
