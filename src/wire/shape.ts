/**
 * Shapes: what a value must look like to be of a type. A shape gives the first fault of a decoded value, and, where the
 * bytes of its canonical text show as much, the pattern by which `scan.ts` recognizes it without decoding it.
 *
 * @module
 */

import { pathText } from "./canonical.ts";
import { isOpId } from "./ids.ts";
import { type CanonicalObject, type CanonicalValue, isNatural, isObject } from "./value.ts";

/** What is wrong with a value. */
export interface Fault {
  /** Path of the faulty part, from the value: `.deriver.id`, `[3]`; empty for the value itself. */
  readonly at: string;
  /** A predicate, such as `is missing`. */
  readonly what: string;
}

/** The shape of the values of type `T`. */
export interface Shape<T> {
  /** The first fault of a value; undefined when it has the shape. */
  readonly fault: (value: unknown) => Fault | undefined;
  /** The canonical texts of such values; undefined when the bytes do not decide. */
  readonly pattern?: Pattern;
  /** Never set: ties the shape to its type. */
  readonly type?: T;
}

/** Canonical texts that the scanner can recognize. It may miss some, and recognizes no others. */
export type Pattern =
  | { readonly kind: "any" }
  | { readonly kind: "object" }
  | { readonly kind: "string"; readonly max: number }
  | { readonly kind: "integer"; readonly max: number }
  | { readonly kind: "op-id" }
  | { readonly kind: "op-ids"; readonly max: number; readonly unique: boolean }
  | { readonly kind: "record"; readonly members: readonly Member[] };

/** A member of an object; members are in the order of their names. */
export interface Member {
  /** The name with its quotes and the colon, in ASCII. */
  readonly name: Uint8Array;
  /** Whether the object must have it. */
  readonly isRequired: boolean;
  /** Its value. */
  readonly pattern: Pattern;
}

/** Whether a value has a shape. */
export function conforms<T>(shape: Shape<T>, value: unknown): value is T {
  return shape.fault(value) === undefined;
}

/** Any value. */
export const anything: Shape<CanonicalValue> = { fault: () => undefined, pattern: { kind: "any" } };

/** Any object. */
export const object: Shape<CanonicalObject> = {
  fault: (value) => isObject(value) ? undefined : whole("must be an object"),
  pattern: { kind: "object" },
};

/** A string of at least one character, counted as code points. */
export function text(max: number): Shape<string> {
  return {
    fault: (value) => {
      if (typeof value !== "string") return whole("must be a string");
      if (value.length >= 1 && (value.length <= max || [...value].length <= max)) return undefined;
      return whole(`must have 1 to ${max} characters`);
    },
    pattern: { kind: "string", max },
  };
}

/** A string that passes a test. */
export function matching(test: (text: string) => boolean, expected: string): Shape<string> {
  return { fault: (value) => typeof value === "string" && test(value) ? undefined : whole(`must be ${expected}`) };
}

/** An integer from 0. */
export function integer(max: number, expected: string): Shape<number> {
  return {
    fault: (value) => isNatural(value) && value <= max ? undefined : whole(`must be ${expected}`),
    pattern: { kind: "integer", max },
  };
}

/** One of some values. */
export function oneOf<const T>(values: readonly T[], expected: string): Shape<T> {
  return { fault: (value) => values.some((allowed) => allowed === value) ? undefined : whole(`must be ${expected}`) };
}

/** The id of an operation. */
export const opId: Shape<string> = {
  ...matching(isOpId, "op_ and 64 lower-case hex digits"),
  pattern: { kind: "op-id" },
};

/** A list of ids of operations. */
export function opIds({ unique, max = Infinity }: { unique: boolean; max?: number }): Shape<readonly string[]> {
  return {
    fault: (value) => {
      if (!Array.isArray(value)) return whole("must be an array of operation ids");
      if (value.length > max) return whole(`must hold at most ${max} ids, not ${value.length}`);
      for (let i = 0; i < value.length; i++) {
        const fault = opId.fault(value[i]);
        if (fault !== undefined) return { at: `[${i}]`, what: fault.what };
      }
      if (unique && value.length > 1 && new Set(value).size < value.length) return whole("must not name an id twice");
    },
    pattern: { kind: "op-ids", max, unique },
  };
}

type OptionalKey<T> = { [K in keyof T]-?: undefined extends T[K] ? K : never }[keyof T];
type Shapes<T> = { readonly [K in keyof T]-?: Shape<Exclude<T[K], undefined>> };

/**
 * An object with these members, and no others.
 *
 * @param required Members that it must have.
 * @param optional Members that it may have.
 * @param of What the members belong to, for messages.
 */
export function record<T>(
  required: Shapes<Omit<T, OptionalKey<T>>>,
  optional: Shapes<Pick<T, OptionalKey<T>>>,
  of = "this type",
): Shape<T> {
  const must: [name: string, shape: Shape<unknown>][] = Object.entries(required);
  const may = new Map<string, Shape<unknown>>(Object.entries(optional));
  const fault = (value: unknown): Fault | undefined => {
    if (!isObject(value)) return whole("must be an object");
    for (const [name, shape] of must) {
      if (!Object.hasOwn(value, name)) return { at: `.${name}`, what: "is missing" };
      const fault = shape.fault(value[name]);
      if (fault !== undefined) return { at: `.${name}${fault.at}`, what: fault.what };
    }
    for (const name in value) {
      if (Object.hasOwn(required, name)) continue;
      const shape = may.get(name);
      if (shape === undefined) return { at: pathText([name]).slice(1), what: `is not a field of ${of}` };
      const fault = shape.fault(value[name]);
      if (fault !== undefined) return { at: `.${name}${fault.at}`, what: fault.what };
    }
  };
  return { fault, pattern: recordPattern(must, [...may]) };
}

type Entries = readonly [name: string, shape: Shape<unknown>][];

function recordPattern(required: Entries, optional: Entries): Pattern | undefined {
  const members: Member[] = [];
  const names = new Map([...required, ...optional]);
  for (const [name, { pattern }] of [...names].sort(([a], [b]) => a < b ? -1 : 1)) {
    if (pattern === undefined) return undefined;
    const isRequired = required.some(([of]) => of === name);
    members.push({ name: new TextEncoder().encode(`"${name}":`), isRequired, pattern });
  }
  return { kind: "record", members };
}

function whole(what: string): Fault {
  return { at: "", what };
}
