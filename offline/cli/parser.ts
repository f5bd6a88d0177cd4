/** The parser behind {@linkcode parseArgs}. */

import type { Args, Names, Nested, ParseOptions } from "./parse_args.ts";

type Value = string | number | boolean;

/** The parsing of one command line. */
export class Parser {
  readonly #options: ParseOptions;
  readonly #aliases = new Map<string, string[]>();
  readonly #booleans: Set<string>;
  readonly #strings: Set<string>;
  readonly #collected: Set<string>;
  readonly #negatable: Set<string>;
  readonly #result: Args = { _: [] };

  constructor(options: ParseOptions) {
    this.#options = options;
    for (const [name, value] of Object.entries(options.alias ?? {})) {
      const group = [name, ...listOf(value)];
      for (const it of group) {
        this.#aliases.set(it, group.filter((other) => other !== it));
      }
    }
    const { boolean } = options;
    this.#booleans = this.#declared(
      typeof boolean === "boolean" ? [] : boolean,
    );
    this.#strings = this.#declared(options.string);
    this.#collected = this.#declared(options.collect);
    this.#negatable = this.#declared(options.negatable);
  }

  parse(args: string[]): Args {
    const { unknown, stopEarly, "--": doubleDash } = this.#options;
    const result = this.#result;
    const dashes = args.indexOf("--");
    const parsed = dashes < 0 ? args : args.slice(0, dashes);
    const rest = dashes < 0 ? [] : args.slice(dashes + 1);

    for (let i = 0; i < parsed.length; i++) {
      const arg = parsed[i];
      if (arg.startsWith("-") && arg.length > 1) {
        const tookNext = arg.startsWith("--") ? this.#long(arg, parsed[i + 1]) : this.#short(arg, parsed[i + 1]);
        if (tookNext) i++;
        continue;
      }
      if (unknown?.(arg) !== false) {
        const asNumber = !this.#strings.has("_") && isNumber(arg);
        result._.push(asNumber ? Number(arg) : arg);
      }
      if (stopEarly) {
        result._.push(...parsed.slice(i + 1));
        break;
      }
    }

    this.#fillIn();
    if (doubleDash) Object.assign(result, { "--": rest });
    else result._.push(...rest);
    return result;
  }

  /** Reads `--name…`; returns whether it took the next argument as its value. */
  #long(arg: string, next: string | undefined): boolean {
    const [, no, name, value] = /^--(no-)?(.+?)(?:=(.*))?$/s.exec(arg)!;
    if (value !== undefined) {
      this.#store(
        name,
        this.#booleans.has(name) ? value !== "false" : value,
        arg,
      );
      return false;
    }
    if (no && this.#negatable.has(name)) {
      this.#store(name, false, arg, { collect: false });
      return false;
    }
    const key = (no ?? "") + name;
    const takesValue = this.#options.boolean !== true && !next?.startsWith("-");
    return this.#storeNext(key, arg, next, takesValue);
  }

  /** Reads `-abc`, `-n5` and the like; returns as `#long`. */
  #short(arg: string, next: string | undefined): boolean {
    for (let i = 1; i < arg.length - 1; i++) {
      const letter = arg[i];
      const rest = arg.slice(i + 1);
      const value = this.#attached(letter, rest);
      this.#store(letter, value ?? this.#bare(letter), arg);
      if (value !== undefined) return false;
    }
    const last = arg.at(-1)!;
    return this.#storeNext(last, arg, next, !/^--?[^-]/.test(next ?? ""));
  }

  /**
   * The value that the rest of a group of letters is to one of them, if it is
   * one. A later `=` or number ends it at the first letter: `-abc=5` is `a`
   * with `5`, `-abc5` is `a` with `bc5`.
   */
  #attached(letter: string, rest: string): string | undefined {
    if (rest === "-") return rest;
    if (rest === "=") return "";
    if (/[A-Za-z]/.test(letter)) {
      const value = /=(.+)/.exec(rest)?.[1];
      if (value !== undefined) return value;
      if (/\d(\.\d*)?(e-?\d+)?$/.test(rest)) return rest;
    }
    return rest.length > 1 && /\W/.test(rest[0]) ? rest : undefined;
  }

  /** Stores an option that comes last in its argument, with the next if fit. */
  #storeNext(
    key: string,
    arg: string,
    next: string | undefined,
    takesValue: boolean,
  ): boolean {
    // An empty argument is never taken.
    if (next && takesValue && !this.#isBoolean(key)) {
      this.#store(key, next, arg);
      return true;
    }
    const isBoolean = next === "true" || next === "false";
    this.#store(key, isBoolean ? next === "true" : this.#bare(key), arg);
    return isBoolean;
  }

  /** The value of an option that has none. */
  #bare(key: string): Value {
    return this.#strings.has(key) ? "" : true;
  }

  #store(
    key: string,
    value: Value,
    arg: string,
    { collect = true } = {},
  ): void {
    if (!this.#isKnown(key, arg)) {
      if (this.#options.unknown?.(arg, key, value) === false) return;
    }
    const stored = typeof value === "string" && !this.#strings.has(key) && isNumber(value) ? Number(value) : value;
    const collected = collect && this.#collected.has(key);
    for (const name of [key, ...this.#aliases.get(key) ?? []]) {
      set(this.#result, name, stored, collected);
    }
  }

  /** Gives absent options their defaults, `false` or an empty array. */
  #fillIn(): void {
    const result = this.#result;
    for (const [key, value] of Object.entries(this.#options.default ?? {})) {
      if (has(result, key)) continue;
      for (const name of [key, ...this.#aliases.get(key) ?? []]) {
        set(result, name, value);
      }
    }
    for (const key of this.#booleans) {
      if (has(result, key)) continue;
      set(result, key, this.#collected.has(key) ? [] : false);
    }
    for (const key of this.#strings) {
      if (this.#collected.has(key) && !has(result, key)) set(result, key, []);
    }
  }

  #declared(names: Names<string> | undefined): Set<string> {
    return new Set(
      listOf(names ?? []).filter(Boolean)
        .flatMap((name) => [name, ...this.#aliases.get(name) ?? []]),
    );
  }

  #isBoolean(key: string): boolean {
    return this.#booleans.has(key) ||
      (this.#aliases.get(key) ?? []).some((it) => this.#booleans.has(it));
  }

  #isKnown(key: string, arg: string): boolean {
    return this.#booleans.has(key) || this.#strings.has(key) ||
      this.#collected.has(key) || this.#aliases.has(key) ||
      (this.#options.boolean === true && /^--[^=]+$/.test(arg));
  }
}

/** Sets a value by its name, whose dots lead into objects. */
function set(object: Nested, name: string, value: unknown, collect = false) {
  const keys = name.split(".");
  const last = keys.pop()!;
  for (const key of keys) {
    if (isUnsafe(object, key)) return;
    object = (object[key] ??= {}) as Nested;
  }
  if (isUnsafe(object, last)) return;
  const present = object[last];
  if (!collect) object[last] = value;
  else if (Array.isArray(present)) present.push(value);
  else object[last] = present ? [present, value] : [value];
}

function has(object: Nested, name: string): boolean {
  let value: unknown = object;
  for (const key of name.split(".")) {
    if (!Object.hasOwn(value as Nested, key)) return false;
    value = (value as Nested)[key];
  }
  return true;
}

/** Whether a key leads to a prototype, which no argument may change. */
function isUnsafe(object: Nested, key: string): boolean {
  return key === "__proto__" ||
    key === "constructor" && typeof object[key] === "function";
}

function isNumber(text: string): boolean {
  return /\S/.test(text) && Number.isFinite(Number(text));
}

function listOf(names: Names<string>): readonly string[] {
  return typeof names === "string" ? [names] : names;
}
