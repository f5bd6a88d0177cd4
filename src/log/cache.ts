/**
 * The page cache of a log, SQLite's own. A reader in `seq` order and a writer need little of it. Lookups by id are at
 * random, because ids are hashes: each costs a page of the index and the page of the row, which are read from the file
 * when they are not cached. So the cache may grow once there are many lookups. SQLite takes memory for a page when it
 * reads the page: that of a small log stays as small as the log.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";

/** A writer comes back to pages of the index on ids, which are hashes, at random: a large cache saves reads and writes. */
export const CACHE_KIB: number = 32 << 10;
/** Bound once so many operations were looked up by id. */
const LOOKUP_CACHE_KIB = 256 << 10;
/** A process that looks up fewer than that would wait for the file either way. */
const LOOKUP_THRESHOLD = 1000;

/** The page cache of one connection. */
export class PageCache {
  readonly #connection: Connection;
  #lookups = 0;
  /** How many pieces of work need the memory for something else. */
  #limited = 0;

  /** @param connection The log's file, with a cache of {@linkcode CACHE_KIB}. */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Records a lookup of an operation by its id. */
  lookedUp(): void {
    if (++this.#lookups === LOOKUP_THRESHOLD && this.#limited === 0) this.#resize(LOOKUP_CACHE_KIB);
  }

  /** Runs work whose memory is bounded: the cache is small meanwhile, and grows with the next lookups. */
  async limited<T>(work: () => Promise<T>): Promise<T> {
    if (this.#limited++ === 0 && this.#lookups >= LOOKUP_THRESHOLD) this.#resize(CACHE_KIB);
    try {
      return await work();
    } finally {
      this.#limited--;
      this.#lookups = 0;
    }
  }

  /** SQLite frees what is beyond the bound at once. */
  #resize(kibibytes: number): void {
    this.#connection.execute(`PRAGMA cache_size = ${-kibibytes}`);
  }
}
