/**
 * What a command is: what the file of each one needs.
 *
 * @module
 */

import type { Input } from "./input.ts";
import { GLOBAL_OPTIONS, type OptionSpec } from "./options.ts";
import type { Output } from "./output.ts";

export type { Input, OptionSpec };
export { suggestion, UsageError } from "./options.ts";

/** One command. */
export interface Command {
  /** Its arguments, as the help shows them; those in brackets may be left out. */
  args: string;
  /** What it does, in one line. */
  summary: string;
  /** What else one should know, in the help of the command. */
  details?: string;
  /** Its own options. */
  options?: Record<string, OptionSpec>;
  /** The only values that its argument takes. */
  choices?: readonly string[];
  /** An example, without `mnema` before it. */
  example: string;
  /** Does it. What it returns is the exit code: 0 when it is nothing. */
  run(input: Input, output: Output): Promise<number | void> | number | void;
}

/** All options of a command: its own first, which may give one of those that every command takes another meaning. */
export function optionsOf(command: Command): Record<string, OptionSpec> {
  return { ...command.options, ...GLOBAL_OPTIONS, ...command.options };
}

/** How a command is used: its name and its arguments. */
export function usageOf(name: string, { args }: Command): string {
  return [name, args].filter(Boolean).join(" ");
}
