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
 * frame, which a power cut leaves. A finding is a frame behind it that has the salts of the header and ends a commit.
 *
 * Such a frame can also be left of a commit that was never completed: of a process that was killed, when another one has
 * overwritten the beginning of its commit with a shorter one; or of a power cut, when the disk reorders writes. What a
 * killed process leaves is one commit at a time, and does not continue the frames before it: another commit is written
 * behind a commit only when that is complete. So frames of which each continues the one before it prove that a commit
 * was lost when two of them end a commit, or when they continue the valid frames but for a changed header. Without such a
 * proof, `-shm` decides: it says how many frames are committed. Where it is missing, or of another `-wal`, the finding
 * names both possibilities.
 *
 * @module
 */

import type { RawFile } from "../sqlite/raw_file.ts";

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

/** What `-shm` says of a `-wal`. */
export interface WalIndex {
  /** How many frames are committed. */
  count: number;
  /** The checksum of the last of them. */
  sums: Sums;
  /** The salts of the `-wal`. */
  salts: Salts;
}

const HEADER_BYTES = 32;
/** The header of a frame. */
export const FRAME_BYTES = 24;
const MAGIC = 0x377f0682;
/** The version of the `-wal` and of `-shm`. */
export const VERSION = 3007000;
const CHUNK_BYTES = 1 << 20;
/** Limit of the bytes that are read behind an invalid frame: a file may claim any size. */
const MAX_BEHIND_BYTES = 16 * 2 ** 30;
/** How often a `-wal` is read when a writer restarts it meanwhile. */
const MAX_ATTEMPTS = 5;

/** The byte order of this machine. */
export const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

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
 * @param index What `-shm` said before the file was opened.
 * @returns Undefined when it is empty.
 */
export function readWal(file: RawFile, pageSize: number, index?: WalIndex): WriteAheadLog | undefined {
  for (let attempt = 1;; attempt++) {
    const bytes = new Uint8Array(HEADER_BYTES);
    if (file.read(0, bytes) < HEADER_BYTES) return undefined;
    const header = parseHeader(bytes);
    if (header === undefined) return damagedHeader(file, pageSize);
    const wal = new FrameScan(file, header, index).run();
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

function storedSums(frame: DataView): Sums {
  return [frame.getUint32(16), frame.getUint32(20)];
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
  /** What `-shm` says, when it has the salts of the header. */
  readonly #index?: WalIndex;
  /** Whether the frame that `-shm` calls the last committed one is valid, and the one that it means. */
  #isIndexed: boolean;

  constructor(file: RawFile, header: Header, index: WalIndex | undefined) {
    this.#file = file;
    this.#header = header;
    if (index !== undefined && isSamePair(index.salts, header.salts)) this.#index = index;
    this.#isIndexed = this.#index?.count === 0;
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
      const isProven = this.#isLossProven(broken, sums);
      // A writer may have written the frame after it was read, and others behind it.
      const again = this.#readValid(broken, sums);
      if (again.broken === broken) {
        const frame = this.#numberOf(broken);
        if (isProven || (this.#index?.count ?? 0) >= frame) faults.push(lossOf(frame, lost));
        else if (!this.#isIndexed) faults.push(doubtOf(frame, lost));
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
    const { salts } = this.#header;
    let sums = start;
    let at = from;
    for (const frame of this.#frames(from)) {
      const { offset, view } = frame;
      const page = view.getUint32(0);
      if (page === 0 || !isSamePair(saltsOf(view), salts)) break;
      const here = this.#sumsOf(frame, sums);
      if (!isSamePair(here, storedSums(view))) break;
      sums = here;
      at = offset + this.#frameBytes;
      if (this.#numberOf(offset) === this.#index?.count) this.#isIndexed = isSamePair(sums, this.#index.sums);
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

  /** Whether the frames from an invalid one on prove that a commit was complete which SQLite does not read. */
  #isLossProven(broken: number, before: Sums): boolean {
    let commits = 0;
    let isContinued = false;
    /** What the next frame may continue: the checksum that the last one has, and the one that the first must have. */
    let seeds: Sums[] = [];
    for (const frame of this.#frames(broken)) {
      const { offset, view } = frame;
      if (offset - broken > MAX_BEHIND_BYTES) return false;
      const stored = storedSums(view);
      const isCommit = view.getUint32(0) > 0 && view.getUint32(4) > 0;
      if (offset === broken) {
        const expected = this.#sumsOf(frame, before);
        isContinued = isSamePair(stored, expected);
        seeds = [stored, expected];
        commits = isCommit ? 1 : 0;
        continue;
      }
      const isOfLog = view.getUint32(0) > 0 && isSamePair(saltsOf(view), this.#header.salts);
      const seed = isOfLog ? seeds.findIndex((sums) => isSamePair(this.#sumsOf(frame, sums), stored)) : -1;
      if (seed === -1) {
        isContinued = false;
        commits = 0;
      } else if (seed === 1) isContinued = true;
      if (isOfLog && isCommit) commits++;
      if (commits > (isContinued ? 0 : 1)) return true;
      seeds = [stored];
    }
    return false;
  }

  /** The checksum that a frame must have after another one. */
  #sumsOf({ bytes }: Frame, before: Sums): Sums {
    const { isBigEndian } = this.#header;
    const sums = checksum(bytes.subarray(0, 8), before, isBigEndian);
    return checksum(bytes.subarray(FRAME_BYTES), sums, isBigEndian);
  }

  /** The number of the frame at an offset, from 1. */
  #numberOf(offset: number): number {
    return (offset - HEADER_BYTES) / this.#frameBytes + 1;
  }

  #frames(from: number): Generator<Frame> {
    return readFrames(this.#file, from, this.#frameBytes);
  }
}

function lossOf(frame: number, lost: number): string {
  const commits = lost === 1 ? "a commit" : `${lost} commits`;
  return `frame ${frame} of -wal has an invalid checksum or invalid salts: SQLite does not read it, nor ${commits} behind it`;
}

function doubtOf(frame: number, lost: number): string {
  const what = lost === 1
    ? "end a commit that SQLite does not read: one that was cut off, or one that was never completed"
    : `end ${lost} commits that SQLite does not read: they were cut off, or never completed`;
  return `frame ${frame} of -wal has an invalid checksum or invalid salts, and frames behind it ${what}`;
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
export function checksum(bytes: Uint8Array, [first, second]: Sums, isBigEndian: boolean): Sums {
  let [a, b] = [first | 0, second | 0];
  if (isBigEndian !== IS_LITTLE_ENDIAN && bytes.byteOffset % 4 === 0) {
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
