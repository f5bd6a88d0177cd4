/**
 * Collects garbage before memory is measured.
 *
 * @module
 */

/** Gives back what is not in use: only with `--v8-flags=--expose-gc`. */
export async function collectGarbage(): Promise<void> {
  const collect: unknown = Reflect.get(globalThis, "gc");
  for (let time = 0; time < 2 && typeof collect === "function"; time++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve)); // buffers are given back after the collection
  }
}
