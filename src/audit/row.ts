/**
 * One row that is not plainly right: what is wrong with it.
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

/** What becomes of a row. */
export interface Judged {
  /** What is wrong; nothing when the row is right after all. */
  finding?: Finding;
  /** The operation, when its wire text is as it should be. */
  op?: Operation;
  /** Ids under which others may know the operation that stands here, or that stood here. */
  ids: string[];
}

const COLUMNS = ["op_id", "type", "author", "ts", "wire"] as const;
/** No column but the wire text is as long in a row that is right; one that is longer is not read whole. */
export const MAX_COLUMN_BYTES = 256;
const bytes = (name: string) =>
  name === "wire" ? "CAST(wire AS BLOB)" : `substr(CAST(${name} AS BLOB), 1, ${MAX_COLUMN_BYTES})`;
const SELECT = `SELECT ${COLUMNS.map((name) => `typeof(${name}), ${bytes(name)}`).join(", ")} ` +
  "FROM main.ops NOT INDEXED WHERE seq = ?";
const TYPES = { op_id: "text", type: "text", author: "text", ts: "integer" } as const;
const SHOWN = 100;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** Says what is wrong with the row at a `seq`. */
export function judgeRow(connection: Connection, seq: number): Judged {
  let values: unknown[] | undefined;
  try {
    values = connection.query(SELECT).value<unknown[]>(seq);
  } catch (error) {
    const said = damageOf(error);
    if (said === undefined) throw error;
    return { finding: { kind: "integrity", seq, message: `the row cannot be read: ${said}` }, ids: [] };
  }
  if (values === undefined) {
    return { finding: { kind: "integrity", seq, message: "the row is found in one way, and not in another" }, ids: [] };
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
    .map(([name, value]) => `${name} is ${shown(columns[name as keyof typeof TYPES])}, not ${value}`);
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

function shown({ type, bytes }: Column): string {
  if (type === "null") return "NULL";
  const text = lenient.decode(bytes.subarray(0, SHOWN));
  return (type === "text" ? JSON.stringify(text) : `the ${type} ${JSON.stringify(text)}`) +
    (bytes.length > SHOWN ? " and so on" : "");
}

function kindOf({ code }: OperationError): "bad-shape" | "bad-address" | "bad-signature" {
  return code === "bad-address" || code === "bad-signature" ? code : "bad-shape";
}
