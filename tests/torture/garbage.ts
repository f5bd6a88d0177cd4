/**
 * Collects garbage before memory is measured.
 *
 * @module
 */

/** The C library of most Linux systems. */
const GLIBC = "libc.so.6";

/** Gives back what is not in use: only with `--v8-flags=--expose-gc`. */
export async function collectGarbage(): Promise<void> {
  const collect: unknown = Reflect.get(globalThis, "gc");
  for (let time = 0; time < 2 && typeof collect === "function"; time++) {
    collect({ type: "major", execution: "sync", flavor: "last-resort" }); // gives back the pages of what is gone, too
    await new Promise((resolve) => setTimeout(resolve)); // buffers are given back after the collection
  }
  trimAllocator();
}

/**
 * Makes the memory allocator give back what it keeps of freed memory, which is the most that was ever in use between two
 * collections: many buffers of streams. Does nothing without glibc.
 */
function trimAllocator(): void {
  if (Deno.build.os !== "linux") return;
  let library;
  try {
    library = Deno.dlopen(GLIBC, { malloc_trim: { parameters: ["usize"], result: "i32" } });
  } catch {
    return;
  }
  library.symbols.malloc_trim(0n);
  library.close();
}
