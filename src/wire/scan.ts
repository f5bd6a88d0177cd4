/**
 * Recognizes an operation in the bytes of its wire text without decoding it: the fast path for well-formed operations.
 *
 * Wire text is canonical, so its fields are in a fixed order and only the body has to be walked. The scanner accepts
 * nothing that {@linkcode Operation.parse} refuses. It may miss a valid text with rare contents (an integer of 19
 * digits, an escape in a key): that one, like every faulty one, is left to `Operation.parse`.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { bodyPattern } from "./bodies.ts";
import { isType, MAX_PREV } from "./envelope.ts";
import { AUTHOR_LENGTH, BEFORE, BODY_OFFSET, END, HASH_DIGITS, OP_ID_LENGTH, SIG_DIGITS } from "./layout.ts";
import type { Pattern } from "./shape.ts";
import { MAX_DEPTH } from "./value.ts";

/** The fields of an operation, except its body. */
export interface Envelope {
  /** Lower-case words joined by dots. */
  type: string;
  /** `mnk_` and the public key. */
  author: string;
  /** Unix milliseconds. */
  ts: number;
  /** The ids of the operations it follows. */
  prev: string[];
  /** The signature in hex. */
  sig: string;
  /** The content address it claims. */
  opId: string;
}

const [QUOTE, BACKSLASH, COMMA, COLON, MINUS, ZERO, NINE] = Buffer.from('"\\,:-09');
const [BRACKET, BRACKET_END, BRACE, BRACE_END, T, F, N, U] = Buffer.from("[]{}tfnu");

