/**
 * Checks a block of wire texts: all that can be checked of an operation without the log. Runs in workers.
 *
 * @module
 */

import { isUtf8 } from "node:buffer";
import { LogError, tooLarge } from "../errors.ts";
import { checkBody, isKnownType } from "../wire/bodies.ts";
import { HASH_BYTES } from "../bytes.ts";
import { bytesLeafHash } from "../log/leaf.ts";
import { failedCheck } from "../wire/authentic.ts";
import { bodyRange, type Tail } from "../wire/layout.ts";
import { Operation } from "../wire/operation.ts";
import { type Envelope, EnvelopeScanner } from "../wire/scan.ts";
import { TableBuilder } from "../log/records.ts";
import type { Block, ByteBlock } from "./blocks.ts";
import { decodeLine, eachLine } from "./lines.ts";

/** A refused operation. */
export interface Refusal {
  /** Its position in the source, from 1: the line number in a stream of bytes. */
  position: number;
  /** The code of the error, for programs. */
  code: LogError["code"];
  /** The message of the error, for people. */
  reason: string;
  /** The id in the text, where one could be read. */
  opId?: string;
}

/** The result of checking a block. Positions count from 1 within the block. */
export interface CheckedBlock {
  /** The number of positions, including blank lines. */
  positions: number;
  /** The bytes of the block. */
  bytes: Uint8Array<ArrayBuffer>;
  /** The ranges of the accepted operations in `bytes`, in the format of `records.ts`. */
  table: Uint8Array<ArrayBuffer>;
  /** The position of each accepted operation. */
  at: Uint32Array<ArrayBuffer>;
  /** The refused operations. */
  refusals: Refusal[];
}

const encoder = new TextEncoder();

/** Limits on operations beyond address and signature. */
export interface Limits {
  /** Limit of a wire text, in bytes. */
  maxBytes: number;
  /** Whether bodies of known types are checked, as appending requires. */
  bodies: boolean;
}

/** Checks every operation of a block. */
export function checkBlock(block: Block, limits: Limits): CheckedBlock {
  const checker = "texts" in block ? checkTexts(block.texts, limits) : checkLines(block, limits);
  return checker.finish();
}

function checkTexts(texts: string[], limits: Limits): BlockChecker {
  const buffer = new Uint8Array(texts.reduce((length, text) => length + 3 * text.length, 0));
  const ends: number[] = [];
  let length = 0;
  for (const text of texts) ends.push(length += encoder.encodeInto(text, buffer.subarray(length)).written);
  const checker = new BlockChecker(buffer.subarray(0, length), limits);
  texts.forEach((text, i) => checker.check(i + 1, i === 0 ? 0 : ends[i - 1], ends[i], text));
  return checker;
}

function checkLines({ bytes, table }: ByteBlock, limits: Limits): BlockChecker {
  const checker = new BlockChecker(bytes, limits, table);
  eachLine(bytes, (position, start, end) => checker.check(position, start, end));
  return checker;
}

class BlockChecker {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #limits: Limits;
  readonly #scanner?: EnvelopeScanner;
  readonly #table: TableBuilder;
  readonly #leaf = new Uint8Array(HASH_BYTES);
  #positions = 0;
  readonly #at: number[] = [];
  readonly #refusals: Refusal[] = [];

  constructor(bytes: Uint8Array<ArrayBuffer>, limits: Limits, table?: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
    this.#limits = limits;
    this.#table = new TableBuilder(table);
    if (isUtf8(bytes)) this.#scanner = new EnvelopeScanner(bytes);
  }

  /** Checks the text from `start` to `end`; a blank line is skipped. */
  check(position: number, start: number, end: number, text?: string): void {
    this.#positions = position;
    if (start === end && text === undefined) return;
    const { maxBytes, bodies } = this.#limits;
    try {
      if (end - start > maxBytes) throw tooLarge("the operation", maxBytes);
      const envelope = text === undefined || text.isWellFormed() ? this.#scanner?.scan(start, end) : undefined;
      if (envelope !== undefined && failedCheck(this.#bytes.subarray(start, end), envelope) === undefined) {
        if (bodies && isKnownType(envelope.type)) this.#checkBody(envelope, start, end);
        this.#accept(position, start, end, envelope);
        return;
      }
      // The fast path only accepts. This is slower, and throws the error that names the fault.
      const op = Operation.parse(text ?? decodeLine(this.#bytes.subarray(start, end)));
      op.verify();
      if (bodies) checkBody(op.type, op.body, op.opId);
      this.#accept(position, start, end, op);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      this.#refusals.push(refusal(position, error));
    }
  }

  finish(): CheckedBlock {
    return {
      positions: this.#positions,
      bytes: this.#bytes,
      table: this.#table.finish(),
      at: Uint32Array.from(this.#at),
      refusals: this.#refusals,
    };
  }

  #accept(position: number, start: number, end: number, tail: Tail): void {
    this.#table.add(start, end, tail, bytesLeafHash(this.#bytes.subarray(start, end), this.#leaf));
    this.#at.push(position);
  }

  #checkBody(envelope: Envelope, start: number, end: number): void {
    const { type, opId } = envelope;
    if (this.#scanner!.isBody(type, start)) return; // accepts most bodies without decoding them
    // Canonical, and no integer in it is so large that its rounding matters here.
    const [from, to] = bodyRange(end - start, envelope);
    checkBody(type, JSON.parse(decodeLine(this.#bytes.subarray(start + from, start + to))), opId);
  }
}

/** The refusal that an error makes. */
export function refusal(position: number, error: LogError): Refusal {
  const opId = "opId" in error && typeof error.opId === "string" ? { opId: error.opId } : {};
  return { position, code: error.code, reason: error.message, ...opId };
}
