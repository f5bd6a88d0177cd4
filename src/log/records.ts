/**
 * Many rows in one statement: calling native code costs more than inserting a row, so SQLite is given the wire texts of
 * a batch as the bytes they came in, and a table of the offsets at which each row's columns are.
 *
 * An entry of the table is, in ASCII, five integers of 10 digits: the offset of the wire text and its length; then, from
 * its start, the offsets of the values of `op_id`, `ts` and `type`. After them are the 32 bytes of its leaf hash.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { enlarged, HASH_BYTES } from "../bytes.ts";
import {
  AUTHOR_LENGTH,
  AUTHOR_OFFSET,
  layoutOf,
  OP_ID_LENGTH,
  prevRange,
  splitPrev,
  type Tail,
  TO_OP_ID,
  TO_TS,
  TS_TO_TYPE,
  TYPE_TO_END,
} from "../wire/layout.ts";

const DIGITS = 10;
const LEAF_AT = 5 * DIGITS;
const ENTRY = LEAF_AT + HASH_BYTES;

// A blob in a sum is read as the digits it holds.
const integer = (entry: string, n: number) => `substr(?2, ${entry} + ${1 + n * DIGITS}, ${DIGITS}) + 0`;
const integers = (entry: string) => [0, 1, 2, 3, 4].map((n) => integer(entry, n)).join(", ");
const text = (at: string, length: string | number) => `CAST(substr(?1, 1 + start + ${at}, ${length}) AS TEXT)`;

/** Inserts rows in their order: `?1` has the wire texts, `?2` the table, and `?3` is the length of the table. */
export const INSERT_RECORDS: string = `
  INSERT INTO ops (op_id, type, author, ts, wire)
  WITH RECURSIVE record (entry, start, length, op_id_at, ts_at, type_at) AS (
    SELECT 0, ${integers("0")}
    UNION ALL
    SELECT entry + ${ENTRY}, ${integers(`entry + ${ENTRY}`)} FROM record WHERE entry + ${ENTRY} < ?3
  )
  SELECT ${text("op_id_at", OP_ID_LENGTH)},
    ${text("type_at", `length - ${TYPE_TO_END} - type_at`)},
    ${text(`${AUTHOR_OFFSET}`, AUTHOR_LENGTH)},
    ${text("ts_at", `type_at - ${TS_TO_TYPE} - ts_at`)} + 0,
    ${text("0", "length")}
  FROM record`;

/** Wire texts, and the offsets of the columns of their rows. */
export interface Records {
  /** Holds the wire texts; there may be more between them. */
  bytes: Uint8Array;
  /** The table. */
  table: Uint8Array;
}

/** Makes the table for a run of bytes. */
export class TableBuilder {
  #table: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** @param memory Holds the table; there is more where that is too small. */
  constructor(memory: Uint8Array<ArrayBuffer> = new Uint8Array(512 * ENTRY)) {
    this.#table = memory;
  }

  /** Adds the operation whose wire text is from `start` to `end`, and its leaf hash. */
  add(start: number, end: number, tail: Tail, leaf: Uint8Array): void {
    this.#table = enlarged(this.#table, this.#length, this.#length + ENTRY);
    const length = end - start;
    const { opIdAt, tsAt } = layoutOf(length, tail);
    this.#put(start);
    this.#put(length);
    this.#put(opIdAt + TO_OP_ID);
    this.#put(tsAt + TO_TS);
    this.#put(length - TYPE_TO_END - tail.type.length);
    this.#table.set(leaf, this.#length);
    this.#length += HASH_BYTES;
  }

  /** The table. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#table.subarray(0, this.#length);
  }

  #put(integer: number): void {
    putDigits(this.#table, this.#length, integer);
    this.#length += DIGITS;
  }
}

function readInteger(digits: Uint8Array, start: number): number {
  let integer = 0;
  for (let at = start; at < start + DIGITS; at++) integer = 10 * integer + digits[at] - 0x30;
  return integer;
}

function putDigits(table: Uint8Array, start: number, integer: number): void {
  for (let at = start + DIGITS - 1; at >= start; at--) {
    table[at] = 0x30 + integer % 10;
    integer = Math.floor(integer / 10);
  }
}

/** The ids of the records, and what each follows. */
export function namesOf({ bytes, table }: Records): { opIds: string[]; prevs: string[][] } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const opIds: string[] = [];
  const prevs: string[][] = [];
  for (let at = 0; at < table.length; at += ENTRY) {
    const start = readInteger(table, at);
    const opIdAt = start + readInteger(table, at + 2 * DIGITS);
    const [prevAt, prevEnd] = prevRange(opIdAt, start + readInteger(table, at + 3 * DIGITS));
    opIds.push(buffer.toString("latin1", opIdAt, opIdAt + OP_ID_LENGTH));
    prevs.push(splitPrev(buffer.toString("latin1", prevAt, prevEnd)));
  }
  return { opIds, prevs };
}

