/**
 * How far work is that leaves no time to the timers of the bar that an import has.
 *
 * @module
 */

import { writeAll } from "./files.ts";

const BAR_LENGTH = 50;
const DRAW_EVERY_MS = 100;
/** Back to the start of the line, and erase it. */
const ERASE = "\r\x1b[K";

/** A bar on standard error: what is returned draws it, and takes it away when all is done. */
export function drawProgress(): (done: number, total: number) => void {
  let drawn = 0;
  return (done, total) => {
    const now = Date.now();
    if (done >= total) return writeAll(Deno.stderr, ERASE);
    if (now - drawn < DRAW_EVERY_MS) return;
    drawn = now;
    const filled = Math.floor(done / total * BAR_LENGTH);
    writeAll(Deno.stderr, `${ERASE}[${"#".repeat(filled)}${"-".repeat(BAR_LENGTH - filled)}] ${done}/${total}`);
  };
}
