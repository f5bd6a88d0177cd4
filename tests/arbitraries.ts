import fc from "fast-check";
import type { CanonicalObject, CanonicalValue } from "../mod.ts";

/** Any value that MNC-1 encodes, as it is decoded: integers are bigint only outside the safe range. */
export function canonicalValue(): fc.Arbitrary<CanonicalValue> {
  return values().value;
}

/** Any object that MNC-1 encodes. */
export function canonicalObject(): fc.Arbitrary<CanonicalObject> {
  return values().object as fc.Arbitrary<CanonicalObject>;
}

function values() {
  const text = fc.string({ unit: "binary" });
  return fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(exact),
      text,
      fc.array(tie("value"), { maxLength: 5 }),
      tie("object"),
    ) as fc.Arbitrary<CanonicalValue>,
    object: fc.dictionary(
      fc.oneof(text, fc.constantFrom("__proto__", "constructor", "10", "9", "｡", "😀")),
      tie("value"),
      { maxKeys: 5, noNullPrototype: true },
    ),
  }));
}

function exact(integer: bigint): number | bigint {
  return Number.isSafeInteger(Number(integer)) ? Number(integer) : integer;
}
