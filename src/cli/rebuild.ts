/**
 * `mnema rebuild`.
 *
 * @module
 */

import type { Command, Input } from "./command.ts";
import { writeAll } from "./files.ts";
import { openToAppend } from "./open.ts";
import type { Output } from "./output.ts";

const BAR_LENGTH = 50;
const DRAW_EVERY_MS = 100;
/** Back to the start of the line, and erase it. */
const ERASE = "\r\x1b[K";

/** Makes all that is derived anew. */
export const rebuild: Command = {
  args: "",
  summary: "Makes everything that is derived from the log anew.",
  details:
    `What is derived is kept beside the log and brought up to date as operations come, so this changes nothing but
after damage: the log alone decides what is in it.`,
  example: "rebuild",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 0);
    using log = await openToAppend(input);
    log.rebuild(Deno.stderr.isTerminal() ? drawProgress() : undefined);
    const operations = log.size;
    if (output.json) return output.line(JSON.stringify({ operations }));
    output.line(`replayed ${operations} ${operations === 1 ? "operation" : "operations"}`);
  },
};

/** A bar on standard error. The work leaves no time to timers, as the bar for an import has them: it is drawn here. */
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
