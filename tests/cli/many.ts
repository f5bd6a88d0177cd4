/**
 * Runs several command lines in sequence in one process. On standard output and standard error, the exit code between two
 * NUL characters ends the output of each.
 *
 * @module
 */

import { main } from "../../src/cli/main.ts";

for (const args of JSON.parse(Deno.args[0])) {
  const end = new TextEncoder().encode(`\0${await main(args)}\0`);
  Deno.stdout.writeSync(end);
  Deno.stderr.writeSync(end);
}
