/**
 * The operation: a signed, content-addressed record that names the operations it follows.
 *
 * @module
 */

import { CanonicalError, LogError, OperationError } from "../errors.ts";
import { addressOf, contentAddress, failedCheck } from "./authentic.ts";
import { encodeCanonical, parseCanonical } from "./canonical.ts";
import { checkedSigner, type Signer } from "../keys/signer.ts";
import { isAuthor } from "../keys/author.ts";
import { isOpId } from "./ids.ts";
import { parseJson } from "./json.ts";
import { layoutOf, signedParts, signedTail, wireText } from "./layout.ts";
import { type CanonicalObject, MAX_DEPTH } from "./value.ts";

/** At most so many `prev`. */
export const MAX_PREV = 1024;
/** A type is at most so many characters. */
export const MAX_TYPE_LENGTH = 128;

const TYPE = /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*$/;
const SIGNATURE = /^[0-9a-f]{128}$/;

const utf8 = new TextEncoder();

/** What an author gives to make an operation. */
export interface OperationDraft {
  /** Lower-case words joined by dots, such as `evidence.add`: at most 128 characters. */
  type: string;
  /** The content, any object that MNC-1 can encode. Copied. */
  body: { readonly [key: string]: unknown };
  /** The ids of the operations this one follows: at most 1,024, no duplicates. None by default. */
  prev?: readonly string[];
  /** Unix milliseconds, 0 to 2^53-1. Now by default. */
  ts?: number;
}

/** The fields of an operation as they stand in its wire text. */
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

/** For the log alone: an operation from wire text that was verified when it was written. */
export let fromStored: (wire: string) => Operation;
/** Whether a value is an operation that this module made, and not one that only looks like it. */
export let isOperation: (value: unknown) => value is Operation;

/** How far an operation was checked. Nobody else has these: an operation made by others cannot pass for verified. */
const STORED: unique symbol = Symbol("stored");
const PARSED: unique symbol = Symbol("parsed");
const VERIFIED: unique symbol = Symbol("verified");
type State = typeof STORED | typeof PARSED | typeof VERIFIED;

/**
 * An operation, immutable all the way down.
 *
 * @example
 * ```ts
 * import { Identity, Operation } from "@mnema/oplog";
 * import { assertEquals } from "@std/assert";
 *
 * const op = Operation.create({ type: "note", body: { text: "hello" } }, Identity.generate());
 * const copy = Operation.parse(op.wire);
 * copy.verify();
 * assertEquals(copy.opId, op.opId);
 * ```
 */
export class Operation {
  /** The version of the envelope. */
  readonly v = 1;
  /** Lower-case words joined by dots. */
  readonly type: string;
  /** `mnk_` and the author's public key in lower-case hex. */
  readonly author: string;
  /** Unix milliseconds, as the author's clock had them. */
  readonly ts: number;
  /** The ids of the operations this one follows. */
  readonly prev: readonly string[];
  /** The content. */
  readonly body: CanonicalObject;
  /** The author's Ed25519 signature in lower-case hex. */
  readonly sig: string;
  /** The content address: `op_` and BLAKE2b-256 in lower-case hex. */
  readonly opId: string;
  /** The canonical text (MNC-1) of the whole operation. */
  readonly wire: string;
  #state: State;

  static {
    isOperation = (value): value is Operation => typeof value === "object" && value !== null && #state in value;
    fromStored = (wire) => {
      let value: unknown;
      try {
        value = decodeExact(wire); // the log took this text in as canonical
      } catch (error) {
        throw shapeError(error);
      }
      if (!isOutline(value)) throw new OperationError("shape", "this is not an operation");
      return new Operation(value, wire, STORED);
    };
  }

  private constructor(fields: OperationWire, wire: string, state: State) {
    if (state !== STORED && state !== PARSED && state !== VERIFIED) {
      throw new LogError("invalid-argument", "an operation is made by Operation.create, parse or fromWire");
    }
    this.type = fields.type;
    this.author = fields.author;
    this.ts = fields.ts;
    this.prev = Object.freeze(fields.prev);
    if (state === PARSED) freezeExact(fields.body, 0);
    this.body = fields.body;
    this.sig = fields.sig;
    this.opId = fields.op_id;
    this.wire = wire;
    this.#state = state;
    Object.freeze(this);
  }

