/**
 * Runs several command lines one after the other in one process. What each writes to standard output and to standard
 * error is ended there by its exit code between two NUL characters.
 *
 * @module
 */

import { main } from "../../src/cli/main.ts";

for (const args of JSON.parse(Deno.args[0])) {
  const end = new TextEncoder().encode(`\0${await main(args)}\0`);
  Deno.stdout.writeSync(end);
  Deno.stderr.writeSync(end);
}
