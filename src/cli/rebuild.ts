/**
 * `mnema rebuild`.
 *
 * @module
 */

import { counted } from "../text.ts";
import type { Command, Input } from "./command.ts";
import { openToAppend } from "./open.ts";
import type { Output } from "./output.ts";
import { drawProgress } from "./progress.ts";

/** Rebuilds everything that is derived. */
export const rebuild: Command = {
  args: "",
  summary: "Rebuilds everything that is derived from the log.",
  details:
    `Heads, claims and the Merkle tree are derived from the operations alone and caught up automatically. A rebuild is
needed only after damage, and loses nothing.`,
  example: "rebuild",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 0);
    using log = await openToAppend(input);
    log.rebuild(drawProgress());
    const operations = log.size;
    if (output.json) return output.data(JSON.stringify({ operations }));
    output.line(`replayed ${counted(operations, "operation")}`);
  },
};
