/**
 * Many rows in one parameter: calling native code costs more than inserting a row, so a batch is handed to SQLite as
 * one run of bytes, which a single statement takes apart.
 *
 * A record is, in ASCII: its length (10 digits), the length of its type (3), its `ts` (16), `op_id` (67), `author` (68);
 * then its type and its wire text.
 *
 * @module
 */

const LENGTH = 10;
const TYPE_LENGTH = 3;
const TS = 16;
const OP_ID = 67;
const AUTHOR = 68;
const HEADER = LENGTH + TYPE_LENGTH + TS + OP_ID + AUTHOR;

const text = (at: string, length: string | number) => `CAST(substr(?1, ${at}, ${length}) AS TEXT)`;
const integer = (at: string, length: number) => `CAST(${text(at, length)} AS INTEGER)`;

/** Inserts the records in `?1`, which has `?2` bytes, in their order. */
export const INSERT_RECORDS: string = `
  INSERT INTO ops (op_id, type, author, ts, wire)
  WITH RECURSIVE record (at, length, type_length) AS (
    SELECT 1, ${integer("1", LENGTH)}, ${integer(`${1 + LENGTH}`, TYPE_LENGTH)}
    UNION ALL
    SELECT at + length, ${integer("at + length", LENGTH)}, ${integer(`at + length + ${LENGTH}`, TYPE_LENGTH)}
    FROM record WHERE at + length <= ?2
  )
  SELECT ${text(`at + ${LENGTH + TYPE_LENGTH + TS}`, OP_ID)},
    ${text(`at + ${HEADER}`, "type_length")},
    ${text(`at + ${HEADER - AUTHOR}`, AUTHOR)},
    ${integer(`at + ${LENGTH + TYPE_LENGTH}`, TS)},
    ${text(`at + ${HEADER} + type_length`, `length - ${HEADER} - type_length`)}
  FROM record`;

/** The columns of a row, but for its wire text. */
export interface Row {
  /** The content address. */
  opId: string;
  /** Lower-case words joined by dots. */
  type: string;
  /** `mnk_` and the public key. */
  author: string;
  /** Unix milliseconds. */
  ts: number;
}

const encoder = new TextEncoder();

/** Records one behind another. */
export class RecordsBuilder {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;
  readonly #ends: number[] = [];

  /** @param capacity How many bytes there will be, about. */
  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Adds a record. */
  add({ opId, type, author, ts }: Row, wire: Uint8Array): void {
    const length = HEADER + type.length + wire.length;
    this.#reserve(length);
    const header = String(length).padStart(LENGTH, "0") + String(type.length).padStart(TYPE_LENGTH, "0") +
      String(ts).padStart(TS, "0") + opId + author + type;
    encoder.encodeInto(header, this.#bytes.subarray(this.#length));
    this.#bytes.set(wire, this.#length + header.length);
    this.#ends.push(this.#length += length);
  }

  /** The records, and where each ends. */
  finish(): { records: Uint8Array<ArrayBuffer>; ends: Uint32Array<ArrayBuffer> } {
    // What was reserved and not used is not sent along.
    const records = new Uint8Array(this.#bytes.buffer.transferToFixedLength(this.#length));
    return { records, ends: Uint32Array.from(this.#ends) };
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#length + length, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** Those of the records whose index is wanted. */
export function selectRecords(records: Uint8Array, ends: Uint32Array, wanted: readonly number[]): Uint8Array {
  if (wanted.length === ends.length) return records;
  return joinRecords(wanted.map((index) => records.subarray(index === 0 ? 0 : ends[index - 1], ends[index]))).records;
}

/** Single records, one behind another, and where each ends. */
export function joinRecords(parts: readonly Uint8Array[]): { records: Uint8Array; ends: Uint32Array } {
  const ends = new Uint32Array(parts.length);
  let length = 0;
  parts.forEach((part, i) => ends[i] = length += part.length);
  const records = new Uint8Array(length);
  parts.forEach((part, i) => records.set(part, ends[i] - part.length));
  return { records, ends };
}
