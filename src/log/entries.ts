/**
 * Reading operations in `seq` order, while appending goes on.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import type { Parameter } from "../sqlite/query.ts";
import { damaged } from "../sqlite/failures.ts";
import { readRows, type SeqRange } from "./pager.ts";

/** Which operations to read, and in which order. */
export interface EntriesOptions {
  /** Only operations of these types. */
  types?: Iterable<string>;
  /** Only operations by these authors. */
  authors?: Iterable<string>;
  /** Only operations whose `ts` is this or greater, in Unix milliseconds. */
  fromTs?: number;
  /** Only operations whose `ts` is less, in Unix milliseconds. */
  untilTs?: number;
  /** Only operations after this `seq`. */
  sinceSeq?: number;
  /** Only operations before this `seq`; with `reverse`, the next page of a list that is read newest first. */
  beforeSeq?: number;
  /** The greatest number of operations. */
  limit?: number;
  /** Newest first. */
  reverse?: boolean;
}

/** Up to this many types or authors are each read through their index and merged; for more, the log is scanned. */
const MAX_INDEXED = 50;

/**
 * Reads the rows that `options` ask for, as they are at the call: what is appended later is not among them.
 *
 * @param connection The log's file.
 * @param options Which rows, and in which order.
 * @param decode Converts a row, from its `seq` and its wire text.
 * @param upTo The last `seq` to read: that of the log at the call, by default.
 * @param parts Where the rows are, in ascending order; anywhere by default.
 * @throws {LogError} `invalid-argument`.
 */
export function readEntries<T>(
  connection: Connection,
  options: EntriesOptions,
  decode: (seq: number, wire: string) => T,
  upTo: number = lastSeq(connection),
  parts: readonly SeqRange[] = [{ after: 0, upTo }],
): Generator<T> {
  requireObject("options", options);
  const { sinceSeq = 0, limit = Number.MAX_SAFE_INTEGER, reverse = false, fromTs = 0, untilTs = 0 } = options;
  const { beforeSeq = Number.MAX_SAFE_INTEGER } = options;
  requireInteger("sinceSeq", sinceSeq, 0);
  requireInteger("beforeSeq", beforeSeq, 0);
  requireInteger("limit", limit, 0);
  requireInteger("fromTs", fromTs, 0);
  requireInteger("untilTs", untilTs, 0);
  // Rows are only ever added, at the end: the last seq at the call is a snapshot.
  const last = Math.min(upTo, beforeSeq - 1);
  const ranges = parts.map((part) => ({ after: Math.max(sinceSeq, part.after), upTo: Math.min(last, part.upTo) }));
  const { conditions, parameters, ...filter } = filterOf(options);
  const isComplete = filter.isComplete && !reverse && last === upTo; // of the last seq it is known that it has a row
  const query = { sql: pageSql(conditions, reverse), parameters, reverse, limit, isComplete };
  return readRows(connection, query, conditions.length === 0 ? [] : ranges, ([seq, wire]) => decode(seq, wire));
}

/** The greatest `seq`; 0 in an empty log. */
export function lastSeq(connection: Connection): number {
  return connection.query("SELECT coalesce(max(seq), 0) FROM ops").value<[number]>()![0];
}

