/**
 * Rows of `sqlite_schema` as they are stored (sqlite.org/fileformat2.html, sections 2.1 and 2.6).
 *
 * @module
 */

import type { SchemaObject } from "../log/objects.ts";
import { lowerCase } from "../sqlite/sql.ts";

/** A row of `sqlite_schema`. */
export interface SchemaRow {
  /** The object. */
  object: SchemaObject;
  /** The root page of its b-tree; 0 when it has none, undefined when the value is not a page number. */
  root: number | undefined;
}

/** The encodings of texts, by the number in the header of the file. */
const ENCODINGS: Record<number, string> = { 2: "utf-16le", 3: "utf-16be" };
/** How many bytes an integer has, by its serial type; types 8 and 9 are the integers 0 and 1 themselves. */
const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];

/**
 * Reads a row: type, name, tbl_name, rootpage, sql.
 *
 * @param payload The content of the row.
 * @param encoding The number of the encoding of texts.
 * @returns Undefined when it is damaged.
 */
export function readSchemaRow(payload: Uint8Array, encoding: number): SchemaRow | undefined {
  const decoder = new TextDecoder(ENCODINGS[encoding] ?? "utf-8");
  const header = readVarint(payload, 0);
  const types: number[] = [];
  for (let at = header.next; at < header.value && types.length < 5;) {
    const { value, next } = readVarint(payload, at);
    types.push(value);
    at = next;
  }
  if (types.length < 5) return undefined;
  let at = header.value;
  const values = types.map((type) => {
    const start = at;
    at += type >= 12 ? (type - type % 2 - 12) / 2 : INTEGER_BYTES[type] ?? 0;
    return { type, bytes: payload.subarray(start, at) };
  });
  if (at > payload.length) return undefined;
  const textOf = ({ type, bytes }: Value) => type >= 13 && type % 2 === 1 ? decoder.decode(bytes) : undefined;
  const [type, name, table, root, sql] = values;
  const object = {
    type: lowerCase(textOf(type) ?? ""),
    name: lowerCase(textOf(name) ?? ""),
    table: lowerCase(textOf(table) ?? ""),
    sql: textOf(sql) ?? null,
  };
  return { object, root: rootOf(root) };
}

interface Value {
  type: number;
  bytes: Uint8Array;
}

function rootOf({ type, bytes }: Value): number | undefined {
  if (type === 0) return 0; // NULL
  if (type >= 7) return type === 8 || type === 9 ? type - 8 : undefined;
  const value = bytes.reduce((sum, byte, i) => 256 * sum + (i === 0 && byte > 127 ? byte - 256 : byte), 0);
  return value >= 0 ? value : undefined;
}

function readVarint(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  for (let n = 0; n < 8; n++) {
    const byte = bytes[at + n] ?? 0;
    value = 128 * value + (byte & 0x7f);
    if (byte < 0x80) return { value, next: at + n + 1 };
  }
  return { value: 256 * value + (bytes[at + 8] ?? 0), next: at + 9 };
}
