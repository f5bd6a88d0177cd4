/**
 * The envelope: the fields of an operation, and their rules.
 *
 * @module
 */

import { OperationError } from "../errors.ts";
import { isAuthor } from "../keys/author.ts";
import { isOpId } from "./ids.ts";
import { conforms, integer, matching, object, oneOf, opId, opIds, record, type Shape } from "./shape.ts";
import { type CanonicalObject, isObject } from "./value.ts";

/** Maximum number of ids in `prev`. */
export const MAX_PREV = 1024;
/** Maximum length of a type, in characters. */
export const MAX_TYPE_LENGTH = 128;

const TYPE = /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*$/;
const SIGNATURE = /^[0-9a-f]{128}$/;

/** The fields of an operation, named as in its wire text. */
export interface OperationWire {
  /** The version of the envelope. */
  readonly v: 1;
  /** Lower-case words joined by dots. */
  readonly type: string;
  /** `mnk_` and the author's public key in lower-case hex. */
  readonly author: string;
  /** Unix milliseconds. */
  readonly ts: number;
  /** The ids of the operations this one follows. */
  readonly prev: readonly string[];
  /** The content. */
  readonly body: CanonicalObject;
  /** The author's signature in lower-case hex. */
  readonly sig: string;
  /** The content address: `op_` and BLAKE2b-256 in lower-case hex. */
  readonly op_id: string;
}

const FIELDS: { readonly [K in keyof OperationWire]: Shape<OperationWire[K]> } = {
  author: matching(isAuthor, "mnk_ and 64 lower-case hex digits"),
  body: object,
  op_id: opId,
  prev: opIds({ unique: true, max: MAX_PREV }),
  sig: matching((text) => SIGNATURE.test(text), "128 lower-case hex digits"),
  ts: integer(Number.MAX_SAFE_INTEGER, "Unix milliseconds, 0 to 2^53-1"),
  type: matching(
    isType,
    `lower-case words joined by dots, such as evidence.add, at most ${MAX_TYPE_LENGTH} characters`,
  ),
  v: oneOf([1], "1, the only version there is"),
};
const FIELD_COUNT = Object.keys(FIELDS).length;

const envelope = record<OperationWire>(FIELDS, {}, "an operation");

/** The signed fields, except the version. The body may be any object: it may have no canonical encoding. */
export interface Draft {
  readonly type: string;
  readonly author: string;
  readonly ts: number;
  readonly prev: readonly string[];
  readonly body: object;
}

const { type, author, ts, prev, body } = FIELDS;
const draft = record<Draft>({ type, author, ts, prev, body }, {}, "an operation");

/** The fields of an operation as a log has stored them: present, not checked further. */
export const storedEnvelope: Shape<OperationWire> = {
  fault: (value) => isStoredEnvelope(value) ? undefined : { at: "", what: "is not an operation" },
};

function isStoredEnvelope(value: unknown): boolean {
  return isObject(value) && typeof value.op_id === "string" && typeof value.author === "string" &&
    typeof value.type === "string" && typeof value.sig === "string" && Number.isSafeInteger(value.ts) &&
    Array.isArray(value.prev) && isObject(value.body) && Object.keys(value).length === FIELD_COUNT;
}

/**
 * Checks the fields of an operation.
 *
 * @throws {OperationError} `bad-shape`, with the `path` of the field at fault.
 */
export function decodeEnvelope(value: unknown): OperationWire {
  return requireShape(envelope, value);
}

/**
 * Checks the fields that an author gives.
 *
 * @throws {OperationError} `bad-shape`, with the `path` of the field at fault.
 */
export function decodeDraft(fields: { readonly [K in keyof Draft]: unknown }): Draft {
  return requireShape(draft, fields);
}

/**
 * Refuses a malformed type.
 *
 * @throws {OperationError} `bad-shape`.
 */
export function checkType(text: string): void {
  const fault = type.fault(text);
  if (fault !== undefined) throw new OperationError("shape", `$.type ${fault.what}`, { path: "$.type" });
}

/** Whether a text is a well-formed type. */
export function isType(text: string): boolean {
  return text.length <= MAX_TYPE_LENGTH && TYPE.test(text);
}

/**
 * A value of a shape.
 *
 * @throws {OperationError} `bad-shape`, with the `path` of the field at fault.
 */
export function requireShape<T>(shape: Shape<T>, value: unknown): T {
  if (conforms(shape, value)) return value;
  const { at, what } = shape.fault(value)!;
  const opId = isObject(value) && typeof value.op_id === "string" && isOpId(value.op_id) ? value.op_id : undefined;
  throw new OperationError("shape", `$${at} ${what}`, { path: `$${at}`, opId });
}