/** The size of the database, in bytes. */
export function countBytes(connection: Connection): number {
  return connection.query("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
    .value<[number]>()![0];
}

/**
 * The id of the operation with the greatest `seq`; undefined in an empty log.
 *
 * @throws {FileError} `corrupt` when it is not text.
 */
export function lastOpId(connection: Connection): string | undefined {
  const [id] = connection.query("SELECT op_id FROM ops ORDER BY seq DESC LIMIT 1").value<[unknown]>() ?? [];
  if (id === undefined || typeof id === "string") return id;
  throw damaged(connection.path, "the id of its last operation is not text");
}

/** The `seq` of an operation; undefined when the log does not hold it. */
export function seqOf(connection: Connection, opId: string): number | undefined {
  return connection.query("SELECT seq FROM ops WHERE op_id = ?").value<[number]>(opId)?.[0];
}

/** The id of the operation at a `seq`, which may be null; undefined when the log holds none. */
export function opIdAt(connection: Connection, seq: number | null): string | undefined {
  return connection.query("SELECT op_id FROM ops WHERE seq = ?").value<[string]>(seq)?.[0];
}

/** The `seq` and the wire text of an operation; undefined when the log does not hold it. */
export function rowOf(connection: Connection, opId: string): [seq: number, wire: string] | undefined {
  return connection.query("SELECT seq, wire FROM ops WHERE op_id = ?").value(opId);
}

/** The ids that operations name in `prev` and that are not among those before them. */
export function namedOutside(links: Iterable<{ opId: string; prev: readonly string[] }>): Set<string> {
  const seen = new Set<string>();
  const named = new Set<string>();
  for (const { opId, prev } of links) {
    for (const id of prev) if (!seen.has(id)) named.add(id);
    seen.add(opId);
  }
  return named;
}

/** Refuses an option that is not an integer, or is less than it may be. */
export function requireInteger(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new LogError("invalid-argument", `${name} must be an integer of at least ${least}; it is ${String(value)}`);
  }
}

/** Refuses what is not a text. */
export function requireText(name: string, value: unknown): asserts value is string {
  if (typeof value !== "string") throw new LogError("invalid-argument", `${name} must be a text, a string`);
}

/** Refuses what is not an object, of options or of a draft. */
export function requireObject(name: string, value: unknown): asserts value is object {
  if (typeof value !== "object" || value === null) throw new LogError("invalid-argument", `${name} must be an object`);
}

/** Refuses what is neither a function nor undefined. */
export function requireCallback(name: string, value: unknown): void {
  if (value === undefined || typeof value === "function") return;
  throw new LogError("invalid-argument", `${name} must be a function`);
}

/** Conditions, one of which a selected row meets, each served by one index in `seq` order. */
interface Filter {
  conditions: string[];
  /** The values of `?4` and on; `?1` to `?3` are the range and the limit. */
  parameters: Parameter[];
  /** Whether every row is selected. */
  isComplete: boolean;
}

function filterOf({ types, authors, fromTs, untilTs }: EntriesOptions): Filter {
  const parameters: Parameter[] = [];
  const place = (value: Parameter) => `?${3 + parameters.push(value)}`;
  const columns = [["type", types], ["author", authors]] as const;
  const given = columns.flatMap(([column, values]) =>
    values === undefined ? [] : [{ column, list: distinctTexts(values) }]
  );
  const indexed = given.find(({ list }) => list.length <= MAX_INDEXED);
  // The unary + keeps SQLite from an index whose rows it would have to sort.
  const rest = given.filter((column) => column !== indexed)
    .map(({ column, list }) => ` AND +${column} IN (SELECT value FROM json_each(${place(JSON.stringify(list))}))`);
  if (fromTs !== undefined) rest.push(` AND ts >= ${place(fromTs)}`);
  if (untilTs !== undefined) rest.push(` AND ts < ${place(untilTs)}`);
  if (indexed === undefined) return { conditions: ["true" + rest.join("")], parameters, isComplete: rest.length === 0 };
  const conditions = indexed.list.map((value) => `${indexed.column} = ${place(value)}${rest.join("")}`);
  return { conditions, parameters, isComplete: false };
}

/**
 * The different texts of a list of types or authors.
 *
 * @throws {LogError} `invalid-argument`.
 */
export function distinctTexts(values: Iterable<string>): string[] {
  if (typeof values === "string") {
    throw new LogError("invalid-argument", `types and authors are lists; put ${JSON.stringify(values)} into one`);
  }
  const list = isIterable(values) ? [...new Set(values)] : undefined;
  if (list?.every((value) => typeof value === "string")) return list;
  throw new LogError("invalid-argument", "types and authors are lists of texts");
}

/** Whether a value is iterable and not a text, whose characters are never meant. */
export function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}

function pageSql(conditions: string[], reverse: boolean): string {
  const selects = conditions.map((condition) =>
    `SELECT seq, wire FROM ops WHERE seq > ?1 AND seq <= ?2 AND ${condition}`
  );
  return `${selects.join(" UNION ALL ")} ORDER BY seq${reverse ? " DESC" : ""} LIMIT ?3`;
}
