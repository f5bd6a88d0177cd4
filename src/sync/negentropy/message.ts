/**
 * The bytes of a message of Negentropy, version 1.
 *
 * ```text
 * message      0x61, then ranges; each begins where the one before it ends, the first at (0, no bytes)
 * range        upper bound, mode, payload; after the last range, all is skipped
 * bound        timestamp, length, that many first bytes of an id
 * timestamp    0: the end; else 1 + the difference from the timestamp of the bound before
 * mode         0 Skip: no payload
 *              1 Fingerprint: 16 bytes
 *              2 IdList: count, and as many ids of 32 bytes
 * ```
 *
 * Timestamps, lengths, modes and counts are varints: base 128, the most significant digit first, the high bit set on
 * all bytes but the last, no leading zero digit.
 *
 * @module
 */

import { enlarged } from "../../bytes.ts";
import { SyncError } from "../../errors.ts";
import { type Bound, compareBounds, compareBytes, END } from "./storage.ts";

/** The first byte of every message of version 1. */
export const VERSION = 0x61;
/** The length of an id, in bytes. */
export const ID_BYTES = 32;
/** The length of a fingerprint, in bytes. */
export const FINGERPRINT_BYTES = 16;

const SKIP = 0;
const FINGERPRINT = 1;
const ID_LIST = 2;

/** A range of a message, from the upper bound of the one before it. */
export type Range =
  | { readonly mode: "skip"; readonly upper: Bound }
  | { readonly mode: "fingerprint"; readonly upper: Bound; readonly fingerprint: Uint8Array }
  /** `ids` holds 32 bytes for each. */
  | { readonly mode: "ids"; readonly upper: Bound; readonly ids: Uint8Array };

/** The version of a message: its first byte. */
export function versionOf(message: Uint8Array): number {
  const [version] = message;
  if (version >= 0x60 && version <= 0x6f) return version;
  throw malformed("does not begin with a version");
}

/**
 * Decodes the ranges of a message of version 1. Their bytes are views of the message.
 *
 * @param message The message.
 * @param maxRanges The greatest number of ranges: each costs a search in the log.
 * @throws {SyncError} `bad-message`.
 */
export function decodeRanges(message: Uint8Array, maxRanges: number): Range[] {
  const reader = new Reader(message);
  const ranges: Range[] = [];
  let lower: Bound = { timestamp: 0, prefix: new Uint8Array() };
  while (!reader.isAtEnd) {
    if (ranges.length === maxRanges) throw malformed(`has more than ${maxRanges} ranges`);
    const upper = reader.bound(lower.timestamp);
    // Ranges that overlap would report the same ids again and again. An empty range is harmless.
    if (compareBounds(upper, lower) < 0) throw malformed("has bounds in descending order");
    ranges.push(reader.payload(lower, upper));
    lower = upper;
  }
  return ranges;
}

class Reader {
  readonly #message: Uint8Array;
  #at = 1;

  constructor(message: Uint8Array) {
    this.#message = message;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#message.length;
  }

  bound(before: number): Bound {
    const encoded = this.#varint();
    const length = this.#varint();
    if (length > ID_BYTES) throw malformed(`has a bound of ${length} bytes, where an id has ${ID_BYTES}`);
    if (encoded === 0) {
      if (length > 0) throw malformed("has a bound after the end");
      return END;
    }
    const timestamp = before + (encoded - 1);
    if (timestamp > Number.MAX_SAFE_INTEGER) throw malformed("has a bound after every time");
    return { timestamp, prefix: this.#bytes(length) };
  }

  payload(lower: Bound, upper: Bound): Range {
    const mode = this.#varint();
    if (mode === SKIP) return { mode: "skip", upper };
    if (mode === FINGERPRINT) return { mode: "fingerprint", upper, fingerprint: this.#bytes(FINGERPRINT_BYTES) };
    if (mode !== ID_LIST) throw malformed(`has a range of unknown mode ${mode}`);
    const ids = this.#bytes(this.#varint() * ID_BYTES);
    refuseOutside(ids, lower, upper);
    return { mode: "ids", upper, ids };
  }

  #bytes(length: number): Uint8Array {
    if (length > this.#message.length - this.#at) throw malformed("ends within a range");
    return this.#message.subarray(this.#at, this.#at += length);
  }

  #varint(): number {
    let value = 0;
    for (let first = true;; first = false) {
      if (this.isAtEnd) throw malformed("ends within a number");
      const byte = this.#message[this.#at++];
      if (first && byte === 0x80) throw malformed("has a number with a leading zero");
      value = value * 128 + (byte & 0x7f);
      if (value > Number.MAX_SAFE_INTEGER) throw malformed("has a number that is too large");
      if (byte < 0x80) return value;
    }
  }
}

/** Refuses ids that are not between two bounds. The time of an id is not known, so only bounds of one second tell. */
function refuseOutside(ids: Uint8Array, lower: Bound, upper: Bound): void {
  if (lower.timestamp !== upper.timestamp) return;
  for (let at = 0; at < ids.length; at += ID_BYTES) {
    const id = ids.subarray(at, at + ID_BYTES);
    if (compareBytes(id, lower.prefix) < 0 || compareBytes(id, upper.prefix) >= 0) {
      throw malformed("has an id outside of its range");
    }
  }
}

/** Writes a message of version 1. */
export class MessageWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;
  #timestamp = 0;

  /** Begins a message. */
  constructor() {
    this.#push(VERSION);
  }

  /** The number of bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** Adds a Skip. */
  skip(upper: Bound): void {
    this.#bound(upper);
    this.#push(SKIP);
  }

  /** Adds a Fingerprint. */
  fingerprint(upper: Bound, fingerprint: Uint8Array): void {
    this.#bound(upper);
    this.#push(FINGERPRINT);
    this.#append(fingerprint);
  }

  /** Adds an IdList. */
  ids(upper: Bound, ids: readonly Uint8Array[]): void {
    this.#bound(upper);
    this.#push(ID_LIST);
    this.#append(encodeVarint(ids.length));
    for (const id of ids) this.#append(id);
  }

  /** A function that removes all ranges that are added after this call. */
  mark(): () => void {
    const [length, timestamp] = [this.#length, this.#timestamp];
    return () => [this.#length, this.#timestamp] = [length, timestamp];
  }

  /** The message. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #bound({ timestamp, prefix }: Bound): void {
    this.#append(encodeVarint(timestamp === Infinity ? 0 : 1 + timestamp - this.#timestamp));
    this.#append(encodeVarint(prefix.length));
    this.#append(prefix);
    this.#timestamp = timestamp;
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #push(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  #reserve(length: number): void {
    this.#bytes = enlarged(this.#bytes, this.#length, this.#length + length);
  }
}

/** Encodes a number from 0 to 2^53-1. */
export function encodeVarint(value: number): Uint8Array {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift(0x80 | rest % 128);
  return Uint8Array.from(digits);
}

function malformed(what: string): SyncError {
  const message = `a message of the reconciliation ${what}; the peer does not follow the protocol`;
  return new SyncError("bad-message", message, { refusedBy: "this node" });
}
