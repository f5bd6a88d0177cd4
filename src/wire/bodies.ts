/**
 * The types of operation whose bodies have rules, and the rules (`claims.md`). Bodies of other types may be any object.
 *
 * @module
 */

import { OperationError } from "../errors.ts";
import {
  anything,
  conforms,
  integer,
  object,
  oneOf,
  opId,
  opIds,
  type Pattern,
  record,
  type Shape,
  text,
} from "./shape.ts";
import type { CanonicalObject, CanonicalValue } from "./value.ts";

/** The body of `evidence.add`: an observation. */
export interface EvidenceBody {
  /** Where it was observed. */
  readonly source: string;
  /** The kind of observation. */
  readonly kind: string;
  /** The observed data. */
  readonly content: CanonicalObject;
  /** Its reference in the source. */
  readonly ref?: string;
}

/** The body of `claim.assert`: a claim by a deriver, or by a person. */
export interface AssertBody {
  /** The subject of the claim. */
  readonly key: string;
  /** The claimed value. */
  readonly value: CanonicalValue;
  /** The deriver's confidence, in parts per million. */
  readonly confidence_ppm: number;
  /** The program that derived it. */
  readonly deriver: { readonly id: string; readonly version: string };
  /** Ids of the evidence and claims it was derived from. */
  readonly inputs: readonly string[];
}

/** The body of `claim.refute`: one value of a key is wrong, or all of them are. */
export type RefuteBody =
  & RefutedKey
  & ({ readonly scope: "value"; readonly value: CanonicalValue } | {
    readonly scope: "key";
    readonly value?: undefined;
  });

interface RefutedKey {
  /** The subject of the refuted claims. */
  readonly key: string;
  /** Why. */
  readonly reason?: string;
}

/** The body of `claim.correct`: the user's own value for a key. */
export interface CorrectBody {
  /** The subject of the claim. */
  readonly key: string;
  /** The correct value. */
  readonly value: CanonicalValue;
  /** Why. */
  readonly reason?: string;
}

/** The body of `claim.invalidate`: a claim lost an input. */
export interface InvalidateBody {
  /** The id of the claim. */
  readonly claim: string;
  /** The id of the refute or correction. */
  readonly cause: string;
  /** Ids from the cause to the claim. */
  readonly path: readonly string[];
}

/** The body of `explanation.record`: an explanation as it was shown. */
export interface ExplanationBody {
  /** The id of the explained claim. */
  readonly claim: string;
  /** The explanation, as text. */
  readonly summary: string;
  /** Ids of the operations it covers. */
  readonly chain: readonly string[];
}

/** A body of a type that has rules, with its type. */
export type KnownBody =
  | { readonly type: "evidence.add"; readonly body: EvidenceBody }
  | { readonly type: "claim.assert"; readonly body: AssertBody }
  | { readonly type: "claim.refute"; readonly body: RefuteBody }
  | { readonly type: "claim.correct"; readonly body: CorrectBody }
  | { readonly type: "claim.invalidate"; readonly body: InvalidateBody }
  | { readonly type: "explanation.record"; readonly body: ExplanationBody };

/** Maximum length of a summary, in characters. */
export const MAX_SUMMARY = 8192;
/** Full confidence. */
export const PARTS_PER_MILLION = 1_000_000;

const name = text(512);

const evidence = record<EvidenceBody>({ source: name, kind: name, content: object }, { ref: name });

const assertion = record<AssertBody>({
  key: name,
  value: anything,
  confidence_ppm: integer(PARTS_PER_MILLION, `an integer from 0 to ${PARTS_PER_MILLION}, parts per million`),
  deriver: record<AssertBody["deriver"]>({ id: name, version: name }, {}),
  inputs: opIds({ unique: true }),
}, {});

const refuteFields = record<RefutedKey & { scope: "value" | "key"; value?: CanonicalValue }>(
  { key: name, scope: oneOf(["value", "key"], '"value" or "key"') },
  { value: anything, reason: name },
);
const refute: Shape<RefuteBody> = {
  fault: (body) => {
    if (!conforms(refuteFields, body)) return refuteFields.fault(body);
    if ((body.scope === "value") === (body.value !== undefined)) return undefined;
    const what = body.scope === "value" ? 'is missing, and scope is "value"' : 'must be left out when scope is "key"';
    return { at: ".value", what };
  },
};

const correction = record<CorrectBody>({ key: name, value: anything }, { reason: name });

const invalidation = record<InvalidateBody>({ claim: opId, cause: opId, path: opIds({ unique: false }) }, {});

const explanation = record<ExplanationBody>(
  { claim: opId, summary: text(MAX_SUMMARY), chain: opIds({ unique: false }) },
  {},
);

const SHAPES: ReadonlyMap<string, Shape<unknown>> = new Map<KnownBody["type"], Shape<unknown>>([
  ["evidence.add", evidence],
  ["claim.assert", assertion],
  ["claim.refute", refute],
  ["claim.correct", correction],
  ["claim.invalidate", invalidation],
  ["explanation.record", explanation],
]);

/** Whether bodies of a type have rules. */
export function isKnownType(type: string): boolean {
  return SHAPES.has(type);
}

/** The pattern by which bodies of a type are recognized in bytes; undefined when there is none. */
export function bodyPattern(type: string): Pattern | undefined {
  return SHAPES.get(type)?.pattern;
}

/** A body with its type; undefined when the type has no rules, or the body breaks them. */
export function decodeBody(type: string, body: CanonicalObject): KnownBody | undefined {
  switch (type) {
    case "evidence.add":
      return conforms(evidence, body) ? { type, body } : undefined;
    case "claim.assert":
      return conforms(assertion, body) ? { type, body } : undefined;
    case "claim.refute":
      return conforms(refute, body) ? { type, body } : undefined;
    case "claim.correct":
      return conforms(correction, body) ? { type, body } : undefined;
    case "claim.invalidate":
      return conforms(invalidation, body) ? { type, body } : undefined;
    case "explanation.record":
      return conforms(explanation, body) ? { type, body } : undefined;
  }
}

/**
 * Refuses a body that breaks the rules of its type.
 *
 * @throws {OperationError} `bad-body`, with the `path` of the field at fault.
 */
export function checkBody(type: string, body: CanonicalObject, id?: string): void {
  const fault = SHAPES.get(type)?.fault(body);
  if (fault === undefined) return;
  const path = `$.body${fault.at}`;
  throw new OperationError("body", `${path} ${fault.what} (${type})`, { path, opId: id });
}