  /**
   * Makes and signs an operation.
   *
   * @param draft Its type, body, and where they matter `prev` and `ts`.
   * @param signer Who signs it: an `Identity`, or another signer, whose signature is verified.
   * @throws {OperationError} `bad-shape`, with the `path` of the field at fault.
   * @throws {LogError} `invalid-argument`, `bad-key`, `bad-signature`: of a signer that is none, or signs wrongly.
   */
  static create(draft: OperationDraft, signer: Signer): Operation {
    if (!isObject(draft)) {
      throw new OperationError("shape", "a draft is an object with a type and a body", { path: "$" });
    }
    const { type, body, prev: given = [], ts = Date.now() } = draft;
    const prev = Array.isArray(given) ? [...given] : given; // a signer that changes it changes nothing
    const { author, sign } = checkedSigner(signer);
    for (const [field, value] of Object.entries({ type, author, ts, prev, body })) {
      checkField(field as keyof OperationWire, value);
    }
    const bodyText = encodeShape({ body }).slice('{"body":'.length, -1);
    const [prevText, tsText] = [encodeCanonical(prev), encodeCanonical(ts)];
    const parts = signedParts({ author, body: bodyText, prev: prevText, ts: tsText, type });
    const sig = sign(utf8.encode(parts.head + parts.prev + parts.tail)).toHex();
    const op_id = contentAddress(utf8.encode(parts.head), utf8.encode(signedTail(parts, sig)));
    const fields: OperationWire = {
      v: 1,
      type,
      author,
      ts,
      prev,
      body: decodeExact(bodyText) as CanonicalObject,
      sig,
      op_id,
    };
    return new Operation(fields, wireText(parts, sig, op_id), VERIFIED);
  }

  /**
   * Reads an operation from its canonical text. Checks its shape; {@linkcode Operation.verify} checks the rest.
   *
   * @param text The wire text, whole.
   * @throws {OperationError} `bad-shape`: not canonical (the `cause` says where), or not an operation.
   */
  static parse(text: string): Operation {
    let value: unknown;
    try {
      value = parseCanonical(text);
    } catch (error) {
      throw shapeError(error);
    }
    return new Operation(checkShape(value), text, PARSED);
  }

  /**
   * Takes an operation from its fields, as {@linkcode Operation.toWire} gives them. Checks its shape;
   * {@linkcode Operation.verify} checks the rest.
   *
   * @param value The fields. Copied.
   * @throws {OperationError} `bad-shape`, with the `path` of the field at fault.
   */
  static fromWire(value: unknown): Operation {
    return Operation.parse(encodeShape(value));
  }

  /** The fields as they stand in the wire text, in a new object. */
  toWire(): OperationWire {
    const { v, type, author, ts, prev, body, sig, opId } = this;
    return { v, type, author, ts, prev, body, sig, op_id: opId };
  }