/** The number of records. */
export function countOf({ table }: Records): number {
  return table.length / ENTRY;
}

/** The leaf hash of one of the records. */
export function leafOf({ table }: Records, index: number): Uint8Array {
  return table.subarray(index * ENTRY + LEAF_AT, (index + 1) * ENTRY);
}

/**
 * What the columns of the records' rows hold, each as a line: id, type, author and time, and how many bytes the wire
 * text has.
 */
export function linesOf({ bytes, table }: Records): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lines: string[] = [];
  for (let at = 0; at < table.length; at += ENTRY) {
    const [start, length, opIdAt, tsAt, typeAt] = [0, 1, 2, 3, 4].map((n) => readInteger(table, at + n * DIGITS));
    const text = (from: number, to: number) => buffer.toString("latin1", start + from, start + to);
    const [opId, type] = [text(opIdAt, opIdAt + OP_ID_LENGTH), text(typeAt, length - TYPE_TO_END)];
    const [author, ts] = [text(AUTHOR_OFFSET, AUTHOR_OFFSET + AUTHOR_LENGTH), text(tsAt, typeAt - TS_TO_TYPE)];
    lines.push(`${opId} ${type} ${author} ${ts} ${length}`);
  }
  return lines;
}

/** The records of the given indexes. */
export function selectRecords({ bytes, table }: Records, indexes: readonly number[]): Records {
  if (indexes.length * ENTRY === table.length) return { bytes, table };
  const selected = new Uint8Array(indexes.length * ENTRY);
  indexes.forEach((index, i) => selected.set(table.subarray(index * ENTRY, (index + 1) * ENTRY), i * ENTRY));
  return { bytes, table: selected };
}

/** A copy of one of the records, by itself. */
export function copyRecord({ bytes, table }: Records, index: number): Records {
  const entry = table.slice(index * ENTRY, (index + 1) * ENTRY);
  const start = readInteger(entry, 0);
  const length = readInteger(entry, DIGITS);
  putDigits(entry, 0, 0);
  return { bytes: bytes.slice(start, start + length), table: entry };
}

/** Joins records: copies of their texts, and their tables, one after the other. The memory is used again. */
export class RecordBuffer {
  #bytes = new Uint8Array();
  #table = new Uint8Array();
  #length = 0;
  /** Where the table of each part ends. */
  #ends: number[] = [];

  /** Adds records, as one part. Parts and the whole are valid until the next call. */
  add({ bytes, table }: Records): void {
    const start = this.#end;
    const end = start + table.length;
    this.#bytes = enlarged(this.#bytes, this.#length, this.#length + bytes.length);
    this.#table = enlarged(this.#table, start, end);
    this.#bytes.set(bytes, this.#length);
    this.#table.set(table, start);
    for (let at = start; at < end; at += ENTRY) {
      putDigits(this.#table, at, this.#length + readInteger(this.#table, at));
    }
    this.#length += bytes.length;
    this.#ends.push(end);
  }

  /** The length of the texts, in bytes. */
  get length(): number {
    return this.#length;
  }

  /** All records. */
  get whole(): Records {
    return { bytes: this.#bytes.subarray(0, this.#length), table: this.#table.subarray(0, this.#end) };
  }

  /** The parts, in their order. */
  get parts(): Records[] {
    const bytes = this.#bytes.subarray(0, this.#length);
    return this.#ends.map((end, i) => ({
      bytes,
      table: this.#table.subarray(this.#ends[i - 1] ?? 0, end),
    }));
  }

  /** Removes all records. */
  clear(): void {
    this.#length = 0;
    this.#ends = [];
  }

  get #end(): number {
    return this.#ends.at(-1) ?? 0;
  }
}
