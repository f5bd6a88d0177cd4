/**
 * `mnema refute` and `mnema correct`.
 *
 * @module
 */

import type { Cascade } from "../claims/claim.ts";
import { counted } from "../text.ts";
import { parseValue } from "../render/parse.ts";
import { cascadeJson } from "../render/report.ts";
import { ABOUT_VALUES } from "./assert.ts";
import type { Command, Input, OptionSpec } from "./command.ts";
import { loadIdentity, openToAppend } from "./open.ts";
import type { Output } from "./output.ts";

const OPTIONS: Record<string, OptionSpec> = {
  reason: { value: "TEXT", help: "why, in your own words" },
  ts: { value: "MS", help: "its time in Unix milliseconds (default: now)" },
};

/** Refutes claims of a key. */
export const refute: Command = {
  args: "KEY [VALUE]",
  summary: "Refutes the claims of a key; what was derived from them falls, too.",
  details: `Without VALUE, all claims of the key so far; with VALUE, all claims of this value, later ones included.

${ABOUT_VALUES}`,
  options: OPTIONS,
  example: `refute drink coffee --reason "never after noon"`,
  async run(input: Input, output: Output): Promise<number> {
    input.requireArgs(1, 2);
    const [key, text] = input.args;
    const options = optionsOf(input);
    const value = text === undefined ? undefined : parseValue(text);
    const identity = await loadIdentity(input);
    using log = await openToAppend(input);
    return report(log.claims.refute(identity, key, { ...options, value }), output);
  },
};

/** Corrects the value of a key. */
export const correct: Command = {
  args: "KEY VALUE",
  summary: "Sets your own value for a key; claims of other values fall.",
  details: ABOUT_VALUES,
  options: OPTIONS,
  example: `correct drink "green tea"`,
  async run(input: Input, output: Output): Promise<number> {
    input.requireArgs(2, 2);
    const [key, text] = input.args;
    const options = optionsOf(input);
    const value = parseValue(text);
    const identity = await loadIdentity(input);
    using log = await openToAppend(input);
    return report(log.claims.correct(identity, key, value, options), output);
  },
};

function optionsOf(input: Input): { reason?: string; ts?: number } {
  return { reason: input.value("reason"), ts: input.integer("ts", 0) };
}

/** Writes the effects of a ruling; the exit code is 1 when it has none. */
function report(cascade: Cascade, output: Output): number {
  const { op, invalidations: { length: count }, effective } = cascade;
  if (output.json) output.data(cascadeJson(cascade));
  else {
    output.line(op.opId);
    output.line(`${count === 0 ? "no claim" : counted(count, "claim")} fell`);
  }
  if (effective) return 0;
  output.note(
    `mnema: it was appended without effect: a ruling stored as later overrides it; run "mnema rebuild", then try again`,
  );
  return 1;
}
