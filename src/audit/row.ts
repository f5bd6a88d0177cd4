/**
 * Checks one row by itself, and describes the first thing that is wrong with it.
 *
 * @module
 */

import { OperationError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { isOpId } from "../wire/ids.ts";
import { addressOf } from "../wire/authentic.ts";
import { Operation } from "../wire/operation.ts";
import { damageOf } from "./damage.ts";
import type { Finding } from "./findings.ts";

/** The result for a row. */
export interface CheckedRow {
  /** What is wrong; undefined for a valid row. */
  finding?: Finding;
  /** The operation, when its wire text is valid. */
  op?: Operation;
  /** Ids by which other operations may refer to this row, now or before it was changed. */
  ids: string[];
}

const COLUMNS = ["op_id", "type", "author", "ts", "wire"] as const;
/** Limit of every column but the wire text in a valid row; of a longer one, only so much is read. */
export const MAX_COLUMN_BYTES = 256;
const bytes = (name: string) =>
  name === "wire" ? "CAST(wire AS BLOB)" : `substr(CAST(${name} AS BLOB), 1, ${MAX_COLUMN_BYTES})`;
const SELECT = `SELECT ${COLUMNS.map((name) => `typeof(${name}), ${bytes(name)}`).join(", ")} ` +
  "FROM main.ops NOT INDEXED WHERE seq = ?";
const TYPES = { op_id: "text", type: "text", author: "text", ts: "integer" } as const;
const MAX_QUOTED_BYTES = 100;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** Checks the row at a `seq`. */
export function checkRow(connection: Connection, seq: number): CheckedRow {
  let values: unknown[] | undefined;
  try {
    values = connection.query(SELECT).value<unknown[]>(seq);
  } catch (error) {
    const said = damageOf(error);
    if (said === undefined) throw error;
    return { finding: { kind: "integrity", seq, message: `the row cannot be read: ${said}` }, ids: [] };
  }
  if (values === undefined) {
    return { finding: { kind: "integrity", seq, message: "the row is found by a scan, and not by its seq" }, ids: [] };
  }
  const columns = Object.fromEntries(
    COLUMNS.map((name, i) => [name, { type: String(values[2 * i]), bytes: bytesOf(values[2 * i + 1]) }]),
  ) as Record<typeof COLUMNS[number], Column>;
  const named = lenient.decode(columns.op_id.bytes);
  const ids = isOpId(named) ? [named] : [];
  let op: Operation | undefined;
  try {
    op = Operation.parse(textOf(columns.wire));
    op.verify();
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const opId = op?.opId ?? error.opId ?? ids[0];
    if (op !== undefined) ids.push(op.opId, addressOf(columns.wire.bytes, op));
    return { finding: { kind: kindOf(error), seq, opId, message: error.message }, ids };
  }
  ids.push(op.opId);
  const differing = Object.entries({ op_id: op.opId, type: op.type, author: op.author, ts: String(op.ts) })
    .filter(([name, value]) => !holds(columns[name as keyof typeof TYPES], TYPES[name as keyof typeof TYPES], value))
    .map(([name, value]) => `${name} is ${quoted(columns[name as keyof typeof TYPES])}, not ${value}`);
  if (differing.length === 0) return { op, ids };
  const message = `beside the wire text of ${op.opId}, ${differing.join("; ")}`;
  return { finding: { kind: "column-differs", seq, opId: op.opId, message }, op, ids };
}

interface Column {
  type: string;
  bytes: Uint8Array;
}

function bytesOf(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array();
}

function textOf({ type, bytes }: Column): string {
  if (type !== "text") throw new OperationError("shape", `the wire text is of the type ${type}`);
  try {
    return strict.decode(bytes);
  } catch {
    throw new OperationError("shape", "the wire text is not UTF-8");
  }
}

function holds({ type, bytes }: Column, expectedType: string, expected: string): boolean {
  const wanted = encoder.encode(expected);
  return type === expectedType && bytes.length === wanted.length && bytes.every((byte, i) => byte === wanted[i]);
}

function quoted({ type, bytes }: Column): string {
  if (type === "null") return "NULL";
  const text = lenient.decode(bytes.subarray(0, MAX_QUOTED_BYTES));
  return (type === "text" ? JSON.stringify(text) : `the ${type} ${JSON.stringify(text)}`) +
    (bytes.length > MAX_QUOTED_BYTES ? " and so on" : "");
}

function kindOf({ code }: OperationError): "bad-shape" | "bad-address" | "bad-signature" {
  return code === "bad-address" || code === "bad-signature" ? code : "bad-shape";
}
