/**
 * Damages the files of a log where it matters: headers, the schema, the pointers and lengths of b-trees, the frames of a
 * `-wal`, whose checksums are corrected so that SQLite reads them, and the records of a journal.
 *
 * @module
 */

import type { Choices } from "../fuzz/choices.ts";
import type { Suffix } from "./samples.ts";

/** The bytes of the files of a log. */
export type Files = Map<Suffix, Uint8Array<ArrayBuffer>>;

const WAL_HEADER = 32;
const FRAME_HEADER = 24;
const HEADER = 100;
const EDGES = [0, 1, 2, 5, 10, 13, 0x7f, 0x80, 0xff];
/** Fields of the header of a database: offset and size. */
const FIELDS: [at: number, size: number][] = [
  [16, 2],
  [18, 1],
  [19, 1],
  [20, 1],
  [21, 1],
  [24, 4],
  [28, 4],
  [32, 4],
  [36, 4],
  [40, 4],
  [44, 4],
  [48, 4],
  [52, 4],
  [56, 4],
  [60, 4],
  [64, 4],
  [96, 4],
];

/**
 * Damages files in place.
 *
 * @returns What was done.
 */
export function damage(files: Files, choices: Choices): string {
  const done: string[] = [];
  for (let more = choices.pick([1, 1, 2, 4]); more > 0; more--) {
    const suffix = choices.pick([...files.keys()]);
    const bytes = files.get(suffix)!;
    if (bytes.length === 0) continue;
    const what = suffix === "-wal"
      ? damageWal(bytes, choices)
      : suffix === "-journal"
      ? damageJournal(bytes, choices)
      : damageDatabase(bytes, choices);
    done.push(`${suffix === "" ? "the database" : suffix}: ${what}`);
    if (choices.once(10)) {
      const length = choices.integer(bytes.length + 1);
      files.set(suffix, bytes.slice(0, length));
      done.push(`cut after ${length}`);
    }
  }
  if (choices.once(12)) done.push(swap(files, choices));
  return done.join("; ");
}

/** Files change their places, or are missing. */
function swap(files: Files, choices: Choices): string {
  const [from, to] = [choices.pick([...files.keys()]), choices.pick(["-wal", "-journal"] as const)];
  if (from === to && files.delete(to)) return `${to} is missing`;
  files.set(to, files.get(from)!.slice());
  return `${from || "the database"} is also ${to}`;
}

function damageDatabase(bytes: Uint8Array<ArrayBuffer>, choices: Choices): string {
  const view = new DataView(bytes.buffer);
  const pageSize = view.getUint16(16) === 1 ? 65536 : Math.max(512, view.getUint16(16));
  if (choices.once(6)) {
    const [at, size] = choices.pick(FIELDS);
    return put(bytes, at, size, choices);
  }
  const pages = Math.max(1, Math.floor(bytes.length / pageSize));
  const page = choices.once(5) ? 0 : choices.integer(pages);
  return damagePage(bytes, page * pageSize, pageSize, page === 0 ? HEADER : 0, choices);
}

/** Damages a page of a b-tree that begins at an offset. */
function damagePage(
  bytes: Uint8Array<ArrayBuffer>,
  start: number,
  size: number,
  header: number,
  choices: Choices,
): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const at = start + header;
  if (at + 12 > bytes.length) return put(bytes, choices.integer(bytes.length), 1, choices);
  const isInterior = bytes[at] === 2 || bytes[at] === 5;
  const cells = Math.min(view.getUint16(at + 3), size >> 3);
  const pointers = at + (isInterior ? 12 : 8);
  switch (choices.integer(7)) {
    case 0: // the kind of page, free blocks, how many cells, where they begin, the right child
      return put(bytes, at + choices.pick([0, 1, 3, 5, 7, 8, 11]), choices.pick([1, 2]), choices);
    case 1: // where a cell is
      return put(bytes, pointers + 2 * choices.integer(cells + 1), 2, choices);
    case 2: // two cells at one place
      if (cells < 2 || pointers + 2 * cells > bytes.length) break;
      view.setUint16(pointers, view.getUint16(pointers + 2 * choices.between(1, cells - 1)));
      return `page at ${start}: two cells are one`;
    case 3:
    case 4: { // the lengths and types in a cell, or the child that it points to
      if (cells === 0) break;
      const cell = start + view.getUint16(Math.min(pointers + 2 * choices.integer(cells), bytes.length - 2));
      return put(bytes, cell + choices.integer(12), choices.pick([1, 1, 4]), choices);
    }
    case 5: { // another page in this place
      const other = size * choices.integer(Math.floor(bytes.length / size) || 1);
      if (other === 0 || start === 0 || other + size > bytes.length || start + size > bytes.length) break;
      bytes.copyWithin(start, other, other + size);
      return `page at ${start} is that at ${other}`;
    }
    default:
      break;
  }
  return put(bytes, start + choices.integer(size), 1, choices);
}

