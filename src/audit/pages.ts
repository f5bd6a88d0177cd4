/**
 * The pages of a database file as SQLite reads them: from the last commit in the `-wal`, or else from the file
 * (sqlite.org/fileformat2.html, section 1.3).
 *
 * The caller holds a read transaction: then a checkpoint copies nothing newer into the file than the transaction sees,
 * and the `-wal` is not restarted, unless all of it is in the file already.
 *
 * @module
 */

import type { RawFile } from "../sqlite/raw_file.ts";
import { FRAME_BYTES, isPageSize, isSamePair, saltsOf, type WriteAheadLog } from "./wal.ts";

/** The header of a database file. */
export const HEADER_BYTES = 100;
const MAGIC = new TextEncoder().encode("SQLite format 3\0");
/** The size of a read where pages are requested in the order of the file. */
const AHEAD_BYTES = 1 << 16;
const NEAR_PAGES = 8;

/** The `-wal` was restarted while its pages were read. */
export class MovedError extends Error {
  override readonly name = "MovedError";
}

/** Reads pages. */
export class Pages {
  /** The size of a page. */
  readonly size: number;
  /** How many bytes of each page SQLite uses. */
  readonly usable: number;
  /** How many pages there are. */
  readonly count: number;
  readonly #file: RawFile;
  readonly #wal?: { file: RawFile; log: WriteAheadLog };
  readonly #ahead: Uint8Array;
  readonly #frame: Uint8Array;
  /** The pages in `#ahead`: the number of the first, and the size of all, in bytes. */
  #first = 0;
  #length = 0;
  #last = 0;

  private constructor(file: RawFile, size: number, wal: { file: RawFile; log: WriteAheadLog } | undefined) {
    this.#file = file;
    this.#wal = wal;
    this.size = size;
    this.#ahead = new Uint8Array(Math.max(AHEAD_BYTES, size));
    this.#frame = new Uint8Array(FRAME_BYTES + size);
    this.count = Math.floor(file.size / size);
    if (wal !== undefined && wal.log.pageCount > 0) this.count = wal.log.pageCount;
    const header = this.read(1);
    this.usable = size - (header?.[20] ?? 0);
    if (header === undefined) return;
    const view = new DataView(header.buffer, header.byteOffset);
    // Old versions of SQLite do not update the page count, and then the two change counters differ.
    const declared = view.getUint32(24) === view.getUint32(92) ? view.getUint32(28) : 0;
    if (declared > 0) this.count = Math.min(this.count, declared);
  }

  /**
   * Opens the pages.
   *
   * @param file The database file.
   * @param wal The `-wal`, when there is one that is not empty.
   * @returns Undefined when the file is no SQLite database.
   */
  static open(file: RawFile, wal: { file: RawFile; log: WriteAheadLog } | undefined): Pages | undefined {
    const size = wal !== undefined && wal.log.frames.has(1) ? wal.log.pageSize : pageSizeOf(file);
    if (size === undefined) return undefined;
    const pages = new Pages(file, size, wal);
    const header = pages.read(1);
    return header !== undefined && pageSizeIn(header) === size && pages.usable >= 480 ? pages : undefined;
  }

  /** A page; undefined when the file ends before it. It is valid until the next call. */
  read(page: number): Uint8Array | undefined {
    const offset = this.#wal?.log.frames.get(page);
    if (offset !== undefined) return this.#readFrame(page, offset);
    const at = (page - this.#first) * this.size;
    if (at >= 0 && at + this.size <= this.#length) {
      this.#last = page;
      return this.#ahead.subarray(at, at + this.size);
    }
    const isNear = page > this.#last && page <= this.#last + NEAR_PAGES;
    const into = isNear ? this.#ahead : this.#ahead.subarray(0, this.size);
    this.#length = this.#file.read((page - 1) * this.size, into);
    this.#first = this.#last = page;
    return this.#length < this.size ? undefined : this.#ahead.subarray(0, this.size);
  }

  #readFrame(page: number, offset: number): Uint8Array {
    const { file, log } = this.#wal!;
    const length = file.read(offset, this.#frame);
    const view = new DataView(this.#frame.buffer);
    if (length < this.#frame.length || view.getUint32(0) !== page || !isSamePair(saltsOf(view), log.salts)) {
      throw new MovedError();
    }
    return this.#frame.subarray(FRAME_BYTES);
  }
}

/** The size of the pages of a database file; undefined when it is none. */
export function pageSizeOf(file: RawFile): number | undefined {
  const header = new Uint8Array(HEADER_BYTES);
  return file.read(0, header) < HEADER_BYTES ? undefined : pageSizeIn(header);
}

function pageSizeIn(header: Uint8Array): number | undefined {
  if (MAGIC.some((byte, i) => header[i] !== byte)) return undefined;
  const stored = header[16] << 8 | header[17];
  const size = stored === 1 ? 65536 : stored;
  return isPageSize(size) ? size : undefined;
}
