/** Reads a conformance case file from `tests/vectors/`. */
export function readVectors<T>(name: string): T {
  return JSON.parse(readVectorText(name));
}

/** Reads a file of `tests/vectors/` as text. */
export function readVectorText(name: string): string {
  return Deno.readTextFileSync(vectorPath(name));
}

/** The path of a file of `tests/vectors/`. */
export function vectorPath(name: string): string {
  return decodeURIComponent(new URL(`./vectors/${name}`, import.meta.url).pathname);
}
