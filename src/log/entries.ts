/**
 * Reading operations in `seq` order, a page at a time: what is in memory does not grow with the log, and no read
 * transaction stays open between pages, so that appending goes on meanwhile.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import type { Parameter } from "../sqlite/query.ts";
import { damaged } from "../sqlite/failures.ts";

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
  /** At most so many. */
  limit?: number;
  /** Newest first. */
  reverse?: boolean;
}

/** Rows after one `seq`, up to and with another. */
export interface SeqRange {
  /** The `seq` before the first. */
  after: number;
  /** The last. */
  upTo: number;
}

/** A page starts at so many rows, and grows or shrinks until it holds about a megabyte of text. */
const FIRST_PAGE_ROWS = 64;
const MAX_PAGE_ROWS = 1024;
const PAGE_LENGTH = 1 << 20;

/** Up to so many types or authors are read through their index, each in order, and merged; more are scanned for. */
const MAX_PARTS = 50;

/**
 * Reads the rows that `options` ask for, as they are at the call: what is appended later is not among them.
 *
 * @param connection The log's file.
 * @param options Which rows, and in which order.
 * @param decode Makes what is wanted of a row, from its `seq` and its wire text.
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
  requireInteger("sinceSeq", sinceSeq, 0);
  requireInteger("limit", limit, 0);
  requireInteger("fromTs", fromTs, 0);
  requireInteger("untilTs", untilTs, 0);
  // Rows are only ever added, at the end: the last seq at the call is a snapshot.
  const ranges = parts.map((part) => ({ after: Math.max(sinceSeq, part.after), upTo: Math.min(upTo, part.upTo) }));
  return pages(connection, filter(options), { ranges, limit, reverse }, decode);
}

/** The greatest `seq`; 0 in an empty log. */
export function lastSeq(connection: Connection): number {
  return connection.query("SELECT coalesce(max(seq), 0) FROM ops").value<[number]>()![0];
}

/** The id of the operation with the greatest `seq`; undefined in an empty log. */
export function lastOpId(connection: Connection): string | undefined {
  return connection.query("SELECT op_id FROM ops ORDER BY seq DESC LIMIT 1").value<[string]>()?.[0];
}

/** The `seq` of an operation; undefined when the log does not hold it. */
export function seqOf(connection: Connection, opId: string): number | undefined {
  return connection.query("SELECT seq FROM ops WHERE op_id = ?").value<[number]>(opId)?.[0];
}

/** The `seq` and the wire text of an operation; undefined when the log does not hold it. */
export function rowOf(connection: Connection, opId: string): [seq: number, wire: string] | undefined {
  return connection.query("SELECT seq, wire FROM ops WHERE op_id = ?").value(opId);
}

/** What operations name that does not stand before them among these. */
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

/** Refuses what is no text. */
export function requireText(name: string, value: unknown): asserts value is string {
  if (typeof value !== "string") throw new LogError("invalid-argument", `${name} must be a text, a string`);
}

/** Refuses what is no object, of options or of a draft. */
export function requireObject(name: string, value: unknown): asserts value is object {
  if (typeof value !== "object" || value === null) throw new LogError("invalid-argument", `${name} must be an object`);
}

/** Refuses what is no function, where there is one. */
export function requireCallback(name: string, value: unknown): void {
  if (value === undefined || typeof value === "function") return;
  throw new LogError("invalid-argument", `${name} must be a function`);
}

function* pages<T>(
  connection: Connection,
  filter: Filter,
  { ranges, limit, reverse }: { ranges: readonly SeqRange[]; limit: number; reverse: boolean },
  decode: (seq: number, wire: string) => T,
): Generator<T> {
  if (filter.parts.length === 0) return;
  const sql = pageSql(filter, reverse);
  let rows = FIRST_PAGE_ROWS;
  for (let { after, upTo } of reverse ? ranges.toReversed() : ranges) {
    const end = upTo;
    while (limit > 0 && after < upTo) {
      const asked = Math.min(rows, limit);
      const page = connection.query(sql).values<[number, string]>(after, upTo, asked, ...filter.parameters);
      let length = 0;
      for (const [seq, wire] of page) {
        if (typeof wire !== "string") throw damaged(connection.path, `what stands at seq ${seq} is no text`);
        length += wire.length;
        yield decode(seq, wire);
      }
      limit -= page.length;
      if (page.length < asked) {
        if (filter.whole && !reverse && page.at(-1)?.[0] !== end) {
          throw damaged(connection.path, `rows before seq ${end} cannot be read`);
        }
        break;
      }
      const [lastSeq] = page[page.length - 1];
      if (reverse) upTo = lastSeq - 1;
      else after = lastSeq;
      rows = Math.max(1, Math.min(MAX_PAGE_ROWS, 2 * rows, Math.floor(rows * PAGE_LENGTH / length)));
    }
  }
}

/** Conditions of which a row meets one, each served by one index in `seq` order. */
interface Filter {
  /** Whether every row is wanted. */
  whole: boolean;
  parts: string[];
  /** What `?4` and on stand for; `?1` to `?3` are the range and the limit. */
  parameters: Parameter[];
}

function filter({ types, authors, fromTs, untilTs }: EntriesOptions): Filter {
  const parameters: Parameter[] = [];
  const place = (value: Parameter) => `?${3 + parameters.push(value)}`;
  const columns = [["type", types], ["author", authors]] as const;
  const wanted = columns.flatMap(([column, values]) => values === undefined ? [] : [{ column, list: unique(values) }]);
  const indexed = wanted.find(({ list }) => list.length <= MAX_PARTS);
  // The unary + keeps SQLite from an index whose rows it would have to sort.
  const rest = wanted.filter((column) => column !== indexed)
    .map(({ column, list }) => ` AND +${column} IN (SELECT value FROM json_each(${place(JSON.stringify(list))}))`);
  if (fromTs !== undefined) rest.push(` AND ts >= ${place(fromTs)}`);
  if (untilTs !== undefined) rest.push(` AND ts < ${place(untilTs)}`);
  if (indexed === undefined) return { whole: rest.length === 0, parts: ["true" + rest.join("")], parameters };
  const parts = indexed.list.map((value) => `${indexed.column} = ${place(value)}${rest.join("")}`);
  return { whole: false, parts, parameters };
}

function unique(values: Iterable<string>): string[] {
  if (typeof values === "string") {
    throw new LogError("invalid-argument", `types and authors are lists; put ${JSON.stringify(values)} into one`);
  }
  const list = isIterable(values) ? [...new Set(values)] : undefined;
  if (list?.every((value) => typeof value === "string")) return list;
  throw new LogError("invalid-argument", "types and authors are lists of texts");
}

/** Whether a value can be iterated over: no text, whose characters nobody means. */
export function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}

function pageSql({ parts }: Filter, reverse: boolean): string {
  const selects = parts.map((part) => `SELECT seq, wire FROM ops WHERE seq > ?1 AND seq <= ?2 AND ${part}`);
  return `${selects.join(" UNION ALL ")} ORDER BY seq${reverse ? " DESC" : ""} LIMIT ?3`;
}
