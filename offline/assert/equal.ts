/**
 * Deep equality as `@std/assert` 1 defines it.
 *
 * `NaN` equals `NaN` and `0` equals `-0`; a key holding `undefined` differs
 * from a missing key; values of different prototypes differ, except that a
 * null-prototype object equals an ordinary one. `node:assert` agrees on most of
 * this but not all, hence this file.
 */

type KeyedCollection = Map<unknown, unknown> | Set<unknown>;
type TypedArray = Uint8Array | BigUint64Array;

const TypedArray: abstract new () => TypedArray = Object.getPrototypeOf(
  Uint8Array,
);

/** Values of these classes are equal when they print the same. */
const PRINTED_ALIKE: Set<unknown> = new Set(
  [
    RegExp,
    URL,
    URLSearchParams,
    Intl.Locale,
    ...["Duration", "Instant", "PlainDate", "PlainDateTime", "PlainTime"],
    ...["PlainYearMonth", "PlainMonthDay", "ZonedDateTime"],
  ].map((it) => typeof it === "string" ? temporalPrototype(it) : it.prototype),
);

/**
 * Whether two values are deeply equal.
 *
 * @param a One value.
 * @param b The other.
 * @returns Whether they are equal.
 * @throws {TypeError} On two `WeakMap`s or two `WeakSet`s, which can't be read.
 */
export function equal(a: unknown, b: unknown): boolean {
  // What each object of `a` was last compared with: a pair met again, as in a
  // cycle, is taken to be equal.
  const met = new Map<object, object>();

  function compare(a: unknown, b: unknown): boolean {
    if (a === b || Object.is(a, b)) return true;
    if (!isObject(a) || !isObject(b)) return false;
    if (a instanceof Date && b instanceof Date) {
      return Object.is(a.getTime(), b.getTime());
    }
    const prototype = prototypeOf(a);
    if (prototype !== prototypeOf(b)) return false;

    if (a instanceof TypedArray) return sameElements(a, b as TypedArray);
    if (a instanceof ArrayBuffer || a instanceof SharedArrayBuffer) {
      return sameElements(new Uint8Array(a), new Uint8Array(b as ArrayBuffer));
    }
    if (a instanceof WeakMap || a instanceof WeakSet) {
      throw new TypeError(`Cannot compare ${a[Symbol.toStringTag]} instances`);
    }
    if (a instanceof WeakRef) {
      return compare(a.deref(), (b as WeakRef<WeakKey>).deref());
    }

    if (met.get(a) === b) return true;
    if (Object.keys(a).length !== Object.keys(b).length) return false;
    met.set(a, b);
    if (isKeyed(a)) return sameEntries(a, b as KeyedCollection, compare);
    if (PRINTED_ALIKE.has(prototype)) return String(a) === String(b);
    for (const key of keysOf(a, b)) {
      if ((key in a) !== (key in b)) return false;
      if (!compare(Reflect.get(a, key), Reflect.get(b, key))) return false;
    }
    return true;
  }

  return compare(a, b);
}

/** Entries in any order; those with an object for a key are paired by value. */
function sameEntries(
  a: KeyedCollection,
  b: KeyedCollection,
  compare: (a: unknown, b: unknown) => boolean,
): boolean {
  if (a.size !== b.size) return false;
  const entries = [...a.entries()];
  if (entries.some(([key]) => isReference(key))) {
    const others = [...b.entries()];
    return entries.every(([key, value]) => others.some((other) => compare(key, other[0]) && compare(value, other[1])));
  }
  return entries.every(([key, value]) => b.has(key) && (b instanceof Set || compare(value, b.get(key))));
}

function sameElements(a: TypedArray, b: TypedArray): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i] && !Object.is(a[i], b[i])) return false;
  }
  return true;
}

/**
 * The keys to compare: a plain object's and an array's own enumerable ones;
 * anything else's own and inherited ones, getters and hidden ones too.
 */
function keysOf(a: object, b: object): Iterable<PropertyKey> {
  const prototype = prototypeOf(a);
  return prototype === Object.prototype || prototype === Array.prototype
    ? Reflect.ownKeys({ ...a, ...b })
    : inheritedKeys(a).union(inheritedKeys(b));
}

function inheritedKeys(object: object): Set<PropertyKey> {
  const keys = new Set<PropertyKey>();
  let level: object | null = object;
  while (
    level !== null && level !== Object.prototype && level !== Array.prototype
  ) {
    for (const key of Reflect.ownKeys(level)) keys.add(key);
    level = Object.getPrototypeOf(level);
  }
  return keys;
}

/** An object's prototype, a null one counted as `Object.prototype`. */
function prototypeOf(object: object): object {
  return Object.getPrototypeOf(object) ?? Object.prototype;
}

function temporalPrototype(name: string): unknown {
  const temporal: unknown = Reflect.get(globalThis, "Temporal");
  return isObject(temporal) ? Reflect.get(Reflect.get(temporal, name), "prototype") : undefined;
}

function isKeyed(value: object): value is KeyedCollection {
  return value instanceof Map || value instanceof Set;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isReference(value: unknown): boolean {
  return isObject(value) || typeof value === "function";
}
