/**
 * The fields of messages: integers, bytes and codes of fixed length.
 *
 * @module
 */

import { SyncError } from "../errors.ts";

const INTEGER_BYTES = 8;

/** The refusal of a peer that does not keep to the protocol. */
export function badMessage(what: string): SyncError {
  const message = `the peer does not keep to the protocol: ${what}; check that both run the same version`;
  return new SyncError("bad-message", message, { refusedBy: "this node" });
}

/** Reads the fields of a message, one after the other. */
export class Fields {
  readonly #kind: string;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #at = 1;

  /**
   * @param kind The kind of the message, for errors.
   * @param bytes The message. What is read are views of it.
   */
  constructor(kind: string, bytes: Uint8Array<ArrayBuffer>) {
    this.#kind = kind;
    this.#bytes = bytes;
  }

  /** Whether everything was read. */
  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** So many bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    if (this.#at + length > this.#bytes.length) throw badMessage(`${this.#kind} is too short`);
    return this.#bytes.subarray(this.#at, this.#at += length);
  }

  /** All bytes that are left. */
  rest(): Uint8Array<ArrayBuffer> {
    return this.bytes(this.#bytes.length - this.#at);
  }

  /** An integer of 8 bytes, at most 2^53-1. */
  integer(): number {
    const bytes = this.bytes(INTEGER_BYTES);
    const value = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0));
    if (!Number.isSafeInteger(value)) throw badMessage(`${this.#kind} has an integer above 2^53-1`);
    return value;
  }

  /** A byte of which only the bits in `mask` may be set. */
  flags(mask: number): number {
    const [flags] = this.bytes(1);
    if ((flags & ~mask) !== 0) throw badMessage(`${this.#kind} has flags that are not known`);
    return flags;
  }

  /** A byte that is an index in a list. */
  code<Code>(codes: readonly Code[]): Code {
    const [index] = this.bytes(1);
    if (index >= codes.length) throw badMessage(`${this.#kind} has a code that is not known`);
    return codes[index];
  }

  /** Refuses bytes that are left. */
  finish(): void {
    if (!this.isAtEnd) throw badMessage(`${this.#kind} is too long`);
  }
}

/** An integer as 8 bytes. */
export function integer(value: number): Uint8Array {
  const bytes = new Uint8Array(INTEGER_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** All parts as one. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
