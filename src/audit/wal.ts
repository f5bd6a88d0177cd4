/**
 * The write-ahead log beside a database file (sqlite.org/fileformat2.html, section 4), read without SQLite.
 *
 * A header of 32 bytes holds two salts, which change each time the `-wal` is restarted, and a checksum. Every frame is 24
 * bytes and a page: the number of the page, the size of the database in pages if the frame ends a commit (else 0), the
 * salts, and a checksum over this frame and all before it. SQLite reads up to the first frame with invalid salts or
 * checksum, and then up to the last commit before that. So one changed bit silently drops every commit behind it.
 *
 * These frames behind an invalid one are normal, and not a finding: frames with other salts, from before the `-wal` was
 * restarted; frames without a commit, of a transaction that was rolled back or interrupted; an incomplete or invalid last
 * frame, which a power cut leaves. A finding is a frame behind it that has the salts of the header and ends a commit. A
 * power cut in the middle of a commit of several frames can leave that, too, when the disk reorders writes: then the
 * finding is about a commit that was never confirmed, until the `-wal` is restarted.
 *
 * @module
 */

import type { RawFile } from "./raw_file.ts";

/** The committed frames of a `-wal`, and what is wrong with it. */
export interface WriteAheadLog {
  /** The offset of the newest committed frame of each page, by page number. */
  frames: ReadonlyMap<number, number>;
  /** The size of pages. */
  pageSize: number;
  /** How many pages the database has after the last commit; 0 when there is none. */
  pageCount: number;
  /** The salts of all its frames. */
  salts: Salts;
  /** Whether SQLite refuses it, and the database with it, because its version is unknown. */
  isRefused: boolean;
  /** What is wrong with it. */
  faults: string[];
  /** Whether only a part of it was read. */
  isCut: boolean;
}

type Salts = readonly [number, number];
type Sums = readonly [number, number];

const HEADER_BYTES = 32;
/** The header of a frame. */
export const FRAME_BYTES = 24;
const MAGIC = 0x377f0682;
const VERSION = 3007000;
const CHUNK_BYTES = 1 << 20;
/** Limit of the bytes that are read behind an invalid frame: a file may claim any size. */
const MAX_BEHIND_BYTES = 16 * 2 ** 30;
/** How often a `-wal` is read when a writer restarts it meanwhile. */
const MAX_ATTEMPTS = 5;

const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

interface Header {
  isBigEndian: boolean;
  pageSize: number;
  salts: Salts;
  sums: Sums;
  isKnownVersion: boolean;
}

/**
 * Reads a `-wal`. Writers may append to it meanwhile.
 *
 * @param file The `-wal`.
 * @param pageSize The page size of the database, for frames behind a damaged header.
 * @returns Undefined when it is empty.
 */
export function readWal(file: RawFile, pageSize: number): WriteAheadLog | undefined {
  for (let attempt = 1;; attempt++) {
    const bytes = new Uint8Array(HEADER_BYTES);
    if (file.read(0, bytes) < HEADER_BYTES) return undefined;
    const header = parseHeader(bytes);
    if (header === undefined) return damagedHeader(file, pageSize);
    const wal = new FrameScan(file, header).run();
    const after = new Uint8Array(HEADER_BYTES);
    file.read(0, after);
    if (attempt === MAX_ATTEMPTS || after.every((byte, i) => byte === bytes[i])) return wal;
  }
}

/** The salts of the frame that begins here. */
export function saltsOf(frame: DataView): Salts {
  return [frame.getUint32(8), frame.getUint32(12)];
}

/** Whether two pairs of integers are equal. */
export function isSamePair(a: Salts | Sums, b: Salts | Sums): boolean {
  return a[0] === b[0] && a[1] === b[1];
}

class FrameScan {
  readonly #file: RawFile;
  readonly #header: Header;
  readonly #frameBytes: number;
  readonly #committed = new Map<number, number>();
  /** Frames since the last commit. */
  readonly #pending = new Map<number, number>();
  #pageCount = 0;
  #isCut = false;

  constructor(file: RawFile, header: Header) {
    this.#file = file;
    this.#header = header;
    this.#frameBytes = FRAME_BYTES + header.pageSize;
  }

