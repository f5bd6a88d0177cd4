/**
 * The operation: a signed, content-addressed record that names the operations it follows.
 *
 * @module
 */

import { CanonicalError, LogError, OperationError } from "../errors.ts";
import { addressOf, contentAddress, failedCheck } from "./authentic.ts";
import { encodeCanonical, parseCanonical } from "./canonical.ts";
import { decodeDraft, decodeEnvelope, type OperationWire, requireShape, storedEnvelope } from "./envelope.ts";
import { checkedSigner, type Signer } from "../keys/signer.ts";
import { parseJson } from "./json.ts";
import { signedParts, signedTail, wireText } from "./layout.ts";
import { conforms, object, type Shape } from "./shape.ts";
import { type CanonicalObject, isObject, MAX_DEPTH } from "./value.ts";

const utf8 = new TextEncoder();

/** Input of {@linkcode Operation.create}. */
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

/** Makes an operation from wire text of a log's file, which was verified before it was stored. Only for the log. */
export let fromStored: (wire: string) => Operation;
/** Whether a value is an operation that this module made: an object of the same form is not. */
export let isOperation: (value: unknown) => value is Operation;

/** How far an operation was checked. Private symbols: no caller of the constructor can claim that one is verified. */
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
      try {
        return new Operation(decodeStored(wire), wire, STORED); // canonical: the log checked it
      } catch (error) {
        throw shapeError(error);
      }
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
   * @param draft Its type and body; `prev` and `ts` have defaults.
   * @param signer The signer: an `Identity`, or another, whose signature is verified.
   * @throws {OperationError} `bad-shape`, with the `path` of the field at fault.
   * @throws {LogError} `invalid-argument`, `bad-key`, `bad-signature`: the signer is invalid, or its signature is.
   */
  static create(draft: OperationDraft, signer: Signer): Operation {
    if (!isObject(draft)) {
      throw new OperationError("shape", "a draft is an object with a type and a body", { path: "$" });
    }
    const { prev: givenPrev = [], ts: givenTs = Date.now() } = draft;
    const { author, sign } = checkedSigner(signer);
    const { type, ts, prev, body } = decodeDraft({
      type: draft.type,
      author,
      ts: givenTs,
      prev: Array.isArray(givenPrev) ? [...givenPrev] : givenPrev, // a signer that changes it has no effect
      body: draft.body,
    });
    const bodyText = encodeShape({ body }).slice('{"body":'.length, -1);
    const [prevText, tsText] = [encodeCanonical(prev), encodeCanonical(ts)];
    const parts = signedParts({ author, body: bodyText, prev: prevText, ts: tsText, type });
    const sig = sign(utf8.encode(parts.head + parts.prev + parts.tail)).toHex();
    const op_id = contentAddress(utf8.encode(parts.head), utf8.encode(signedTail(parts, sig)));
    const fields: OperationWire = { v: 1, type, author, ts, prev, body: decodeExact(bodyText, object), sig, op_id };
    return new Operation(fields, wireText(parts, sig, op_id), VERIFIED);
  }

  /**
   * Reads an operation from its canonical text. Checks its shape; {@linkcode Operation.verify} checks the rest.
   *
   * @param text The whole wire text.
   * @throws {OperationError} `bad-shape`: not canonical (the `cause` has the offset), or not an operation.
   */
  static parse(text: string): Operation {
    let value: unknown;
    try {
      value = parseCanonical(text);
    } catch (error) {
      throw shapeError(error);
    }
    return new Operation(decodeEnvelope(value), text, PARSED);
  }

  /**
   * Makes an operation from its fields, as {@linkcode Operation.toWire} returns them. Checks its shape;
   * {@linkcode Operation.verify} checks the rest.
   *
   * @param value The fields. Copied.
   * @throws {OperationError} `bad-shape`, with the `path` of the field at fault.
   */
  static fromWire(value: unknown): Operation {
    return Operation.parse(encodeShape(value));
  }

  /** The fields, named as in the wire text, in a new object. */
  toWire(): OperationWire {
    const { v, type, author, ts, prev, body, sig, opId } = this;
    return { v, type, author, ts, prev, body, sig, op_id: opId };
  }

  /**
   * Checks shape, then content address, then signature. The shape is checked here only when the operation was read from
   * a log's file. Costs one hash and one Ed25519 verification, the first time: an operation cannot change.
   *
   * @throws {OperationError} `bad-shape`, `bad-address` or `bad-signature`, whichever comes first.
   */
  verify(): void {
    if (this.#state === VERIFIED) return;
    if (this.#state === STORED) this.#checkStored();
    const { opId } = this;
    const bytes = encodeWire(this.wire);
    const failed = failedCheck(bytes, this);
    if (failed === "content address") {
      const address = addressOf(bytes, this);
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
      if (!(error instanceof OperationError)) throw error;
      const { opId } = this;
      const message = `operation ${opId} is damaged: ${error.message}`;
      throw new OperationError("shape", message, { opId, path: error.path, cause: error });
    }
  }
}

/** Reused for the encoding of each verified wire text: allocating an array takes as long as encoding one. */
let scratch = new Uint8Array(4096);

function encodeWire(wire: string): Uint8Array {
  if (scratch.length < 3 * wire.length) scratch = new Uint8Array(3 * wire.length);
  return scratch.subarray(0, utf8.encodeInto(wire, scratch).written);
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

/**
 * Decodes a text that is known to be canonical into a frozen value. `JSON.parse` is much faster than `parseJson`, which is
 * only needed for integers that `JSON.parse` rounds.
 */
function decodeExact<T>(text: string, shape: Shape<T>): T {
  let value: unknown = JSON.parse(text);
  if (!freezeExact(value, 0)) freezeExact(value = parseJson(text), 0);
  return requireShape(shape, value);
}

/** As {@linkcode decodeExact}, of a whole wire text. Only what the operation keeps of it is frozen. */
function decodeStored(wire: string): OperationWire {
  const fields: unknown = JSON.parse(wire);
  const isExact = conforms(storedEnvelope, fields) && freezeExact(fields.body, 1) && freezeExact(fields.prev, 1);
  return isExact ? fields : decodeExact(wire, storedEnvelope);
}

/**
 * Freezes a value and everything in it.
 *
 * @returns Whether all numbers in it are exact and its depth is allowed; otherwise parts of it may not be frozen.
 */
function freezeExact(value: unknown, depth: number): boolean {
  if (typeof value === "number") return Number.isSafeInteger(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth > MAX_DEPTH) return false;
  if (isObject(value)) {
    for (const key in value) {
      const member = value[key];
      // Most are strings: a call takes longer than the check.
      if (typeof member !== "string" && !freezeExact(member, depth + 1)) return false;
    }
  } else if (Array.isArray(value)) {
    for (const item of value) if (typeof item !== "string" && !freezeExact(item, depth + 1)) return false;
  }
  Object.freeze(value);
  return true;
}