/** Bytes that are not escaped in a string. The caller has checked that all bytes are UTF-8. */
const PLAIN = Uint8Array.from(
  { length: 256 },
  (_, byte) => Number(byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH),
);
const HEX = Uint8Array.from({ length: 256 }, (_, byte) => Number(/[0-9a-f]/.test(String.fromCharCode(byte))));
const SHORT_ESCAPES = Uint8Array.from(
  { length: 256 },
  (_, byte) => Number(/["\\bfnrt]/.test(String.fromCharCode(byte))),
);
/** The hex digits of control characters that have no short escape, which is canonical where there is one. */
const LONG_ESCAPES = new Set(
  Array.from({ length: 0x20 }, (_, code) => code).filter((code) => ![0x08, 0x09, 0x0a, 0x0c, 0x0d].includes(code))
    .map((code) => code.toString(16).padStart(4, "0")),
);

const AUTHOR = Buffer.from(BEFORE.author + "mnk_");
const BODY = Buffer.from(BEFORE.body);
const OP_ID = Buffer.from(BEFORE.opId + "op_");
const PREV = Buffer.from(BEFORE.prev);
const SIG = Buffer.from(BEFORE.sig);
const TS = Buffer.from(BEFORE.ts);
const TYPE = Buffer.from(BEFORE.type);
const TYPE_END = Buffer.from(END);
const QUOTED_OP_ID = Buffer.from('"op_');
const [TRUE, FALSE, NULL] = ["true", "false", "null"].map((word) => Buffer.from(word));

/** Every integer of this many digits fits in 64 bits. */
const SAFE_DIGITS = 18;

/** Scans operations in a block of bytes that is valid UTF-8. */
export class EnvelopeScanner {
  readonly #bytes: Buffer;
  #at = 0;

  /** @param bytes Valid UTF-8: wire texts, each followed by a newline or the end of the block. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The operation whose text is from `start` to `end`; undefined when it is not recognized. */
  scan(start: number, end: number): Envelope | undefined {
    this.#at = start;
    if (!this.#literal(AUTHOR) || !this.#hex(HASH_DIGITS)) return undefined;
    const author = this.#ascii(this.#at - AUTHOR_LENGTH, this.#at);
    if (!this.#literal(BODY) || this.#bytes[this.#at] !== BRACE || !this.#value(1)) return undefined;
    if (!this.#literal(OP_ID) || !this.#hex(HASH_DIGITS)) return undefined;
    const opId = this.#ascii(this.#at - OP_ID_LENGTH, this.#at);
    const prev = this.#literal(PREV) ? this.#opIds(MAX_PREV, true) : undefined;
    if (prev === undefined) return undefined;
    if (!this.#literal(SIG) || !this.#hex(SIG_DIGITS)) return undefined;
    const sig = this.#ascii(this.#at - SIG_DIGITS, this.#at);
    if (!this.#literal(TS)) return undefined;
    const digitsAt = this.#at;
    if (this.#bytes[digitsAt] === MINUS || !this.#number()) return undefined;
    const ts = Number(this.#ascii(digitsAt, this.#at));
    if (!Number.isSafeInteger(ts) || !this.#literal(TYPE)) return undefined;
    const type = this.#ascii(this.#at, end - TYPE_END.length);
    this.#at = end - TYPE_END.length;
    if (!isType(type) || !this.#literal(TYPE_END)) return undefined;
    return { type, author, ts, prev, sig, opId };
  }

  #ascii(start: number, end: number): string {
    return this.#bytes.toString("latin1", start, end);
  }

  /**
   * Whether the body of a scanned operation is valid for its type; false when it is not recognized.
   *
   * @param type The type of the operation, which must have rules (`bodies.ts`).
   * @param start Where the operation begins.
   */
  isBody(type: string, start: number): boolean {
    this.#at = start + BODY_OFFSET;
    return this.#matches(bodyPattern(type), 1);
  }

  #matches(pattern: Pattern | undefined, depth: number): boolean {
    switch (pattern?.kind) {
      case undefined:
        return false;
      case "any":
        return this.#value(depth);
      case "object":
        return this.#bytes[this.#at] === BRACE && this.#object(depth);
      case "string":
        return this.#shortString(pattern.max);
      case "integer": {
        const start = this.#at;
        return this.#bytes[start] !== MINUS && this.#number() && Number(this.#ascii(start, this.#at)) <= pattern.max;
      }
      case "op-id":
        return this.#opId() !== undefined;
      case "op-ids":
        return this.#bytes[this.#at++] === BRACKET && this.#opIds(pattern.max, pattern.unique) !== undefined &&
          this.#bytes[this.#at++] === BRACKET_END;
      case "record": {
        let separator = BRACE;
        for (const { name, isRequired, pattern: value } of pattern.members) {
          if (this.#bytes[this.#at] === separator && this.#literal(name, 1)) {
            if (!this.#matches(value, depth + 1)) return false;
            separator = COMMA;
          } else if (isRequired) return false;
        }
        return separator === COMMA && this.#bytes[this.#at++] === BRACE_END;
      }
    }
  }

  /** Whether a literal is next, after bytes to skip; advances past it if so. */
  #literal(literal: Uint8Array, skip = 0): boolean {
    const start = this.#at + skip;
    for (let i = 0; i < literal.length; i++) {
      if (this.#bytes[start + i] !== literal[i]) return false;
    }
    this.#at = start + literal.length;
    return true;
  }

  #hex(digits: number): boolean {
    for (const end = this.#at + digits; this.#at < end; this.#at++) {
      if (HEX[this.#bytes[this.#at]] !== 1) return false;
    }
    return true;
  }

  /** The quoted id that is next; advances past it. */
  #opId(): string | undefined {
    if (!this.#literal(QUOTED_OP_ID) || !this.#hex(HASH_DIGITS)) return undefined;
    const id = this.#ascii(this.#at - OP_ID_LENGTH, this.#at);
    return this.#bytes[this.#at++] === QUOTE ? id : undefined;
  }

  /** The ids from here to a closing bracket, which is next then. */
  #opIds(max: number, unique: boolean): string[] | undefined {
    const ids: string[] = [];
    if (this.#bytes[this.#at] === BRACKET_END) return ids;
    for (;;) {
      const id = ids.length < max ? this.#opId() : undefined;
      if (id === undefined) return undefined;
      ids.push(id);
      if (this.#bytes[this.#at] === BRACKET_END) break;
      if (this.#bytes[this.#at++] !== COMMA) return undefined;
    }
    return !unique || ids.length === 1 || new Set(ids).size === ids.length ? ids : undefined;
  }

  /** Whether a canonical value is next; advances past it. */
  #value(depth: number): boolean {
    if (depth > MAX_DEPTH) return false;
    switch (this.#bytes[this.#at]) {
      case QUOTE:
        return this.#string();
      case BRACE:
        return this.#object(depth);
      case BRACKET:
        return this.#array(depth);
      case T:
        return this.#literal(TRUE);
      case F:
        return this.#literal(FALSE);
      case N:
        return this.#literal(NULL);
      default:
        return this.#number();
    }
  }

  #array(depth: number): boolean {
    const bytes = this.#bytes;
    this.#at++;
    if (bytes[this.#at] === BRACKET_END) {
      this.#at++;
      return true;
    }
    for (;;) {
      if (!this.#value(depth + 1)) return false;
      const next = bytes[this.#at++];
      if (next === BRACKET_END) return true;
      if (next !== COMMA) return false;
    }
  }

  #object(depth: number): boolean {
    const bytes = this.#bytes;
    this.#at++;
    if (bytes[this.#at] === BRACE_END) {
      this.#at++;
      return true;
    }
    let last = -1;
    let lastEnd = -1;
    for (;;) {
      const key = this.#at;
      if (!this.#plainString()) return false;
      if (last >= 0 && !this.#ascends(last, lastEnd, key, this.#at)) return false;
      last = key;
      lastEnd = this.#at;
      if (bytes[this.#at++] !== COLON || !this.#value(depth + 1)) return false;
      const next = bytes[this.#at++];
      if (next === BRACE_END) return true;
      if (next !== COMMA) return false;
    }
  }

  /** A string without escapes of 1 to `max` bytes, and so of at most `max` characters. */
  #shortString(max: number): boolean {
    const start = this.#at + 1;
    if (!this.#plainString()) return false;
    const length = this.#at - 1 - start;
    return length >= 1 && length <= max;
  }

  /** A string without escapes: only keys without escapes are in the order of their bytes. */
  #plainString(): boolean {
    const bytes = this.#bytes;
    if (bytes[this.#at] !== QUOTE) return false;
    let at = this.#at + 1;
    while (PLAIN[bytes[at]] === 1) at++;
    this.#at = at + 1;
    return bytes[at] === QUOTE;
  }

  /** Whether the first key, given with its quotes, precedes the second in the order of their bytes. */
  #ascends(a: number, aEnd: number, b: number, bEnd: number): boolean {
    const bytes = this.#bytes;
    const shorter = Math.min(aEnd - a, bEnd - b) - 1;
    for (let i = 1; i < shorter; i++) {
      const difference = bytes[b + i] - bytes[a + i];
      if (difference !== 0) return difference > 0;
    }
    return bEnd - b > aEnd - a;
  }

  #string(): boolean {
    const bytes = this.#bytes;
    let at = this.#at + 1;
    for (;;) {
      while (PLAIN[bytes[at]] === 1) at++;
      if (bytes[at] !== BACKSLASH) break;
      if (SHORT_ESCAPES[bytes[at + 1]] === 1) at += 2;
      else if (bytes[at + 1] === U && LONG_ESCAPES.has(this.#ascii(at + 2, at + 6))) at += 6;
      else return false;
    }
    this.#at = at + 1;
    return bytes[at] === QUOTE;
  }

  #number(): boolean {
    const bytes = this.#bytes;
    if (bytes[this.#at] === MINUS) {
      this.#at++;
      if (bytes[this.#at] === ZERO) return false;
    }
    const start = this.#at;
    while (bytes[this.#at] >= ZERO && bytes[this.#at] <= NINE) this.#at++;
    const digits = this.#at - start;
    return digits > 0 && digits <= SAFE_DIGITS && (bytes[start] !== ZERO || digits === 1);
  }
}
