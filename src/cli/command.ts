/**
 * The interface of a command, and what its file imports.
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
  /** Its arguments, as the help shows them; those in brackets are optional. */
  args: string;
  /** A line for the help. */
  summary: string;
  /** More paragraphs for the help of the command. */
  details?: string;
  /** Its own options. */
  options?: Record<string, OptionSpec>;
  /** The values that its argument can have; any, by default. */
  choices?: readonly string[];
  /** An example, without `mnema` before it. */
  example: string;
  /** Runs the command, and returns the exit code: 0 by default. */
  run(input: Input, output: Output): Promise<number | void> | number | void;
}

/** All options of a command. Its own come first, and override global ones of the same name. */
export function optionsOf(command: Command): Record<string, OptionSpec> {
  return { ...command.options, ...GLOBAL_OPTIONS, ...command.options };
}

/** The usage of a command: its name and its arguments. */
export function usageOf(name: string, { args }: Command): string {
  return [name, args].filter(Boolean).join(" ");
}
