/**
 * Makes new inputs from others: bytes are changed, put in, left out and copied, as are words of the format, numbers, and
 * what is between brackets or quotes.
 *
 * @module
 */

import type { Choices } from "./choices.ts";
import { HIGH_SURROGATE, LOW_SURROGATE } from "./target.ts";

/** Inputs are not longer, but for seeds that are. */
const MAX_BYTES = 1 << 14;
/** A block that is copied or left out is rarely longer. */
const MAX_BLOCK = 256;
const MAX_MUTATIONS = 6;
const DEEPEST = 80;

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const OPEN = new Map([[0x7b, 0x7d], [0x5b, 0x5d], [QUOTE, QUOTE]]);

/** Words that any format may stumble over. */
const COMMON = [
  "",
  "0",
  "-0",
  "-1",
  "1",
  "255",
  "256",
  "65535",
  "4294967295",
  "4294967296",
  "9007199254740991",
  "9007199254740992",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775808",
  "18446744073709551615",
  "1e999",
  "0.5",
  "00",
  "null",
  "true",
  "false",
  "{}",
  "[]",
  '""',
  ",",
  ":",
  '"',
  "\\",
  "\\u0000",
  "\\ud800",
  "\\u0041",
  "\n",
  "\r\n",
  "\n\n",
  " ",
  "\t",
  "\0",
  "\x7f",
  "\u0085",
  "\u2028",
  "\u202e",
  "\ufeff",
  "\ufffd",
  "\uff61",
  "😀",
  "é",
  HIGH_SURROGATE,
  LOW_SURROGATE,
  "__proto__",
  "constructor",
  "toString",
  "../",
  "%00",
];

const encoder = new TextEncoder();

/** Makes inputs from the ones it is given. */
export class Mutator {
  readonly #choices: Choices;
  readonly #tokens: readonly Uint8Array[];
  readonly #maxBytes: number;
  #bytes: Uint8Array;
  #length = 0;

