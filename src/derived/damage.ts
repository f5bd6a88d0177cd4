/**
 * Reads derived tables, which may be damaged: whatever a replay would not have written is reported as one error, which
 * says that a rebuild repairs it.
 *
 * @module
 */

import { FileError, LogError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import type { Parameter } from "../sqlite/query.ts";
import { isOpId } from "../wire/ids.ts";

/** The end of the message of every such error. */
export const REBUILD_ADVICE = "; rebuild it with log.rebuild()";

/** SQLite's messages when rows do not fit what is derived from the same operations. */
const MISFIT = /constraint failed|datatype mismatch|malformed JSON|no such (?:table|column)|has no column|may not be/;

/** The error for a derived table with contents that a replay would not have written. */
export function derivedDamaged({ path }: Connection, what: string, options?: ErrorOptions): FileError {
  const message = `what is derived from the operations of ${path} is damaged: ${what}${REBUILD_ADVICE}`;
  return new FileError("derived-damaged", path, message, options);
}

/** Translates an error that was thrown while derived tables were read and written: damage, unless it has another meaning. */
export function misfit(connection: Connection, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Deno.errors.NotCapable) return error;
  const reason = error instanceof LogError ? error.cause : error;
  if (error instanceof LogError && !(reason instanceof Error && MISFIT.test(reason.message))) return error;
  return derivedDamaged(connection, (reason as Error).message, { cause: error });
}

/** What a column may hold; `any` is for columns that are not derived. */
interface Kinds {
  integer: number;
  "integer?": number | null;
  text: string;
  "op-id": string;
  bytes: Uint8Array;
  any: unknown;
}

type Kind = keyof Kinds;
type Row<Columns extends readonly Kind[]> = { -readonly [i in keyof Columns]: Kinds[Columns[i]] };

const CHECKS: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  integer: Number.isSafeInteger,
  "integer?": (value) => value === null || Number.isSafeInteger(value),
  text: (value) => typeof value === "string",
  "op-id": (value) => typeof value === "string" && isOpId(value),
  bytes: (value) => value instanceof Uint8Array,
  any: () => true,
};

/**
 * Checks a value of a derived column.
 *
 * @throws {FileError} `derived-damaged` when it is of another kind.
 */
export function requireKind<K extends Kind>(
  connection: Connection,
  kind: K,
  value: unknown,
): asserts value is Kinds[K] {
  if (CHECKS[kind](value)) return;
  throw derivedDamaged(connection, `a column of kind ${kind} holds ${describe(value)}`);
}

/**
 * The rows of a query over derived tables.
 *
 * @param connection The log's file.
 * @param sql The query.
 * @param columns What each column holds.
 * @throws {FileError} `derived-damaged` when one holds something else.
 */
export function derivedRows<const Columns extends readonly Kind[]>(
  connection: Connection,
  sql: string,
  columns: Columns,
  ...parameters: Parameter[]
): Row<Columns>[] {
  const rows = connection.query(sql).values(...parameters);
  for (const row of rows) {
    for (let i = 0; i < columns.length; i++) requireKind(connection, columns[i], row[i]);
  }
  return rows as Row<Columns>[];
}

/** The first row of a query over derived tables. */
export function derivedRow<const Columns extends readonly Kind[]>(
  connection: Connection,
  sql: string,
  columns: Columns,
  ...parameters: Parameter[]
): Row<Columns> | undefined {
  return derivedRows(connection, sql, columns, ...parameters)[0];
}

/**
 * The integers of a comma-separated list.
 *
 * @throws {FileError} `derived-damaged` when it is something else.
 */
export function derivedIntegers(connection: Connection, list: unknown): number[] {
  const integers = typeof list === "string" ? list.split(",").map(Number) : [NaN];
  if (!integers.every(Number.isSafeInteger)) {
    throw derivedDamaged(connection, "a list of integers holds something else");
  }
  return integers;
}

function describe(value: unknown): string {
  if (value === null) return "NULL";
  return value instanceof Uint8Array ? "a blob" : typeof value === "string" ? "a text" : `the number ${value}`;
}
