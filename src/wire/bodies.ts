/**
 * The types of operation that replay knows, and what their bodies hold (`claims.md`). Other types may hold anything.
 *
 * @module
 */

import { OperationError } from "../errors.ts";
import { pathText } from "./canonical.ts";
import { isOpId } from "./ids.ts";
import type { CanonicalObject, CanonicalValue } from "./value.ts";

/** The body of `evidence.add`: what was observed. */
export interface EvidenceBody {
  /** Where it was observed. */
  readonly source: string;
  /** What sort of thing it is. */
  readonly kind: string;
  /** What it says. */
  readonly content: CanonicalObject;
  /** Where the source has it. */
  readonly ref?: string;
}

/** The body of `claim.assert`: what a deriver, or a person, takes to be so. */
export interface AssertBody {
  /** What the claim is about. */
  readonly key: string;
  /** What is claimed of it. */
  readonly value: CanonicalValue;
  /** How sure the deriver is, in parts per million. */
  readonly confidence_ppm: number;
  /** Who derived it. */
  readonly deriver: { readonly id: string; readonly version: string };
  /** The ids of the evidence and the claims that it was derived from. */
  readonly inputs: readonly string[];
}

/** The body of `claim.refute`: a value of a key, or anything about it, is not so. */
export interface RefuteBody {
  /** What the refuted claims are about. */
  readonly key: string;
  /** Whether one value is refuted, or every one. */
  readonly scope: "value" | "key";
  /** The refuted value, where one is. */
  readonly value?: CanonicalValue;
  /** Why. */
  readonly reason?: string;
}

/** The body of `claim.correct`: the user's own value for a key. */
export interface CorrectBody {
  /** What the claim is about. */
  readonly key: string;
  /** What is so. */
  readonly value: CanonicalValue;
  /** Why. */
  readonly reason?: string;
}

/** Says what is wrong with a value, with the path below it where that helps. */
type Fault = { at: string; what: string } | undefined;
type Check = (value: CanonicalValue) => Fault;

const MAX_STRING = 512;
/** A summary has at most so many characters. */
export const MAX_SUMMARY = 8192;
/** Full confidence. */
export const PARTS_PER_MILLION = 1_000_000;

/** A string of at least one character, counted as code points. */
const text = (most: number): Check => (value) => {
  if (typeof value !== "string") return { at: "", what: "must be a string" };
  if (value.length >= 1 && (value.length <= most || [...value].length <= most)) return undefined;
  return { at: "", what: `must have 1 to ${most} characters` };
};

const anything: Check = () => undefined;
const name = text(MAX_STRING);
const opId: Check = (value) =>
  typeof value === "string" && isOpId(value) ? undefined : { at: "", what: "must be op_ and 64 lower-case hex digits" };
const object: Check = (value) => isObject(value) ? undefined : { at: "", what: "must be an object" };

const confidence: Check = (value) =>
  typeof value === "number" && value >= 0 && value <= PARTS_PER_MILLION
    ? undefined
    : { at: "", what: "must be an integer from 0 to 1000000, parts per million" };

const scope: Check = (value) =>
  value === "value" || value === "key" ? undefined : { at: "", what: 'must be "value" or "key"' };

const opIds = (unique: boolean): Check => (value) => {
  if (!Array.isArray(value)) return { at: "", what: "must be an array of operation ids" };
  for (let i = 0; i < value.length; i++) {
    const fault = opId(value[i]);
    if (fault !== undefined) return { at: `[${i}]`, what: fault.what };
  }
  if (unique && value.length > 1 && new Set(value).size < value.length) {
    return { at: "", what: "must not name an id twice" };
  }
};

const record = (fields: Record<string, Check>, optional: Record<string, Check> = {}): Check => {
  const required = Object.entries(fields);
  return (value) =>
    isObject(value) ? checkFields(value, required, fields, optional) : { at: "", what: "must be an object" };
};

function checkFields(
  value: CanonicalObject,
  required: [string, Check][],
  fields: Record<string, Check>,
  optional: Record<string, Check>,
): Fault {
  for (const [field, check] of required) {
    if (!Object.hasOwn(value, field)) return { at: `.${field}`, what: "is missing" };
    const fault = check(value[field]);
    if (fault !== undefined) return { at: `.${field}${fault.at}`, what: fault.what };
  }
  for (const field in value) {
    if (Object.hasOwn(fields, field)) continue;
    if (!Object.hasOwn(optional, field)) return { at: pathText([field]).slice(1), what: "is not a field of this type" };
    const fault = optional[field](value[field]);
    if (fault !== undefined) return { at: `.${field}${fault.at}`, what: fault.what };
  }
}

const refuteFields = record({ key: name, scope }, { value: anything, reason: name });
const refute: Check = (value) => {
  const fault = refuteFields(value);
  if (fault !== undefined) return fault;
  const { scope, value: refuted } = value as CanonicalObject;
  if (scope === "value" && refuted === undefined) return { at: ".value", what: 'is missing, and scope is "value"' };
  if (scope === "key" && refuted !== undefined) return { at: ".value", what: 'must be left out when scope is "key"' };
};

const BODIES: ReadonlyMap<string, Check> = new Map([
  ["evidence.add", record({ source: name, kind: name, content: object }, { ref: name })],
  [
    "claim.assert",
    record({
      key: name,
      value: anything,
      confidence_ppm: confidence,
      deriver: record({ id: name, version: name }),
      inputs: opIds(true),
    }),
  ],
  ["claim.refute", refute],
  ["claim.correct", record({ key: name, value: anything }, { reason: name })],
  ["claim.invalidate", record({ claim: opId, cause: opId, path: opIds(false) })],
  ["explanation.record", record({ claim: opId, summary: text(MAX_SUMMARY), chain: opIds(false) })],
]);

/** Whether a type prescribes what its body holds. */
export function isKnownType(type: string): boolean {
  return BODIES.has(type);
}

/** Whether a body is as its type prescribes; a type that is not known prescribes nothing. */
export function isBody(type: string, body: CanonicalObject): boolean {
  return BODIES.get(type)?.(body) === undefined;
}

/**
 * Refuses a body that is not as its type prescribes.
 *
 * @throws {OperationError} `bad-body`, with the `path` of the field at fault.
 */
export function checkBody(type: string, body: CanonicalObject, id?: string): void {
  const fault = BODIES.get(type)?.(body);
  if (fault === undefined) return;
  const path = `$.body${fault.at}`;
  throw new OperationError("body", `${path} ${fault.what} (${type})`, { path, opId: id });
}

function isObject(value: CanonicalValue): value is CanonicalObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
