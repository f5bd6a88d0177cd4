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
    log.rebuild(drawProgress());
    const operations = log.size;
    if (output.json) return output.data(JSON.stringify({ operations }));
    output.line(`replayed ${counted(operations, "operation")}`);
  },
};
