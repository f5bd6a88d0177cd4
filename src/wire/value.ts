/**
 * The values that MNC-1 encodes, and their limits.
 *
 * @module
 */

/** A value that MNC-1 encodes. Integers beyond ±(2^53-1) are `bigint`, never a rounded `number`. */
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

/** Maximum depth of a value; the root has depth 0. */
export const MAX_DEPTH = 64;

/** The least integer: signed 64 bits. */
export const MIN_INTEGER: bigint = -(2n ** 63n);
/** The greatest integer: signed 64 bits. */
export const MAX_INTEGER: bigint = 2n ** 63n - 1n;

/** Whether a value is an object, and not an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is an integer from 0 to 2^53-1. */
export function isNatural(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
