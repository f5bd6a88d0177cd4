/**
 * The records of a log, as they are reconciled with a peer.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import { type Internals, internalsOf, type OpLog } from "../oplog.ts";
import { ranges } from "../derived/ranges.ts";
import { RangeReader } from "../derived/range_read.ts";
import type { Bound, RecordStorage, TimedId } from "./negentropy/storage.ts";

/**
 * Opens the records of a log. Costs nothing until they are read; then what was appended since they were last read.
 *
 * @param log The log. It may be readonly.
 */
export function openRanges(log: OpLog): LogRanges {
  return new LogRanges(internalsOf(log));
}

/** The records of a log: (`floor(ts / 1000)`, id) of every operation, in their order. They are used in `read` alone. */
export class LogRanges implements RecordStorage {
  readonly #internals: Internals;
  #reader?: RangeReader;

  /** @param internals The parts of the log. */
  constructor(internals: Internals) {
    this.#internals = internals;
  }

  /**
   * Runs `work` while the records are as they are at the call, all operations of the log included. It must not be
   * asynchronous: one message of a reconciliation is handled in one call.
   *
   * @param work Uses the records.
   * @throws {FileError} `derived-damaged` when the tables contradict themselves: `log.rebuild()` rebuilds them; `corrupt`.
   */
  read<T>(work: (records: RecordStorage) => T): T {
    const { connection, projections } = this.#internals;
    const isEmpty = projections.prepare(ranges) === 0;
    return connection.snapshot(() => {
      const outer = this.#reader;
      this.#reader = new RangeReader(connection, isEmpty);
      try {
        return work(this);
      } finally {
        this.#reader = outer;
      }
    });
  }

  /** @inheritdoc */
  get size(): number {
    return this.#opened.size;
  }

  /** @inheritdoc */
  at(index: number): TimedId {
    return this.#opened.at(index);
  }

  /** @inheritdoc */
  lowerBound({ timestamp, prefix }: Bound, from?: number): number {
    return this.#opened.lowerBound(timestamp, prefix, from);
  }

  /** @inheritdoc */
  range(begin: number, end: number): Iterable<TimedId> {
    return this.#opened.range(begin, end);
  }

  /** @inheritdoc */
  sum(begin: number, end: number): Uint8Array {
    return this.#opened.sum(begin, end);
  }

  get #opened(): RangeReader {
    if (this.#reader !== undefined) return this.#reader;
    throw new LogError("invalid-argument", "the records of a log are used inside read, where they do not change");
  }
}