  /**
   * Checks that the operation is what it claims to be: its shape (once more only when a log has read it from its file),
   * then its content address, then its signature. Costs one hash and one Ed25519 verification, once: an operation
   * cannot change.
   *
   * @throws {OperationError} `bad-shape`, `bad-address` or `bad-signature`, whichever comes first.
   */
  verify(): void {
    if (this.#state === VERIFIED) return;
    if (this.#state === STORED) this.#checkStored();
    const { opId } = this;
    const bytes = encodeWire(this.wire);
    const layout = layoutOf(bytes.length, this);
    const failed = failedCheck(bytes, layout, this);
    if (failed === "content address") {
      const address = addressOf(bytes, layout);
      throw new OperationError(failed, `operation ${opId} was changed: its content address is ${address}`, { opId });
    }
    if (failed !== undefined) {
      throw new OperationError(failed, `operation ${opId} is not signed by ${this.author}`, { opId });
    }
    this.#state = VERIFIED;
  }

  #checkStored(): void {
    try {
      Operation.parse(this.wire);
    } catch (error) {
      const { message, path } = error as OperationError;
      const { opId } = this;
      throw new OperationError("shape", `operation ${opId} is damaged: ${message}`, { opId, path, cause: error });
    }
  }
}

/** Where a wire text is encoded to be verified: making room for each anew would take as long as encoding it. */
let scratch = new Uint8Array(4096);

function encodeWire(wire: string): Uint8Array {
  if (scratch.length < 3 * wire.length) scratch = new Uint8Array(3 * wire.length);
  return scratch.subarray(0, utf8.encodeInto(wire, scratch).written);
}

/**
 * Refuses what is no type.
 *
 * @throws {OperationError} `bad-shape`.
 */
export function checkType(type: string): void {
  checkField("type", type);
}

/** Says what is wrong with the value of a field, with the path below the field where that helps. */
type FieldCheck = (value: unknown) => string | { at: string; fault: string } | undefined;

const FIELD_CHECKS: Readonly<Record<keyof OperationWire, FieldCheck>> = {
  author: matches(isAuthor, "mnk_ and 64 lower-case hex digits"),
  body: (value) => isObject(value) ? undefined : "must be an object",
  op_id: matches(isOpId, "op_ and 64 lower-case hex digits"),
  prev: checkPrev,
  sig: matches((text) => SIGNATURE.test(text), "128 lower-case hex digits"),
  ts: (value) =>
    Number.isSafeInteger(value) && (value as number) >= 0 ? undefined : "must be Unix milliseconds, 0 to 2^53-1",
  type: (value) =>
    typeof value === "string" && isType(value)
      ? undefined
      : `must be lower-case words joined by dots, such as evidence.add, at most ${MAX_TYPE_LENGTH} characters`,
  v: (value) => value === 1 ? undefined : "must be 1, the only version there is",
};
const FIELDS = Object.keys(FIELD_CHECKS) as (keyof OperationWire)[];

function checkShape(value: unknown): OperationWire {
  if (!isObject(value)) throw new OperationError("shape", "an operation must be an object", { path: "$" });
  const opId = typeof value.op_id === "string" && isOpId(value.op_id) ? value.op_id : undefined;
  for (const field of FIELDS) {
    if (!Object.hasOwn(value, field)) throw fieldError(`$.${field}`, "is missing", opId);
    checkField(field, value[field], opId);
  }
  for (const field of Object.keys(value)) {
    if (!Object.hasOwn(FIELD_CHECKS, field)) throw fieldError(`$.${field}`, "is not a field of an operation", opId);
  }
  return value as unknown as OperationWire;
}

/** Whether the fields of an operation are there at all. Looks no closer: that is for `verify`. */
function isOutline(value: unknown): value is OperationWire {
  return isObject(value) && typeof value.op_id === "string" && typeof value.author === "string" &&
    typeof value.type === "string" && typeof value.sig === "string" && Number.isSafeInteger(value.ts) &&
    Array.isArray(value.prev) && isObject(value.body) && Object.keys(value).length === FIELDS.length;
}

function checkField(field: keyof OperationWire, value: unknown, opId?: string): void {
  const fault = FIELD_CHECKS[field](value);
  if (fault === undefined) return;
  if (typeof fault === "string") throw fieldError(`$.${field}`, fault, opId);
  throw fieldError(`$.${field}${fault.at}`, fault.fault, opId);
}

function fieldError(path: string, fault: string, opId: string | undefined): OperationError {
  return new OperationError("shape", `${path} ${fault}`, { path, opId });
}

function matches(test: (text: string) => boolean, what: string): FieldCheck {
  return (value) => typeof value === "string" && test(value) ? undefined : `must be ${what}`;
}

function checkPrev(value: unknown): ReturnType<FieldCheck> {
  if (!Array.isArray(value)) return "must be an array of operation ids";
  if (value.length > MAX_PREV) return `must hold at most ${MAX_PREV} ids, not ${value.length}`;
  for (let i = 0; i < value.length; i++) {
    if (typeof value[i] !== "string" || !isOpId(value[i])) {
      return { at: `[${i}]`, fault: "must be op_ and 64 lower-case hex digits" };
    }
  }
  if (value.length > 1 && new Set(value).size < value.length) return "must not name an id twice";
}

/** Whether a text is a well-formed type. */
export function isType(text: string): boolean {
  return text.length <= MAX_TYPE_LENGTH && TYPE.test(text);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function encodeShape(value: unknown): string {
  try {
    return encodeCanonical(value);
  } catch (error) {
    throw shapeError(error);
  }
}

function shapeError(error: unknown): unknown {
  if (error instanceof CanonicalError) {
    return new OperationError("shape", error.message, { path: error.path, cause: error });
  }
  if (error instanceof SyntaxError) return new OperationError("shape", error.message, { cause: error });
  return error;
}

/** Reads a text that is known to be canonical, frozen: only integers that JSON.parse rounds need the careful reader. */
function decodeExact(text: string): unknown {
  let value: unknown = JSON.parse(text);
  if (!freezeExact(value, 0)) freezeExact(value = parseJson(text), 0);
  return value;
}

/**
 * Freezes a value all the way down.
 *
 * @returns Whether every number in it is exact and its depth allowed; when not, some of it may not be frozen.
 */
function freezeExact(value: unknown, depth: number): boolean {
  if (typeof value === "number") return Number.isSafeInteger(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!freezeExact(value[i], depth + 1)) return false;
  } else {
    for (const key in value) {
      if (!freezeExact((value as Record<string, unknown>)[key], depth + 1)) return false;
    }
  }
  Object.freeze(value);
  return true;
}