  /**
   * @param choices The source of choices.
   * @param seeds The examples.
   * @param tokens Words of the format.
   */
  constructor(choices: Choices, seeds: readonly Uint8Array[], tokens: readonly (string | Uint8Array)[]) {
    this.#choices = choices;
    this.#tokens = [...COMMON, ...tokens, ...tokens].map((token) =>
      typeof token === "string" ? encoder.encode(token) : token
    );
    this.#maxBytes = Math.max(MAX_BYTES, 2 * Math.max(...seeds.map(({ length }) => length)));
    this.#bytes = new Uint8Array(this.#maxBytes);
  }

  /**
   * A new input.
   *
   * @param input The input that is changed.
   * @param other Another, of which parts may be taken.
   */
  mutate(input: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
    this.#length = Math.min(input.length, this.#maxBytes);
    this.#bytes.set(input.subarray(0, this.#length));
    for (let more = this.#choices.between(1, MAX_MUTATIONS); more > 0; more--) {
      this.#change(other);
      if (this.#choices.once(2)) break; // few changes reach deeper than many
    }
    return this.#bytes.slice(0, this.#length);
  }

  #change(other: Uint8Array): void {
    const choices = this.#choices;
    const at = choices.integer(this.#length + 1);
    const length = Math.min(this.#blockLength(), this.#length - at);
    switch (choices.integer(14)) {
      case 0:
        if (length > 0) this.#bytes[at] ^= 1 << choices.integer(8);
        return;
      case 1:
        if (length > 0) this.#bytes[at] = choices.integer(256);
        return;
      case 2:
        return this.#replace(at, at, Uint8Array.of(choices.integer(256)));
      case 3:
        return this.#replace(at, at + length);
      case 4:
        return this.#replace(at, at, this.#bytes.slice(at, at + length));
      case 5: {
        const to = choices.integer(this.#length - length + 1);
        this.#bytes.copyWithin(to, at, at + length);
        return;
      }
      case 6:
        return this.#replace(at, at, choices.pick(this.#tokens));
      case 7:
        return this.#replaceToken(at);
      case 8:
        return this.#replaceNumber(at);
      case 9: {
        const from = choices.integer(other.length + 1);
        return this.#replace(at, at + length, other.subarray(from, from + this.#blockLength()));
      }
      case 10:
        this.#length = choices.once(8) ? at : this.#length; // all that follows is cut off
        return;
      case 11: {
        if (this.#length < 4) return;
        const view = new DataView(this.#bytes.buffer, Math.min(at, this.#length - 4), 4);
        return view.setUint32(0, choices.pick(EDGES), choices.once(2));
      }
      default:
        return this.#changeNested(at, other);
    }
  }

  #blockLength(): number {
    const most = this.#choices.pick(BLOCKS);
    return this.#choices.between(1, most);
  }

  /** Replaces a range by bytes; nothing is changed when it would be too long. */
  #replace(start: number, end: number, bytes: Uint8Array = NOTHING): void {
    const length = this.#length - (end - start) + bytes.length;
    if (length > this.#maxBytes) return;
    this.#bytes.copyWithin(start + bytes.length, end, this.#length);
    this.#bytes.set(bytes, start);
    this.#length = length;
  }

  /** Replaces a word of the format by another. */
  #replaceToken(from: number): void {
    for (let tries = 0; tries < 4; tries++) {
      const token = this.#choices.pick(this.#tokens);
      const at = token.length === 0 ? -1 : indexOf(this.#bytes, this.#length, token, from);
      if (at >= 0) return this.#replace(at, at + token.length, this.#choices.pick(this.#tokens));
    }
  }

  /** Replaces the digits from here on. */
  #replaceNumber(from: number): void {
    let start = from;
    while (start < this.#length && !isDigit(this.#bytes[start])) start++;
    let end = start;
    while (end < this.#length && isDigit(this.#bytes[end])) end++;
    if (start === end) return;
    const near = Number(encodeLatin(this.#bytes.subarray(start, Math.min(end, start + 15)))) +
      this.#choices.between(-2, 2);
    const text = this.#choices.once(2) ? String(near) : String(this.#choices.pick(NUMBERS));
    this.#replace(start, end, encoder.encode(text));
  }

  /** Leaves out, doubles, nests or replaces what is between brackets or quotes. */
  #changeNested(from: number, other: Uint8Array): void {
    const range = nestedFrom(this.#bytes, this.#length, from);
    if (range === undefined) return;
    const [start, end] = range;
    const part = this.#bytes.slice(start, end);
    switch (this.#choices.integer(6)) {
      case 0:
        return this.#replace(start, end);
      case 1:
        return this.#replace(end, end, Uint8Array.of(0x2c, ...part));
      case 2: {
        const depth = this.#choices.between(1, this.#choices.pick([1, 3, DEEPEST]));
        const isArray = this.#choices.once(2);
        const [open, close] = isArray ? ["[", "]"] : ['{"a":', "}"];
        this.#replace(start, end, encoder.encode(open.repeat(depth) + NEST + close.repeat(depth)));
        const inner = indexOf(this.#bytes, this.#length, NEST_BYTES, start);
        return inner < 0 ? undefined : this.#replace(inner, inner + 1, part);
      }
      case 3: {
        const taken = nestedFrom(other, other.length, this.#choices.integer(other.length + 1));
        return taken === undefined ? undefined : this.#replace(start, end, other.subarray(...taken));
      }
      case 4: {
        const second = nestedFrom(this.#bytes, this.#length, end);
        if (second === undefined) return;
        const later = this.#bytes.slice(...second);
        this.#replace(second[0], second[1], part);
        return this.#replace(start, end, later);
      }
      default: {
        const content = part.subarray(1, -1);
        const times = this.#choices.pick(REPEATS);
        if (content.length * times > this.#maxBytes) return;
        const repeated = new Uint8Array(content.length * times);
        for (let n = 0; n < times; n++) repeated.set(content, n * content.length);
        return this.#replace(start + 1, end - 1, repeated);
      }
    }
  }
}

const NOTHING = new Uint8Array();
const BLOCKS = [1, 2, 4, 16, 64, MAX_BLOCK];
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];
const NUMBERS = [
  0,
  1,
  9,
  10,
  16,
  64,
  65,
  127,
  128,
  255,
  256,
  1024,
  1025,
  65536,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
];
const REPEATS = [0, 2, 3, 100, 511, 512, 513];
/** Stands for the nested part; no valid text contains it. */
const NEST = "\x01";
const NEST_BYTES = encoder.encode(NEST);

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function encodeLatin(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** The index of some bytes at or after an index, or else anywhere; -1 when there are none. */
function indexOf(bytes: Uint8Array, length: number, wanted: Uint8Array, from: number): number {
  for (const start of [from, 0]) {
    for (let at = bytes.indexOf(wanted[0], start); at >= 0 && at + wanted.length <= length;) {
      if (wanted.every((byte, i) => bytes[at + i] === byte)) return at;
      at = bytes.indexOf(wanted[0], at + 1);
    }
  }
  return -1;
}

/** The first range at or after an index from an opening bracket or quote to the closing one. */
function nestedFrom(bytes: Uint8Array, length: number, from: number): [start: number, end: number] | undefined {
  let start = from;
  while (start < length && !OPEN.has(bytes[start])) start++;
  if (start >= length) return undefined;
  const [open, close] = [bytes[start], OPEN.get(bytes[start])!];
  let depth = 0;
  for (let at = start; at < length; at++) {
    if (open === QUOTE) {
      if (bytes[at] === BACKSLASH) at++;
      else if (bytes[at] === QUOTE && at > start) return [start, at + 1];
    } else if (bytes[at] === open) depth++;
    else if (bytes[at] === close && --depth === 0) return [start, at + 1];
  }
  return undefined;
}
