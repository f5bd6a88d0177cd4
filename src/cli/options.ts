/**
 * The specification of options, and the errors for wrong ones.
 *
 * @module
 */

import { closest, distance } from "fastest-levenshtein";

/** Wrong usage: printed with a pointer to the help, exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** One option of a command. */
export interface OptionSpec {
  /** The placeholder of its value in the help; a flag has none. */
  value?: string;
  /** A line for the help. */
  help: string;
  /** May be given several times, and may take several values separated by commas. */
  many?: true;
  /** Its single-letter alias. */
  alias?: string;
  /** The values that it can have; any, by default. */
  choices?: readonly string[];
}

/** Options that every command takes. */
export const GLOBAL_OPTIONS: Record<string, OptionSpec> = {
  log: { value: "FILE", help: "the log (default: mnema.db, or MNEMA_LOG)" },
  key: { value: "FILE", help: "the key (default: mnema.key, or MNEMA_KEY)" },
  json: { help: "results as JSON, for programs" },
  help: { help: "show help", alias: "h" },
};

/** An option as it is written. */
export function dashed(name: string): string {
  return (name.length === 1 ? "-" : "--") + name;
}

/** `; did you mean …?` when one of the names is similar, else an empty text. */
export function suggestion(word: string, names: Iterable<string>, prefix = "--"): string {
  const nearest = closest(word.toLowerCase(), [...names]);
  const far = distance(word.toLowerCase(), nearest);
  const near = far < word.length && far <= Math.max(2, word.length / 3);
  return near && (far <= 1 || word[0].toLowerCase() === nearest[0]) ? `; did you mean ${prefix}${nearest}?` : "";
}
