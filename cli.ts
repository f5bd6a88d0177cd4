#!/usr/bin/env -S deno run --quiet --allow-read=. --allow-write=. --allow-net --allow-run=ssh,xdg-open --allow-ffi --allow-env=MNEMA_LOG,MNEMA_KEY,MNEMA_SSH,DENO_SQLITE_PATH,DENO_SQLITE_LOCAL,WS_NO_BUFFER_UTIL,WS_NO_UTF_8_VALIDATE,TERM
/**
 * The command line, `mnema`: makes an identity and a log, appends, reads, exports, imports, synchronizes and serves.
 *
 * ```sh
 * deno run --quiet --allow-read=. --allow-write=. --allow-net --allow-run=ssh,xdg-open --allow-ffi --allow-env=MNEMA_LOG,MNEMA_KEY,MNEMA_SSH,DENO_SQLITE_PATH,DENO_SQLITE_LOCAL,WS_NO_BUFFER_UTIL,WS_NO_UTF_8_VALIDATE,TERM \
 *   cli.ts --help
 * ```
 *
 * @module
 */

import { main } from "./src/cli/main.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
