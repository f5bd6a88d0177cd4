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

/** Prints the current value of a key. */
export const get: Command = {
  args: "KEY",
  summary: "Prints the current value of a key.",
  details:
    `The value is JSON: text is in double quotes. With --json, the whole claim. The exit code is 1 when no claim of \
the key is active.`,
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
