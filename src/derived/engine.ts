/**
 * The projection engine: catches projections up with the log, and rebuilds them. Each projection has tables of its own
 * and a watermark, the last `seq` it has seen, so that reading it costs what is new and not the whole log. Any of them
 * can be dropped, and is rebuilt.
 *
 * Other processes, and implementations that know nothing of these tables, append to `ops` meanwhile: a projection is
 * caught up to the end of the log, inside a transaction that holds the write lock, before it is read. Where nothing
 * can be written, temporary copies of the tables are caught up instead.
 *
 * @module
 */

import { FileError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import type { Appended, Follower } from "../log/appended.ts";
import { lastSeq } from "../log/entries.ts";
import { Batch } from "./batch.ts";
import { AppendBuffer } from "./buffer.ts";
import { areCopied, copyTables, dropCopies } from "./copies.ts";
import { misfit } from "./damage.ts";
import { type TableProjection, withNeeds } from "./table_projection.ts";
import { clearStreamTables } from "./stream_tables.ts";
import { createTables, createWatermarks, hasTables, NO_TABLES, type Schema } from "./tables.ts";
import { deleteWatermark, dropWatermarks, readWatermark, setWatermark } from "./watermarks.ts";

/** Flush threshold, in operations, where they are appended one by one: a catch-up may cost a commit of its own. */
const FLUSH_THRESHOLD = 4096;
/** Flush threshold where they are appended in batches: more objects that live for a while cost more garbage collection. */
const BATCH_FLUSH_THRESHOLD = 512;

/** How many operations, appended in batches, have those caught up that follow bulk intake. */
const BULK_THRESHOLD = 8192;
/** Those that are further behind are caught up when they are read: an ingest does not wait for a whole log. */
const MAX_BULK_BEHIND = 65_536;

/** How far to catch up: to the end of the log by default. */
interface CatchUpOptions {
  /** By so many operations at most. */
  limit?: number;
  /** The last `seq`. */
  upTo?: number;
  /** Receives the progress. */
  onProgress?: OnProgress;
}

/** Receives the last `seq` that was applied, and the last of the log. */
type OnProgress = (seq: number, last: number) => void;

/** The projections of one log. */
export class Projections implements Follower {
  readonly #connection: Connection;
  readonly #followers: readonly TableProjection[];
  readonly #bulkFollowers: readonly TableProjection[];
  readonly #buffer = new AppendBuffer();
  /**
   * Whether {@linkcode prepare} catches up. Where it does not, what is derived is read as it is stored: a reader that must
   * not wait leaves the catch-up to {@linkcode advance}, here or on another thread.
   */
  catchesUp = true;
  /** How many operations were appended in batches since the bulk followers were caught up. */
  #bulk = 0;

  /**
   * @param connection The log's file.
   * @param followers Those that are caught up as operations are appended, and not only before they are read.
   * @param bulkFollowers Those that are caught up as thousands of operations are appended in batches.
   */
  constructor(
    connection: Connection,
    followers: readonly TableProjection[],
    bulkFollowers: readonly TableProjection[] = [],
  ) {
    this.#connection = connection;
    this.#followers = followers;
    this.#bulkFollowers = bulkFollowers;
  }

  /** Whether nothing can be written to the file, and copies are caught up. */
  get isReadonly(): boolean {
    return this.#connection.readonly;
  }

  /** @inheritdoc */
  appended(operations: readonly Appended[]): void {
    this.#buffer.add(operations);
    const isBatch = operations.length > 1;
    if (isBatch) this.#bulk += operations.length;
    const threshold = isBatch ? BATCH_FLUSH_THRESHOLD : FLUSH_THRESHOLD;
    if (this.#buffer.size >= threshold) this.flush();
  }

  /** @inheritdoc */
  committed(parts: Iterable<readonly Appended[]>, count: number): void {
    const take = () => {
      for (const part of parts) this.appended(part);
    };
    // Where nothing will be written, no other process is waited for.
    if (this.#buffer.size + count < BATCH_FLUSH_THRESHOLD) return take();
    try {
      this.#connection.transaction(take);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#buffer.clear(); // they are caught up from the file before they are next read
    }
  }

  /** @inheritdoc */
  rolledBack(): void {
    this.#buffer.clear();
  }

  /**
   * Catches the followers up with what is buffered. Where that fails, they are caught up from the file before they are
   * next read: nothing that is derived is needed to append.
   *
   * @throws {FileError} Inside a transaction, unless it is `derived-damaged`: SQLite may have rolled back all of it.
   */
  flush(): void {
    if (this.#buffer.size === 0) return;
    try {
      this.#connection.transaction(() => {
        this.#catchUpInFile(this.#followers, { upTo: this.#buffer.last });
        if (this.#bulk >= BULK_THRESHOLD) this.#catchUpBulk();
      });
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      if (this.#connection.isInTransaction && error.code !== "derived-damaged") throw error;
    } finally {
      this.#buffer.clear();
    }
  }

  /**
   * Catches projections up to the end of the log, before they are read.
   *
   * @param projections Which; what they need is caught up too.
   * @returns The `seq` up to which they are caught up: the last of the log, if {@linkcode catchesUp}. When it is 0, the
   * tables may not exist.
   */
  prepare(...projections: TableProjection[]): number {
    const all = withNeeds(projections);
    const last = lastSeq(this.#connection);
    const seen = this.#seen(all, last);
    if (seen === last || !this.catchesUp) return seen;
    if (!this.#connection.readonly) {
      try {
        this.#connection.transaction(() => this.#catchUpInFile(all));
        return lastSeq(this.#connection);
      } catch (error) {
        if (!(error instanceof FileError) || error.code === "derived-damaged" || this.#connection.isInTransaction) {
          throw error;
        }
        // Who writes goes by what was caught up, as a refute does; for a reader, copies will do.
        // The file is locked, full, or cannot be written: the next read tries again.
      }
    }
    this.#connection.temporarily(() => {
      if (!areCopied(this.#connection, all)) copyTables(this.#connection, all);
      this.#catchUp(all, "temp");
    });
    return last;
  }

  /**
   * How many operations projections, and what they need, have not seen yet.
   *
   * @param projections Which.
   */
  behind(...projections: TableProjection[]): number {
    const last = lastSeq(this.#connection);
    return last - this.#seen(withNeeds(projections), last);
  }

  /**
   * Catches projections up by at most a number of operations, as one transaction; between two, others can write.
   *
   * @param limit How many operations.
   * @param projections Which; what they need is caught up too.
   * @throws {FileError} `locked`, `read-only`, `disk-full`, `io`; `derived-damaged`.
   */
  advance(limit: number, ...projections: TableProjection[]): void {
    const all = withNeeds(projections);
    const catchUp = (schema: Schema) => this.#catchUp(all, schema, { limit });
    if (!this.#connection.readonly) {
      return this.#connection.transaction(() => {
        dropCopies(this.#connection);
        catchUp("main");
      });
    }
    this.#connection.temporarily(() => {
      if (!areCopied(this.#connection, all)) copyTables(this.#connection, all);
      catchUp("temp");
    });
  }

  /**
   * Rebuilds projections from the first operation on, as one transaction.
   *
   * @param projections Which, and what they need.
   * @param onProgress Receives how many operations were applied.
   */
  rebuild(projections: readonly TableProjection[], onProgress?: OnProgress): void {
    const { path, readonly } = this.#connection;
    if (readonly) {
      throw new FileError(
        "read-only",
        path,
        `${path} was opened with readonly; open it without, to rebuild what is kept`,
      );
    }
    const all = withNeeds(projections);
    this.#connection.transaction(() => {
      dropCopies(this.#connection);
      if (!hasTables(this.#connection, NO_TABLES)) createWatermarks(this.#connection, "main");
      for (const projection of all) deleteWatermark(this.#connection, projection);
      this.#catchUp(all, "main", { onProgress });
    });
  }

  /** Discards the watermarks: every projection is rebuilt before it is next read, every stream read again. */
  discardAll(): void {
    dropWatermarks(this.#connection);
    clearStreamTables(this.#connection);
  }

  /**
   * Rebuilds projections in temporary tables, which hide those in the file, and drops them again. Inside
   * {@linkcode Connection.temporarily}.
   *
   * @param projections Which, and what they need.
   * @param use Uses the tables.
   */
  withCopies<T>(projections: readonly TableProjection[], use: () => T): T {
    dropCopies(this.#connection);
    createWatermarks(this.#connection, "temp"); // hides those in the file
    try {
      this.#catchUp(withNeeds(projections), "temp");
      return use();
    } finally {
      dropCopies(this.#connection);
    }
  }

  #catchUpBulk(): void {
    this.#bulk = 0;
    const upTo = this.#buffer.last;
    const end = lastSeq(this.#connection);
    const near = this.#bulkFollowers.filter((projection) =>
      upTo - readWatermark(this.#connection, projection, end) <= MAX_BULK_BEHIND
    );
    this.#catchUp(near, "main", { upTo });
  }

  #catchUpInFile(all: readonly TableProjection[], options?: CatchUpOptions): void {
    dropCopies(this.#connection); // they hide the tables in the file
    this.#catchUp(all, "main", options);
  }

  /** The least watermark. */
  #seen(all: readonly TableProjection[], last: number): number {
    return Math.min(...all.map((projection) => readWatermark(this.#connection, projection, last)));
  }

  #catchUp(
    all: readonly TableProjection[],
    schema: Schema,
    { limit = Infinity, upTo = Infinity, onProgress }: CatchUpOptions = {},
  ): void {
    const end = lastSeq(this.#connection);
    const states = all.map((projection) => ({ projection, seen: readWatermark(this.#connection, projection, end) }));
    const last = Math.min(end, upTo, Math.min(...states.map(({ seen }) => seen)) + limit);
    const behind = states.filter(({ seen }) => seen < last);
    if (behind.length === 0) return;
    try {
      this.#run(behind, last, schema, onProgress);
    } catch (error) {
      const isRebuild = states.every(({ seen }) => seen === 0); // no stored state was read
      throw isRebuild ? error : misfit(this.#connection, error);
    }
  }

  #run(
    behind: readonly { projection: TableProjection; seen: number }[],
    last: number,
    schema: Schema,
    onProgress?: OnProgress,
  ): void {
    // A projection that has seen something has a watermark in a table that is as it is created.
    if (behind.every(({ seen }) => seen === 0) && !hasTables(this.#connection, NO_TABLES)) {
      createWatermarks(this.#connection, schema);
    }
    const runs = behind.map(({ projection, seen }) => {
      if (seen === 0) createTables(this.#connection, projection, schema);
      return { run: projection.start(this.#connection, seen), seen, readsRows: projection.readsRows };
    });
    const readers = runs.filter(({ readsRows }) => !readsRows);
    for (const { run, seen, readsRows } of runs) {
      if (readsRows) run.apply(Batch.unread(this.#connection, { after: seen, last }));
    }
    let after = Math.min(...readers.map(({ seen }) => seen));
    while (after < last) {
      const batch = this.#nextBatch(after, last);
      for (const { run, seen } of readers) {
        if (seen < batch.last) run.apply(seen <= after ? batch : batch.since(seen));
      }
      after = batch.last;
      if (onProgress !== undefined) this.#connection.callOut("onProgress", () => onProgress(after, last));
    }
    for (const { run } of runs) run.finish?.();
    for (const { projection } of behind) setWatermark(this.#connection, projection, last);
  }

  #nextBatch(after: number, last: number): Batch {
    const buffered = this.#buffer.since(after, last);
    return buffered === undefined
      ? Batch.read(this.#connection, after, last)
      : Batch.buffered(this.#connection, buffered);
  }
}
