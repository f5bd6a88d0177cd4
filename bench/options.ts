/**
 * The options of benchmarks.
 *
 * @module
 */

/** Ends the process, for what `parseArgs` does not know: a misspelt option would else start half an hour of measuring. */
export function refuseUnknown(argument: string): void {
  if (!argument.startsWith("-")) return; // a size, say
  console.error(`there is no option ${argument} here; bench/README.md says what there is`);
  Deno.exit(2);
}
