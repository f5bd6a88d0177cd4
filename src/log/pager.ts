/**
 * The forward pager over rows of `ops`: a page at a time, so that what is in memory does not grow with the log, and no
 * read transaction stays open between pages. `audit/reader.ts` is its counterpart for files that may be damaged.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import type { Parameter } from "../sqlite/query.ts";
import { damaged } from "../sqlite/failures.ts";

/** Rows after one `seq`, up to and including another. */
export interface SeqRange {
  /** The `seq` before the first. */
  after: number;
  /** The last. */
  upTo: number;
}

/** A query for one page. */
export interface PageQuery {
  /** Selects `seq`, `wire` and more, where `seq > ?1 AND seq <= ?2`, ordered by `seq`, `LIMIT ?3`. */
  sql: string;
  /** The values of `?4` and on. */
  parameters?: readonly Parameter[];
  /** Whether the order is descending. */
  reverse?: boolean;
  /** Whether every row of a range is selected: then it is damage when the last cannot be read. */
  isComplete?: boolean;
  /** The greatest number of rows, over all ranges. */
  limit?: number;
}

/** The number of rows of the first page; a page grows or shrinks until it holds about a megabyte of text. */
const FIRST_PAGE_ROWS = 64;
const MAX_PAGE_ROWS = 1024;
/** In UTF-16 code units. */
const PAGE_LENGTH = 1 << 20;

/**
 * Reads rows, page by page.
 *
 * @param connection The log's file.
 * @param query The query for one page.
 * @param ranges Where the rows are, in ascending order.
 * @param convert Converts a row.
 * @throws {FileError} `corrupt`.
 */
export function* readRows<Row extends [seq: number, wire: string, ...unknown[]], T>(
  connection: Connection,
  { sql, parameters = [], reverse = false, isComplete = false, limit = Number.MAX_SAFE_INTEGER }: PageQuery,
  ranges: readonly SeqRange[],
  convert: (row: Row) => T,
): Generator<T> {
  let rows = FIRST_PAGE_ROWS;
  for (let { after, upTo } of reverse ? ranges.toReversed() : ranges) {
    const end = upTo;
    while (limit > 0 && after < upTo) {
      const requested = Math.min(rows, limit);
      const page = connection.query(sql).values<Row>(after, upTo, requested, ...parameters);
      let length = 0;
      let before = reverse ? upTo + 1 : after;
      for (const row of page) {
        const [seq, wire] = row;
        // A b-tree that reaches a page twice would give rows without end.
        if (reverse ? seq >= before : seq <= before) throw damaged(connection.path, `seq ${seq} is out of order`);
        if (typeof wire !== "string") throw notText(connection.path, seq);
        before = seq;
        length += wire.length;
        yield convert(row);
      }
      limit -= page.length;
      if (page.length < requested) {
        if (isComplete && page.at(-1)?.[0] !== end) {
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

/** The error for a row whose wire text is not text. */
export function notText(path: string, seq: number): Error {
  return damaged(path, `the wire text at seq ${seq} is not text`);
}
