/**
 * What a command is, how its arguments are read, and how its help is written.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { closest, distance } from "fastest-levenshtein";
import { LogError } from "../errors.ts";
import { REBUILD_ADVICE } from "../replay/damage.ts";
import type { Output } from "./output.ts";
import { explainDenial, readVariable } from "./permissions.ts";

/** Wrong usage: said with a pointer to the help, exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** One option of a command. */
export interface OptionSpec {
  /** What stands for its value in the help; a flag has none. */
  value?: string;
  /** What it does, in a few words. */
  help: string;
  /** May be given several times, and may take several values separated by commas. */
  many?: true;
  /** A single letter that means the same. */
  alias?: string;
}

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
  /** An example, without `mnema` before it. */
  example: string;
  /** Does it. What it returns is the exit code: 0 when it is nothing. */
  run(input: Input, output: Output): Promise<number | void> | number | void;
}

/** Options that every command takes. */
export const GLOBAL_OPTIONS: Record<string, OptionSpec> = {
  log: { value: "FILE", help: "the log (default: mnema.db, or MNEMA_LOG)" },
  key: { value: "FILE", help: "the key (default: mnema.key, or MNEMA_KEY)" },
  json: { help: "results as JSON, for programs" },
  help: { help: "show help", alias: "h" },
};

/** Reads a command's arguments by its options. */
export class Input {
  readonly #options: Record<string, unknown>;
  /** The arguments that are no options. */
  readonly args: readonly string[];
  /** The options before the first of `args`, where reading stopped there. */
  readonly leading: readonly string[];

  private constructor(leading: readonly string[], args: readonly string[], options: Record<string, unknown>) {
    this.leading = leading;
    this.args = args;
    this.#options = options;
  }

  /**
   * Reads arguments.
   *
   * @param args What stands on the command line, up to `--`.
   * @param options The options that may be among them.
   * @param more `stopEarly` stops at the first argument that is no option; `literal` are arguments behind `--`.
   * @throws {UsageError} For an option that is not known or lacks its value.
   */
  static parse(
    args: readonly string[],
    options: Record<string, OptionSpec>,
    more: { stopEarly?: boolean; literal?: readonly string[] } = {},
  ): Input {
    const named = Object.entries(options);
    const valued = named.filter(([, spec]) => spec.value !== undefined).map(([name]) => name);
    const alias = Object.fromEntries(named.flatMap(([name, spec]) => spec.alias ? [[spec.alias, name]] : []));
    const joined = joinValues(args, valued);
    const parsed: Record<string, unknown> & { _: unknown[] } = parseArgs(joined, {
      string: [...valued, "_"],
      boolean: named.filter(([, spec]) => spec.value === undefined).map(([name]) => name),
      collect: named.filter(([, spec]) => spec.many).map(([name]) => name),
      alias,
      stopEarly: more.stopEarly ?? false,
      unknown: (arg: string, key?: string) => {
        if (key !== undefined) {
          throw new UsageError(`there is no option ${arg.split("=")[0]}${suggestion(key, options)}`);
        }
      },
    });
    for (const name of valued) {
      for (const value of [parsed[name]].flat()) {
        if (value === "") throw new UsageError(`${dashed(name)} needs a value: ${dashed(name)} ${options[name].value}`);
      }
    }
    const positional = parsed._.map(String);
    return new Input(
      joined.slice(0, joined.length - positional.length),
      [...positional, ...more.literal ?? []],
      parsed,
    );
  }

  /** Whether a flag is given. */
  flag(name: string): boolean {
    return this.#options[name] === true;
  }

  /** The value of an option. */
  value(name: string): string | undefined {
    const value = this.#options[name];
    return Array.isArray(value) ? value.at(-1) : value as string | undefined;
  }

  /** All values of an option that may be given several times; undefined when it is not given. */
  values(name: string): string[] | undefined {
    const values = [this.#options[name] ?? []].flat() as string[];
    if (values.length === 0) return undefined;
    const parts = values.flatMap((value) => value.split(",")).map((part) => part.trim()).filter((part) => part !== "");
    if (parts.length === 0) throw new UsageError(`${dashed(name)} needs a value`);
    return parts;
  }

  /** The value of an option that is an integer. */
  integer(name: string, least: number): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const integer = /^-?\d+$/.test(value) ? Number(value) : NaN;
    if (Number.isSafeInteger(integer) && integer >= least) return integer;
    throw new UsageError(`${dashed(name)} takes an integer of at least ${least}, not ${JSON.stringify(value)}`);
  }

  /** Refuses fewer or more arguments than a command takes. */
  requireArgs(least: number, most: number): void {
    if (this.args.length < least) throw new UsageError("an argument is missing");
    if (this.args.length > most) throw new UsageError(`there is an argument too many: ${this.args[most]}`);
  }

  /** The path of the log. */
  get logPath(): string {
    return this.value("log") ?? (readVariable("MNEMA_LOG") || "mnema.db");
  }

  /** The path of the key. */
  get keyPath(): string {
    return this.value("key") ?? (readVariable("MNEMA_KEY") || "mnema.key");
  }
}

/** Writes `--name value` as `--name=value`, so that a value may start with a dash: `--each -`. */
function joinValues(args: readonly string[], valued: string[]): string[] {
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const next = args[i + 1];
    const name = valued.find((name) => dashed(name) === args[i]);
    if (name !== undefined && next && !next.startsWith("--")) {
      joined.push(`--${name}=${next}`);
      i++;
    } else joined.push(args[i]);
  }
  return joined;
}

/** An option as it is written. */
function dashed(name: string): string {
  return (name.length === 1 ? "-" : "--") + name;
}

/** `; did you mean …?` when one of the names is near. */
export function suggestion(word: string, names: Record<string, unknown>, prefix = "--"): string {
  const nearest = closest(word.toLowerCase(), Object.keys(names));
  const far = distance(word.toLowerCase(), nearest);
  const near = far < word.length && far <= Math.max(2, word.length / 3);
  return near && (far <= 1 || word[0].toLowerCase() === nearest[0]) ? `; did you mean ${prefix}${nearest}?` : "";
}

/** All options of a command: its own first, which may give one of those that every command takes another meaning. */
export function optionsOf(command: Command): Record<string, OptionSpec> {
  return { ...command.options, ...GLOBAL_OPTIONS, ...command.options };
}

/** The help of one command. */
export function commandHelp(name: string, command: Command): string {
  const options = optionsOf(command);
  const flags = Object.entries(options).map(([option, { alias, value }]) =>
    `${alias ? `-${alias}, ` : ""}${dashed(option)}${value ? ` ${value}` : ""}`
  );
  const width = Math.max(...flags.map((flag) => flag.length));
  const lines = Object.values(options).map(({ help }, i) => `  ${flags[i].padEnd(width)}  ${help}`);
  return [
    `Usage: mnema ${[name, command.args, "[options]"].filter(Boolean).join(" ")}`,
    "",
    command.summary + (command.details ? `\n\n${command.details}` : ""),
    "",
    "Options:",
    ...lines,
    "",
    "Example:",
    `  mnema ${command.example}`,
    "",
  ].join("\n");
}

/** The sentence for an error that a user can mend; `undefined` of any other. */
export function explain(error: unknown, input?: Input): string | undefined {
  const denied = explainDenial(error, { log: input?.value("log"), key: input?.value("key") });
  if (denied !== undefined) return denied;
  if (error instanceof LogError) return error.message.replace(REBUILD_ADVICE, "; run: mnema rebuild");
  return undefined;
}
