/**
 * `mnema get`.
 *
 * @module
 */

import { encodeCanonical } from "../wire/canonical.ts";
import type { Command, Input } from "./command.ts";
import { holding } from "./ids.ts";
import { openToDerive } from "./open.ts";
import type { Output } from "./output.ts";

/** Prints the value that holds. */
export const get: Command = {
  args: "KEY",
  summary: "Prints the value that holds for a key.",
  details:
    `The value is JSON: text is in double quotes. When no claim of the key is active, nothing holds, and the exit \
code is 1. With --json, the whole claim.`,
  example: "get drink",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(1, 1);
    using log = await openToDerive(input);
    const claim = holding(log, input.args[0]);
    if (!output.json) return output.data(encodeCanonical(claim.value));
    const { formatJson } = await import("../render/json.ts");
    output.data(formatJson(claim));
  },
};