/** Puts an integer, random or at an edge, big-endian. */
function put(bytes: Uint8Array<ArrayBuffer>, at: number, size: number, choices: Choices): string {
  const start = Math.min(at, bytes.length - 1);
  const end = Math.min(bytes.length, start + size);
  const before = bytes.slice(start, end).toHex();
  const fill = choices.once(3) ? choices.pick([0, 0xff]) : undefined;
  for (let i = start; i < end; i++) {
    bytes[i] = fill ?? (i === end - 1 && choices.once(2) ? choices.pick(EDGES) : choices.integer(256));
  }
  return `${start}: ${before} is ${bytes.slice(start, end).toHex()}`;
}

function damageWal(bytes: Uint8Array<ArrayBuffer>, choices: Choices): string {
  if (bytes.length <= WAL_HEADER + FRAME_HEADER) return put(bytes, choices.integer(bytes.length), 1, choices);
  if (choices.once(6)) return put(bytes, 4 * choices.integer(8), 4, choices);
  const pageSize = new DataView(bytes.buffer).getUint32(8);
  const frames = Math.floor((bytes.length - WAL_HEADER) / (FRAME_HEADER + pageSize));
  if (frames === 0) return put(bytes, choices.integer(bytes.length), 1, choices);
  const at = WAL_HEADER + choices.integer(frames) * (FRAME_HEADER + pageSize);
  const page = new DataView(bytes.buffer).getUint32(at);
  const what = choices.once(5)
    ? put(bytes, at + 4 * choices.integer(6), 4, choices)
    : damagePage(bytes, at + FRAME_HEADER, pageSize, page === 1 ? HEADER : 0, choices);
  if (choices.once(5)) return what;
  correctChecksums(bytes);
  return `${what}, with checksums corrected`;
}

/** Makes the checksums of a `-wal` those of its content (sqlite.org/fileformat2.html, section 4.2). */
function correctChecksums(bytes: Uint8Array<ArrayBuffer>): void {
  const view = new DataView(bytes.buffer);
  const isLittle = (view.getUint32(0) & 1) === 0;
  const pageSize = view.getUint32(8);
  let [a, b] = [0, 0];
  const add = (start: number, end: number) => {
    for (let at = start; at + 8 <= end; at += 8) {
      a = (a + view.getUint32(at, isLittle) + b) >>> 0;
      b = (b + view.getUint32(at + 4, isLittle) + a) >>> 0;
    }
  };
  const write = (at: number) => {
    view.setUint32(at, a);
    view.setUint32(at + 4, b);
  };
  add(0, 24);
  write(24);
  if (pageSize < 512 || pageSize > 65536) return;
  for (let at = WAL_HEADER; at + FRAME_HEADER + pageSize <= bytes.length; at += FRAME_HEADER + pageSize) {
    add(at, at + 8);
    add(at + FRAME_HEADER, at + FRAME_HEADER + pageSize);
    write(at + 16);
  }
}

function damageJournal(bytes: Uint8Array<ArrayBuffer>, choices: Choices): string {
  switch (choices.integer(3)) {
    case 0: // magic, how many records, nonce, how many pages, sector size, page size
      return put(bytes, 4 * choices.integer(7), 4, choices);
    case 1: // the number of the first page
      return put(bytes, 512, 4, choices);
    default:
      return put(bytes, choices.integer(bytes.length), choices.pick([1, 4]), choices);
  }
}
