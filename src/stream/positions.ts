/**
 * How far a stream was read, and which operations of the log were read in it; stored in the log's file, in the
 * transactions that append the operations.
 *
 * @module
 */

import { FileError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import type { SeqRange } from "../log/pager.ts";
import { lastSeq } from "../log/entries.ts";
import { ensureStreamTables } from "../derived/stream_tables.ts";

/** The position in a stream. */
export interface Position {
  /** The stream's time of creation. */
  readonly created: string;
  /** The sequence number of the last message that was read; 0 before the first. */
  readonly seq: number;
  /** Identifies that message: the time at which the server stored it. */
  readonly stamp: string;
  /** The sequence numbers of messages up to it whose operations wait for a parent. */
  readonly waiting: readonly number[];
}

/** Limit of operations that wait for a parent. */
export const MAX_WAITING = 10_000;

const SELECT = "SELECT created, seq, stamp, waiting FROM mnema_streams WHERE stream = ?";
const UPSERT = "INSERT OR REPLACE INTO mnema_streams (stream, created, seq, stamp, waiting) VALUES (?, ?, ?, ?, ?)";
const UPDATE = "UPDATE mnema_streams SET seq = ?, stamp = ?, waiting = ? WHERE stream = ? AND created = ?";
const DELETE_RANGES = "DELETE FROM mnema_stream_ranges WHERE stream = ?";
/** The last range that begins at a `seq` or before it. */
const SELECT_BEFORE = "SELECT first, last FROM mnema_stream_ranges WHERE stream = ? AND first <= ? " +
  "ORDER BY first DESC LIMIT 1";
const SELECT_AFTER = "SELECT first, last FROM mnema_stream_ranges WHERE stream = ? AND first > ? " +
  "ORDER BY first LIMIT 1";
const DELETE_RANGE = "DELETE FROM mnema_stream_ranges WHERE stream = ? AND first = ?";
const INSERT_RANGE = "INSERT INTO mnema_stream_ranges (stream, first, last) VALUES (?, ?, ?)";
const COUNT = "SELECT coalesce(sum(last - first + 1), 0) FROM mnema_stream_ranges WHERE stream = ?";

type Range = [first: number, last: number];

/** The stored position of one stream. */
export class Positions {
  readonly #connection: Connection;
  readonly #stream: string;

  /**
   * @param connection The log's file.
   * @param stream The name of the stream.
   */
  constructor(connection: Connection, stream: string) {
    this.#connection = connection;
    this.#stream = stream;
  }

  /** Makes sure that the tables exist. Inside a transaction. */
  prepare(): void {
    ensureStreamTables(this.#connection);
  }

  /** The position; undefined when there is none, or it is not what this module writes. */
  read(): Position | undefined {
    const row = this.#connection.query(SELECT).value<unknown[]>(this.#stream);
    if (row === undefined) return undefined;
    const [created, seq, stamp, list] = row;
    const waiting = readList(list);
    if (typeof created !== "string" || typeof stamp !== "string" || !isCount(seq) || waiting === undefined) return;
    return { created, seq, stamp, waiting };
  }

  /** Forgets what was read: the stream is read from its first message. Inside a transaction. */
  reset(created: string): void {
    this.#connection.query(UPSERT).run(this.#stream, created, 0, "", "[]");
    this.#connection.query(DELETE_RANGES).run(this.#stream);
  }

  /**
   * Moves the position. Inside the transaction that appends what was read.
   *
   * @throws {FileError} `derived-damaged` when the position was discarded meanwhile, as by a rebuild.
   */
  move({ created, seq, stamp, waiting }: Position): void {
    const list = waiting.length === 0 ? "[]" : JSON.stringify(waiting);
    if (this.#connection.query(UPDATE).run(seq, stamp, list, this.#stream, created) === 1) return;
    const { path } = this.#connection;
    throw new FileError(
      "derived-damaged",
      path,
      `the position in ${this.#stream} was discarded from ${path}; read again`,
    );
  }

  /** Records that the operations from one `seq` to another were read in the stream. Inside a transaction. */
  mark(first: number, last: number): void {
    let [from, to] = [first, last];
    // Ranges never touch: those that overlap the new one, or are next to it, become a part of it.
    for (
      let found = this.#before(last + 1);
      found !== undefined && found[1] >= from - 1;
      found = this.#before(to + 1)
    ) {
      if (found[0] <= first && found[1] >= last) return;
      this.#connection.query(DELETE_RANGE).run(this.#stream, found[0]);
      from = Math.min(from, found[0]);
      to = Math.max(to, found[1]);
    }
    this.#connection.query(INSERT_RANGE).run(this.#stream, from, to);
  }

  /** The range of operations that were read in the stream and that has a `seq`; undefined when that one was not. */
  rangeOf(seq: number): SeqRange | undefined {
    const found = this.#before(seq);
    return found === undefined || found[1] < seq ? undefined : { after: found[0] - 1, upTo: found[1] };
  }

  /** The first operations after a `seq`, up to another, that were not read in the stream; undefined when all were. */
  nextGap(after: number, upTo: number): SeqRange | undefined {
    const start = this.rangeOf(after + 1)?.upTo ?? after;
    if (start >= upTo) return undefined;
    const next = this.#connection.query(SELECT_AFTER).value<Range>(this.#stream, start);
    return { after: start, upTo: next === undefined ? upTo : Math.min(next[0] - 1, upTo) };
  }

  /** How many operations of the log were not read in the stream. */
  countGaps(): number {
    return Math.max(0, lastSeq(this.#connection) - this.#connection.query(COUNT).value<[number]>(this.#stream)![0]);
  }

  #before(seq: number): Range | undefined {
    return this.#connection.query(SELECT_BEFORE).value<Range>(this.#stream, seq);
  }
}

/** The list of sequence numbers in a row; undefined when it is something else. */
function readList(list: unknown): number[] | undefined {
  if (typeof list !== "string") return undefined;
  try {
    const numbers: unknown = JSON.parse(list);
    return Array.isArray(numbers) && numbers.length <= MAX_WAITING && numbers.every(isCount) ? numbers : undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}
