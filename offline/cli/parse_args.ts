/**
 * The part of `@std/cli/parse-args` 1 that this project uses, written from its
 * public API, for machines that can't reach jsr.io. It reads arguments as the
 * original does, odd cases included; its types know no dotted names.
 *
 * @module
 */

import { Parser } from "./parser.ts";

/** One name, or several. */
export type Names<N extends string> = N | readonly N[];

type Aliases = Readonly<Record<string, string | readonly string[]>>;

/** Values by name. */
export type Nested = Record<string, unknown>;

/** The options of {@linkcode parseArgs}. */
export interface ParseOptions<
  Booleans extends boolean | string = boolean | string,
  Strings extends string = string,
  Collected extends string = string,
  Negatable extends string = string,
  Defaults extends Nested = Nested,
  Alias extends Aliases = Aliases,
  DoubleDash extends boolean = boolean,
> {
  /** Whether what follows `--` goes to the result's `--` instead of its `_`. */
  "--"?: DoubleDash;
  /** Other names of an option. */
  alias?: Alias;
  /** Options without a value; `true` for all `--option` without `=`. */
  boolean?: Booleans | readonly Extract<Booleans, string>[];
  /** Options that may be repeated: all their values are kept, in an array. */
  collect?: Names<Collected>;
  /** The values of options that are absent. */
  default?: Defaults;
  /** Options that `--no-option` makes `false`. */
  negatable?: Names<Negatable>;
  /** Whether everything after the first argument that's no option goes to `_`. */
  stopEarly?: boolean;
  /** Options whose value stays text; `_` for the arguments themselves. */
  string?: Names<Strings>;
  /** Called with each undeclared argument; `false` leaves it out. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** The values found: the options by name, and the other arguments in `_`. */
export type Args<
  Values extends Nested = Nested,
  DoubleDash extends boolean = false,
> =
  & Values
  & { _: (string | number)[] }
  & (DoubleDash extends true ? { "--": string[] } : Record<never, never>);

type Values<
  Booleans extends string,
  Strings extends string,
  Collected extends string,
  Negatable extends string,
> =
  & { [K in Exclude<Strings, Collected>]?: string | Negated<K, Negatable> }
  & { [K in Extract<Strings, Collected>]: string[] | Negated<K, Negatable> }
  & { [K in Exclude<Booleans, Collected>]: boolean }
  & { [K in Extract<Booleans, Collected>]: boolean[] }
  & {
    [K in Exclude<Collected, Booleans | Strings>]:
      | unknown[]
      | Negated<K, Negatable>;
  };

type Negated<Name, Negatable> = Name extends Negatable ? false : never;

type WithDefaults<Values, Defaults> =
  & Omit<Values, keyof Defaults>
  & {
    [K in keyof Defaults]: K extends keyof Values ? Defaults[K] | NonNullable<Values[K]>
      : unknown;
  };

type WithAliases<Values, Alias> = {
  [K in keyof Values as K | AliasesOf<K, Alias>]: Values[K];
};

type AliasesOf<Name, Alias> = Name extends keyof Alias ? Alias[Name] extends string ? Alias[Name]
  : Alias[Name] extends readonly (infer Other extends string)[] ? Other
  : never
  : never;

/**
 * Reads command-line arguments: `--name value`, `--name=value`, `--flag`,
 * `-abc`, `-n5`, `-n 5`. What looks like a number becomes one, unless declared
 * `string`; that goes for the arguments in `_`, too.
 *
 * @param args The arguments, such as `Deno.args`.
 * @param options The options to know of.
 * @returns The values by name, and the other arguments in `_`.
 */
export function parseArgs<
  Booleans extends boolean | string = never,
  Strings extends string = never,
  Collected extends string = never,
  Negatable extends string = never,
  Defaults extends Nested = Record<never, never>,
  const Alias extends Aliases = Record<never, never>,
  DoubleDash extends boolean = false,
>(
  args: string[],
  options?: ParseOptions<
    Booleans,
    Strings,
    Collected,
    Negatable,
    Defaults,
    Alias,
    DoubleDash
  >,
): Args<
  & Nested
  & WithAliases<
    WithDefaults<
      Values<Extract<Booleans, string>, Strings, Collected, Negatable>,
      Defaults
    >,
    Alias
  >,
  DoubleDash
>;
export function parseArgs(args: string[], options: ParseOptions = {}): Args {
  return new Parser(options).parse(args);
}
