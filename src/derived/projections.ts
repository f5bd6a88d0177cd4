/**
 * State that is derived from the log and kept in tables beside it: each projection has tables of its own and a
 * watermark, the last `seq` it has seen, so that asking costs what is new and not the whole log. Any of it can be
 * dropped, and is rebuilt.
 *
 * Other processes, and implementations that know nothing of these tables, append to `ops` meanwhile: a projection is
 * brought up to the end of the log, inside a transaction that holds the write lock, before it is read. Where nothing
 * may be written, that is done to copies of the tables in memory.
 *
 * @module
 */

import { FileError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { lastSeq } from "../log/entries.ts";
import type { Follower } from "../log/writer.ts";
import { HASH_BYTES } from "../bytes.ts";
import { Batch, type Link } from "./batch.ts";
import { misfit } from "./damage.ts";
import { dropNamed, hasTables, makeTables, makeWatermarks, NO_TABLES, type Schema, type Tables } from "./tables.ts";

/** State in tables. Their names start with `mnema_`, and have no schema before them: they may be copies. */
export interface TableProjection extends Tables {
  /** Its name among the watermarks. */
  readonly name: string;
  /** Changes when what the tables hold does: then they are rebuilt. */
  readonly version: number;
  /** What must be brought up before it. */
  readonly needs?: readonly TableProjection[];
  /** Begins to bring the tables up, which have seen operations up to a `seq`; inside a transaction. */
  start(connection: Connection, seen: number): Run;
}

/** Bringing one projection up. */
export interface Run {
  /** Takes in the next operations. */
  apply(batch: Batch): void;
  /** There are no more for now. */
  finish?(): void;
}

const SELECT_WATERMARK = "SELECT seq FROM mnema_watermarks WHERE name = ? AND version = ?";
const UPSERT_WATERMARK = "INSERT OR REPLACE INTO mnema_watermarks (name, version, seq) VALUES (?, ?, ?)";
const DELETE_WATERMARK = "DELETE FROM mnema_watermarks WHERE name = ?";
const SELECT_COPIES = "SELECT name FROM temp.sqlite_schema WHERE type = 'table'";

/** At most so many operations are held in memory for those that follow the log; more are read from the file again. */
const MOST_NOTED = 8192;

/** The projections of one log. */
export class Projections implements Follower {
  readonly #connection: Connection;
  readonly #followers: readonly TableProjection[];
  /** What was appended through this connection since the followers were brought up. */
  #noted: Link[] = [];
  /** Their leaf hashes, one behind the other: as many small arrays they would outlive what clears those away. */
  readonly #leaves = new Uint8Array(MOST_NOTED * HASH_BYTES);

  /**
   * @param connection The log's file.
   * @param followers Those that are brought up as operations enter, and not only when they are asked for.
   */
  constructor(connection: Connection, followers: readonly TableProjection[]) {
    this.#connection = connection;
    this.#followers = followers;
  }

  /** @inheritdoc */
  get noted(): number {
    return this.#noted.length;
  }

  /** @inheritdoc */
  note(seq: number, opId: string, prev: readonly string[], leaf: Uint8Array): void {
    const expected = (this.#noted.at(-1)?.seq ?? seq - 1) + 1;
    if (seq !== expected || this.#noted.length >= MOST_NOTED) this.#noted = [];
    this.#leaves.set(leaf, this.#noted.length * HASH_BYTES);
    this.#noted.push({ seq, opId, prev });
  }

  /** @inheritdoc */
  forget(): void {
    this.#noted = [];
  }

  /** @inheritdoc */
  catchUp(): void {
    this.#dropCopies(); // they hide the tables in the file
    this.#bring(this.#followers, "main");
    this.#noted = [];
  }

  /** @inheritdoc */
  tryCatchUp(): void {
    this.#try(() => this.catchUp());
  }

  /**
   * Brings projections up to the end of the log, before they are read.
   *
   * @param wanted Which; what they need is brought up too.
   * @returns The last `seq` there was. 0 means that the tables may not be there.
   */
  prepare(...wanted: TableProjection[]): number {
    const all = withNeeds(wanted);
    const last = lastSeq(this.#connection);
    if (all.every((projection) => this.#watermark(projection, last) === last)) return last;
    if (!this.#connection.readonly) {
      this.#dropCopies();
      const failure = this.#try(() => this.#bring(all, "main"));
      if (failure === undefined) return lastSeq(this.#connection);
      if (failure.code === "derived-damaged") throw failure;
    }
    this.#connection.temporarily(() => {
      if (!all.every((projection) => this.#isCopied(projection))) this.#copy(all);
      this.#bring(all, "temp");
    });
    return last;
  }

  /**
   * Makes projections anew, from the first operation on, as one transaction.
   *
   * @param wanted Which, and what they need.
   * @param onProgress Is told how many operations were taken in.
   */
  rebuild(wanted: readonly TableProjection[], onProgress?: (seq: number, last: number) => void): void {
    const { path, readonly } = this.#connection;
    if (readonly) {
      throw new FileError(
        "read-only",
        path,
        `${path} was opened with readonly; open it without, to rebuild what is kept`,
      );
    }
    const all = withNeeds(wanted);
    this.#connection.transaction(() => {
      this.#dropCopies();
      if (!hasTables(this.#connection, NO_TABLES)) makeWatermarks(this.#connection, "main");
      for (const { name } of all) this.#connection.query(DELETE_WATERMARK).run(name);
      this.#bring(all, "main", onProgress);
    });
  }

  /** Forgets how far every projection was brought up: each is made anew when it is asked for. */
  forgetAll(): void {
    dropNamed(this.#connection, ["mnema_watermarks"], "main");
  }

  /**
   * Makes projections anew in memory, beside what is kept of them, in temporary tables of the same names, and takes
   * these away again. Inside {@linkcode Connection.temporarily}.
   *
   * @param wanted Which, and what they need.
   * @param use What to do with the tables.
   */
  withCopies<T>(wanted: readonly TableProjection[], use: () => T): T {
    this.#dropCopies();
    makeWatermarks(this.#connection, "temp"); // hides those in the file: nothing was seen yet
    try {
      this.#bring(withNeeds(wanted), "temp");
      return use();
    } finally {
      this.#dropCopies();
    }
  }

  /** The error of a file that is locked, full, damaged, or not to be written: whoever asks next tries again. */
  #try(work: () => void): FileError | undefined {
    try {
      this.#connection.transaction(work);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      return error;
    }
  }

  #bring(all: readonly TableProjection[], schema: Schema, onProgress?: (seq: number, last: number) => void): void {
    const last = lastSeq(this.#connection);
    const states = all.map((projection) => ({ projection, seen: this.#watermark(projection, last) }));
    const behind = states.filter(({ seen }) => seen < last);
    if (behind.length === 0) return;
    try {
      this.#run(behind, last, schema, onProgress);
    } catch (error) {
      const isFresh = states.every(({ seen }) => seen === 0); // nothing that was kept was read
      throw isFresh ? error : misfit(this.#connection, error);
    }
  }

  #run(
    behind: readonly { projection: TableProjection; seen: number }[],
    last: number,
    schema: Schema,
    onProgress?: (seq: number, last: number) => void,
  ): void {
    // What has seen something has a watermark in a table that is as it is made.
    if (behind.every(({ seen }) => seen === 0) && !hasTables(this.#connection, NO_TABLES)) {
      makeWatermarks(this.#connection, schema);
    }
    const runs = behind.map(({ projection, seen }) => {
      if (seen === 0) makeTables(this.#connection, projection, schema);
      return { run: projection.start(this.#connection, seen), seen };
    });
    let after = Math.min(...runs.map(({ seen }) => seen));
    while (after < last) {
      const batch = this.#notedBatch(after, last) ?? Batch.read(this.#connection, after, last);
      for (const { run, seen } of runs) {
        if (seen < batch.last) run.apply(seen <= after ? batch : batch.since(seen));
      }
      after = batch.last;
      if (onProgress !== undefined) this.#connection.callOut("onProgress", () => onProgress(after, last));
    }
    for (const { run } of runs) run.finish?.();
    for (const { projection: { name, version } } of behind) {
      this.#connection.query(UPSERT_WATERMARK).run(name, version, last);
    }
  }

  /** Copies what there is into memory, where it can be brought up although the file may not be written. */
  #copy(all: readonly TableProjection[]): void {
    this.#dropCopies();
    const last = lastSeq(this.#connection);
    const found = all.map((projection) => ({ projection, seen: this.#watermark(projection, last) }));
    makeWatermarks(this.#connection, "temp");
    for (const { projection, seen } of found) {
      makeTables(this.#connection, projection, "temp");
      if (seen === 0) continue;
      for (const table of Object.keys(projection.tables)) {
        this.#execute(`INSERT INTO temp."${table}" SELECT * FROM main."${table}"`);
      }
      this.#connection.query(UPSERT_WATERMARK).run(projection.name, projection.version, seen);
    }
  }

  #dropCopies(): void {
    const copies = this.#connection.query(SELECT_COPIES).values<[string]>();
    if (copies.length === 0) return;
    for (const [table] of copies) this.#execute(`DROP TABLE temp."${table}"`);
  }

  #isCopied({ tables }: TableProjection): boolean {
    const copies = new Set(this.#connection.query(SELECT_COPIES).values<[string]>().map(([table]) => table));
    return Object.keys(tables).every((table) => copies.has(table));
  }

  /**
   * The last `seq` that the tables have seen of a log that ends at `last`; 0 when they must be made anew, as when one of
   * them is not the table that it is made as.
   */
  #watermark(projection: TableProjection, last: number): number {
    if (!hasTables(this.#connection, projection)) return 0;
    const { name, version } = projection;
    const [seq] = this.#connection.query(SELECT_WATERMARK).value<[unknown]>(name, version) ?? [0];
    return Number.isSafeInteger(seq) && (seq as number) >= 0 && (seq as number) <= last ? seq as number : 0;
  }

  /** All that is new, when all of it was appended here. */
  #notedBatch(after: number, last: number): Batch | undefined {
    const start = after + 1 - this.#noted[0]?.seq;
    if (!(start >= 0 && last === this.#noted.at(-1)!.seq)) return undefined;
    return Batch.noted(this.#connection, this.#noted.slice(start), this.#leaves.subarray(start * HASH_BYTES));
  }

  #execute(sql: string): void {
    this.#connection.execute(sql);
  }
}

/** Projections with all that they need, each after what it needs. */
function withNeeds(wanted: readonly TableProjection[]): TableProjection[] {
  const all = new Set<TableProjection>();
  const add = (projection: TableProjection) => {
    projection.needs?.forEach(add);
    all.add(projection);
  };
  wanted.forEach(add);
  return [...all];
}
