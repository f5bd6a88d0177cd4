/**
 * The number of test cases. The environment variable `MNEMA_TEST_RUNS` scales it: 20 tries twenty times as many
 * random cases as usual, 0.2 a fifth of them, and a fifth of the cases of a long list.
 *
 * @module
 */

import fc from "fast-check";

const SCALE = Number(Deno.env.get("MNEMA_TEST_RUNS") ?? 1);
if (!(SCALE > 0)) throw new Error("MNEMA_TEST_RUNS must be a number greater than 0");

/** The number of random cases, where `count` is usual. */
export function runs(count: number): number {
  return Math.ceil(count * SCALE);
}

/** The whole list, or, scaled below 1, an evenly spread part of it. */
export function sample<T>(cases: readonly T[]): T[] {
  return cases.filter((_, i) => SCALE >= 1 || Math.floor((i + 1) * SCALE) > Math.floor(i * SCALE));
}

/** Properties without a number use fast-check's default, scaled. */
fc.configureGlobal({ numRuns: runs(100) });
