/**
 * Recognizes an operation in the bytes of its wire text without decoding it: the quick way through, for the many that
 * are as they should be.
 *
 * Wire text is canonical, so its fields stand in one order and only the body has to be walked. The scanner accepts
 * nothing that {@linkcode Operation.parse} refuses. It may pass on a text that is fine but rare (an integer of 19
 * digits, an escape in a key): that one, like every faulty one, is for `Operation.parse` to judge.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { BODY_OFFSET } from "./layout.ts";
import { isType, MAX_PREV } from "./operation.ts";
import { MAX_DEPTH } from "./value.ts";

/** The fields of an operation, but for its body. */
export interface Envelope {
  /** Lower-case words joined by dots. */
  type: string;
  /** `mnk_` and the public key. */
  author: string;
  /** Unix milliseconds. */
  ts: number;
  /** What it follows. */
  prev: string[];
  /** The signature in hex. */
  sig: string;
  /** The content address it claims. */
  opId: string;
}

const [QUOTE, BACKSLASH, COMMA, COLON, MINUS, ZERO, NINE] = Buffer.from('"\\,:-09');
const [BRACKET, BRACKET_END, BRACE, BRACE_END, T, F, N, U] = Buffer.from("[]{}tfnu");

/** Bytes that stand for themselves in a string; the caller knows that they are UTF-8. */
const PLAIN = Uint8Array.from(
  { length: 256 },
  (_, byte) => Number(byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH),
);
const HEX = Uint8Array.from({ length: 256 }, (_, byte) => Number(/[0-9a-f]/.test(String.fromCharCode(byte))));
const SHORT_ESCAPES = Uint8Array.from(
  { length: 256 },
  (_, byte) => Number(/["\\bfnrt]/.test(String.fromCharCode(byte))),
);
/** Controls that have a short escape are not written in the long form. */
const LONG_ESCAPES = new Set(
  Array.from({ length: 0x20 }, (_, code) => code).filter((code) => ![0x08, 0x09, 0x0a, 0x0c, 0x0d].includes(code))
    .map((code) => code.toString(16).padStart(4, "0")),
);

const AUTHOR = Buffer.from('{"author":"mnk_');
const BODY = Buffer.from('","body":');
const OP_ID = Buffer.from(',"op_id":"op_');
const PREV = Buffer.from('","prev":[');
const PREV_ID = Buffer.from('"op_');
const SIG = Buffer.from(',"sig":"');
const TS = Buffer.from('","ts":');
const TYPE = Buffer.from(',"type":"');
const V = Buffer.from('","v":1}');
const [CONTENT, KIND, REF, SOURCE] = ['{"content":', ',"kind":', ',"ref":', ',"source":'].map((part) =>
  Buffer.from(part)
);
const [TRUE, FALSE, NULL] = ["true", "false", "null"].map((word) => Buffer.from(word));

/** A string of so many bytes has no more characters. */
const SHORT_STRING = 512;
const HASH_DIGITS = 64;
const SIG_DIGITS = 128;
/** Every integer of so many digits fits in 64 bits. */
const SAFE_DIGITS = 18;

/** Scans operations in a block of bytes that is valid UTF-8. */
export class EnvelopeScanner {
  readonly #bytes: Buffer;
  #at = 0;

  /** @param bytes Valid UTF-8: wire texts, each with a newline or the end of the block behind it. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The operation whose text stands from `start` to `end`; undefined when that is not certain. */
  scan(start: number, end: number): Envelope | undefined {
    this.#at = start;
    if (!this.#literal(AUTHOR) || !this.#hex(HASH_DIGITS)) return undefined;
    const author = this.#ascii(this.#at - HASH_DIGITS - 4, this.#at);
    if (!this.#literal(BODY) || this.#bytes[this.#at] !== BRACE || !this.#value(1)) return undefined;
    if (!this.#literal(OP_ID) || !this.#hex(HASH_DIGITS)) return undefined;
    const opId = this.#ascii(this.#at - HASH_DIGITS - 3, this.#at);
    const prev = this.#prev();
    if (prev === undefined) return undefined;
    if (!this.#literal(SIG) || !this.#hex(SIG_DIGITS)) return undefined;
    const sig = this.#ascii(this.#at - SIG_DIGITS, this.#at);
    if (!this.#literal(TS)) return undefined;
    const digitsAt = this.#at;
    if (this.#bytes[digitsAt] === MINUS || !this.#number()) return undefined;
    const ts = Number(this.#ascii(digitsAt, this.#at));
    if (!Number.isSafeInteger(ts) || !this.#literal(TYPE)) return undefined;
    const type = this.#ascii(this.#at, end - V.length);
    this.#at = end - V.length;
    if (!isType(type) || !this.#literal(V)) return undefined;
    return { type, author, ts, prev, sig, opId };
  }

  #ascii(start: number, end: number): string {
    return this.#bytes.toString("latin1", start, end);
  }

  /**
   * Whether the body of an operation that was scanned is as `bodies.ts` prescribes for `evidence.add`; false when that
   * is not certain.
   *
   * @param start Where the operation begins.
   */
  isEvidence(start: number): boolean {
    this.#at = start + BODY_OFFSET;
    if (!this.#literal(CONTENT) || this.#bytes[this.#at] !== BRACE || !this.#object(2)) return false;
    if (!this.#literal(KIND) || !this.#shortString()) return false;
    if (this.#literal(REF) && !this.#shortString()) return false;
    return this.#literal(SOURCE) && this.#shortString() && this.#bytes[this.#at] === BRACE_END;
  }

  #literal(literal: Uint8Array): boolean {
    for (let i = 0; i < literal.length; i++) {
      if (this.#bytes[this.#at + i] !== literal[i]) return false;
    }
    this.#at += literal.length;
    return true;
  }

  #hex(digits: number): boolean {
    for (const end = this.#at + digits; this.#at < end; this.#at++) {
      if (HEX[this.#bytes[this.#at]] !== 1) return false;
    }
    return true;
  }

  #prev(): string[] | undefined {
    if (!this.#literal(PREV)) return undefined;
    const ids: string[] = [];
    if (this.#bytes[this.#at] === BRACKET_END) {
      this.#at++;
      return ids;
    }
    for (;;) {
      if (ids.length === MAX_PREV || !this.#literal(PREV_ID) || !this.#hex(HASH_DIGITS)) return undefined;
      ids.push(this.#ascii(this.#at - HASH_DIGITS - 3, this.#at));
      if (this.#bytes[this.#at++] !== QUOTE) return undefined;
      const next = this.#bytes[this.#at++];
      if (next === BRACKET_END) break;
      if (next !== COMMA) return undefined;
    }
    return ids.length === 1 || new Set(ids).size === ids.length ? ids : undefined;
  }

  /** Whether a canonical value stands here; goes behind it. */
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
      if (!this.#key()) return false;
      if (last >= 0 && !this.#ascends(last, lastEnd, key, this.#at)) return false;
      last = key;
      lastEnd = this.#at;
      if (bytes[this.#at++] !== COLON || !this.#value(depth + 1)) return false;
      const next = bytes[this.#at++];
      if (next === BRACE_END) return true;
      if (next !== COMMA) return false;
    }
  }

  #shortString(): boolean {
    const start = this.#at + 1;
    if (!this.#key()) return false;
    const length = this.#at - 1 - start;
    return length >= 1 && length <= SHORT_STRING;
  }

  /** A key without escapes: only these are in the order of their bytes. */
  #key(): boolean {
    const bytes = this.#bytes;
    if (bytes[this.#at] !== QUOTE) return false;
    let at = this.#at + 1;
    while (PLAIN[bytes[at]] === 1) at++;
    this.#at = at + 1;
    return bytes[at] === QUOTE;
  }

  /** Whether the first key, given with its quotes, stands before the second in the order of their bytes. */
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
