/**
 * Makes an input smaller that makes a target fail.
 *
 * @module
 */

const MAX_TRIES = 2000;

/**
 * Leaves out parts for as long as the input fails.
 *
 * @param input The input.
 * @param fails Whether a smaller one fails in the same way.
 */
export async function shrink(
  input: Uint8Array,
  fails: (smaller: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array> {
  let smallest = input;
  let tries = 0;
  for (let size = input.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < smallest.length && tries < MAX_TRIES; tries++) {
      const smaller = new Uint8Array(Math.max(0, smallest.length - size));
      smaller.set(smallest.subarray(0, Math.min(at, smaller.length)));
      if (at + size < smallest.length) smaller.set(smallest.subarray(at + size), at);
      if (smaller.length < smallest.length && await fails(smaller)) smallest = smaller;
      else at += size;
    }
  }
  return smallest;
}
