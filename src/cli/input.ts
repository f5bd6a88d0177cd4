/**
 * Parses the arguments of a command.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { readVariable } from "./permissions.ts";
import { dashed, type OptionSpec, suggestion, UsageError } from "./options.ts";

/** How arguments are parsed. */
export interface ParseOptions {
  /** Stops at the first argument that is not an option. */
  stopEarly?: boolean;
  /** Arguments behind `--`. */
  literal?: readonly string[];
  /** The usage of the command, such as `append TYPE [BODY]`, for the error when an argument is missing. */
  usage?: string;
}

/** The parsed arguments of a command. */
export class Input {
  readonly #options: Record<string, unknown>;
  readonly #specs: Record<string, OptionSpec>;
  readonly #usage: string;
  /** The arguments that are not options. */
  readonly args: readonly string[];
  /** The options before the first of `args`, with `stopEarly`. */
  readonly leading: readonly string[];

  private constructor(
    leading: readonly string[],
    args: readonly string[],
    options: Record<string, unknown>,
    specs: Record<string, OptionSpec>,
    usage: string,
  ) {
    this.leading = leading;
    this.args = args;
    this.#options = options;
    this.#specs = specs;
    this.#usage = usage;
  }

  /**
   * Parses arguments.
   *
   * @param args The arguments, up to `--`.
   * @param specs The options of the command.
   * @param more How arguments are parsed.
   * @throws {UsageError} For an unknown option, one without its value, or a flag with a value.
   */
  static parse(args: readonly string[], specs: Record<string, OptionSpec>, more: ParseOptions = {}): Input {
    const named = Object.entries(specs);
    const valued = named.filter(([, spec]) => spec.value !== undefined).map(([name]) => name);
    const flags = named.filter(([, spec]) => spec.value === undefined).map(([name]) => name);
    const alias = Object.fromEntries(named.flatMap(([name, spec]) => spec.alias ? [[spec.alias, name]] : []));
    const joined = joinValues(args, valued);
    const parsed: Record<string, unknown> & { _: unknown[] } = parseArgs(joined, {
      string: [...valued, "_"],
      boolean: flags,
      collect: named.filter(([, spec]) => spec.many).map(([name]) => name),
      alias,
      stopEarly: more.stopEarly ?? false,
      unknown: (arg: string, key?: string) => {
        if (key !== undefined) {
          const names = Object.keys(specs);
          throw new UsageError(`there is no option ${arg.split("=")[0]}${suggestion(key, names)}`);
        }
      },
    });
    for (const name of flags) {
      const given = joined.find((arg) => arg.startsWith(`${dashed(name)}=`));
      if (given !== undefined) {
        throw new UsageError(`${dashed(name)} takes no value: write it without ${given.slice(given.indexOf("="))}`);
      }
    }
    for (const name of valued) {
      for (const value of [parsed[name]].flat()) {
        if (value === "") throw new UsageError(`${dashed(name)} needs a value: ${dashed(name)} ${specs[name].value}`);
      }
    }
    const positional = parsed._.map(String);
    return new Input(
      joined.slice(0, joined.length - positional.length),
      [...positional, ...more.literal ?? []],
      parsed,
      specs,
      more.usage ?? "",
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

  /** All values of an option with `many`; undefined when it is not given. */
  values(name: string): string[] | undefined {
    const values = [this.#options[name] ?? []].flat() as string[];
    if (values.length === 0) return undefined;
    const parts = values.flatMap((value) => value.split(",")).map((part) => part.trim()).filter((part) => part !== "");
    if (parts.length === 0) throw new UsageError(`${dashed(name)} needs a value`);
    return parts;
  }

  /** The value of an option with `choices`. */
  choice(name: string): string | undefined {
    const value = this.value(name);
    const { choices = [] } = this.#specs[name];
    if (value === undefined || choices.includes(value)) return value;
    const shown = choices.join(", ");
    throw new UsageError(`there is no ${name} ${value}; choose one of ${shown}${suggestion(value, choices, "")}`);
  }

  /** The value of an option, as an integer. */
  integer(name: string, min: number): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const integer = /^-?\d+$/.test(value) ? Number(value) : NaN;
    if (integer > Number.MAX_SAFE_INTEGER) {
      throw new UsageError(
        `${dashed(name)} takes an integer of at most ${Number.MAX_SAFE_INTEGER}; ${JSON.stringify(value)} is too large`,
      );
    }
    if (Number.isSafeInteger(integer) && integer >= min) return integer;
    throw new UsageError(`${dashed(name)} takes an integer of at least ${min}, not ${JSON.stringify(value)}`);
  }

  /** Refuses fewer or more arguments than a command takes. */
  requireArgs(min: number, max: number): void {
    const [, ...names] = this.#usage.split(" ");
    if (this.args.length < min) {
      throw new UsageError(`${names[this.args.length]} is missing; usage: mnema ${this.#usage}`);
    }
    if (this.args.length > max) {
      throw new UsageError(`unexpected argument ${this.args[max]}; usage: mnema ${this.#usage}`);
    }
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