  run(): WriteAheadLog {
    const { pageSize, salts, isKnownVersion } = this.#header;
    const faults: string[] = [];
    if (!isKnownVersion) faults.push("the header of -wal has a version that SQLite does not know");
    let { broken, sums } = this.#readValid(HEADER_BYTES, this.#header.sums);
    for (;;) {
      const lost = this.#commitsBehind(broken);
      if (lost === 0) break;
      // A writer may have written the frame after it was read, and others behind it.
      const again = this.#readValid(broken, sums);
      if (again.broken === broken) {
        const frame = (broken - HEADER_BYTES) / this.#frameBytes + 1;
        const commits = lost === 1 ? "a commit" : `${lost} commits`;
        faults.push(
          `frame ${frame} of -wal has an invalid checksum or invalid salts: SQLite does not read it, nor ${commits} behind it`,
        );
        break;
      }
      ({ broken, sums } = again);
    }
    const pageCount = this.#pageCount;
    const isCut = this.#isCut;
    return { frames: this.#committed, pageSize, pageCount, salts, isRefused: !isKnownVersion, faults, isCut };
  }

  /** Reads frames up to the first invalid one, and returns its offset. */
  #readValid(from: number, start: Sums): { broken: number; sums: Sums } {
    const { salts, isBigEndian } = this.#header;
    let sums = start;
    let at = from;
    for (const { offset, view, bytes } of this.#frames(from)) {
      const page = view.getUint32(0);
      if (page === 0 || !isSamePair(saltsOf(view), salts)) break;
      const here = checksum(
        bytes.subarray(FRAME_BYTES),
        checksum(bytes.subarray(0, 8), sums, isBigEndian),
        isBigEndian,
      );
      if (!isSamePair(here, [view.getUint32(16), view.getUint32(20)])) break;
      sums = here;
      at = offset + this.#frameBytes;
      this.#pending.set(page, offset);
      const pageCount = view.getUint32(4);
      if (pageCount === 0) continue;
      for (const [page, offset] of this.#pending) this.#committed.set(page, offset);
      this.#pending.clear();
      this.#pageCount = pageCount;
    }
    return { broken: at, sums };
  }

  /** How many frames behind an invalid one have the salts of the header and end a commit. */
  #commitsBehind(broken: number): number {
    let commits = 0;
    for (const { offset, view } of this.#frames(broken + this.#frameBytes)) {
      if (offset - broken > MAX_BEHIND_BYTES) {
        this.#isCut = true;
        break;
      }
      if (view.getUint32(0) > 0 && view.getUint32(4) > 0 && isSamePair(saltsOf(view), this.#header.salts)) commits++;
    }
    return commits;
  }

  #frames(from: number): Generator<Frame> {
    return readFrames(this.#file, from, this.#frameBytes);
  }
}

interface Frame {
  offset: number;
  bytes: Uint8Array;
  view: DataView;
}

/** Reads complete frames; each is valid until the next. */
function* readFrames(file: RawFile, from: number, frameBytes: number): Generator<Frame> {
  const chunk = new Uint8Array(frameBytes * Math.max(1, Math.floor(CHUNK_BYTES / frameBytes)));
  for (let start = from;; start += chunk.length) {
    const length = file.read(start, chunk);
    for (let at = 0; at + frameBytes <= length; at += frameBytes) {
      const bytes = chunk.subarray(at, at + frameBytes);
      yield { offset: start + at, bytes, view: new DataView(chunk.buffer, at, frameBytes) };
    }
    if (length < chunk.length) return;
  }
}

function parseHeader(bytes: Uint8Array): Header | undefined {
  const view = new DataView(bytes.buffer);
  const isBigEndian = view.getUint32(0) === MAGIC + 1;
  if (!isBigEndian && view.getUint32(0) !== MAGIC) return undefined;
  const pageSize = view.getUint32(8);
  if (!isPageSize(pageSize)) return undefined;
  const sums = checksum(bytes.subarray(0, 24), [0, 0], isBigEndian);
  if (!isSamePair(sums, [view.getUint32(24), view.getUint32(28)])) return undefined;
  const salts: Salts = [view.getUint32(16), view.getUint32(20)];
  return { isBigEndian, pageSize, salts, sums, isKnownVersion: view.getUint32(4) === VERSION };
}

/** SQLite treats a `-wal` with such a header as empty. All its frames have the salts of the first. */
function damagedHeader(file: RawFile, pageSize: number): WriteAheadLog {
  let salts: Salts | undefined;
  let commits = 0;
  for (const { view } of readFrames(file, HEADER_BYTES, FRAME_BYTES + pageSize)) {
    salts ??= saltsOf(view);
    if (view.getUint32(0) === 0 || !isSamePair(saltsOf(view), salts)) break;
    if (view.getUint32(4) > 0) commits++;
  }
  const what = commits === 1 ? "a commit" : `${commits} commits`;
  const faults = commits === 0 ? [] : [`the header of -wal is damaged: SQLite does not read ${what} behind it`];
  return { frames: new Map(), pageSize, pageCount: 0, salts: [0, 0], isRefused: false, faults, isCut: false };
}

/** Whether this is a page size of SQLite. */
export function isPageSize(size: number): boolean {
  return size >= 512 && size <= 65536 && (size & (size - 1)) === 0;
}

/** The checksum over pairs of 32-bit integers, continued from an earlier one. */
function checksum(bytes: Uint8Array, [first, second]: Sums, isBigEndian: boolean): Sums {
  let [a, b] = [first | 0, second | 0];
  if (isBigEndian !== isLittleEndian && bytes.byteOffset % 4 === 0) {
    const integers = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    for (let i = 0; i < integers.length; i += 2) {
      a = (a + integers[i] + b) | 0;
      b = (b + integers[i + 1] + a) | 0;
    }
  } else {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0; i < bytes.length; i += 8) {
      a = (a + view.getInt32(i, !isBigEndian) + b) | 0;
      b = (b + view.getInt32(i + 4, !isBigEndian) + a) | 0;
    }
  }
  return [a >>> 0, b >>> 0];
}
