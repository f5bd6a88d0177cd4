/**
 * Database files that SQLite would never write.
 *
 * @module
 */

import { withDatabase } from "../folder.ts";
import { editBytes } from "./tamper.ts";

const TABLE_LEAF = 13;
const TABLE_INTERIOR = 5;
const INDEX_INTERIOR = 2;

/** The pages of a database file, to be changed in place, and more of them. */
export class PageEditor {
  readonly size: number;
  #bytes: Uint8Array<ArrayBuffer>;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
    const stored = bytes[16] << 8 | bytes[17];
    this.size = stored === 1 ? 65536 : stored;
  }

  /** The file, with the number of its pages put right. */
  get bytes(): Uint8Array<ArrayBuffer> {
    new DataView(this.#bytes.buffer).setUint32(28, this.#bytes.length / this.size);
    return this.#bytes;
  }

  /** A page: numbers start at 1. It holds until a page is added. */
  page(number: number): DataView<ArrayBuffer> {
    return new DataView(this.#bytes.buffer, (number - 1) * this.size, this.size);
  }

  /** Adds a page at the end, and returns its number. */
  add(content: Uint8Array): number {
    const longer = new Uint8Array(this.#bytes.length + this.size);
    longer.set(this.#bytes);
    longer.set(content, this.#bytes.length);
    this.#bytes = longer;
    return longer.length / this.size;
  }

  /** The bytes of a page. */
  bytesOf(number: number): Uint8Array<ArrayBuffer> {
    const { buffer, byteOffset } = this.page(number);
    return new Uint8Array(buffer, byteOffset, this.size);
  }
}

/** Changes the pages of a file. */
export function editPages(path: string, edit: (pages: PageEditor) => void): void {
  editBytes(path, (bytes) => {
    const pages = new PageEditor(bytes);
    edit(pages);
    return pages.bytes;
  });
}

/** The first page of the tree of a table or an index. */
export function rootOf(path: string, name: string): number {
  const select = "SELECT rootpage FROM sqlite_schema WHERE name = ?";
  return name === "sqlite_schema" ? 1 : withDatabase(path, (db) => db.prepare(select).value<[number]>(name)![0]);
}

/**
 * Puts pages above the tree of a table or an index, each of which names the one below it `children` times: so all that
 * the tree holds is there children^levels times.
 */
export function repeatTree(path: string, name: string, levels: number, children: number): void {
  const root = rootOf(path, name);
  editPages(path, (pages) => {
    const start = root === 1 ? 100 : 0;
    const content = pages.bytesOf(root).slice();
    const isTable = content[start] === TABLE_LEAF || content[start] === TABLE_INTERIOR;
    const key = isTable ? new Uint8Array([0x7f]) : firstCell(content);
    let child = pages.add(start === 0 ? content : withoutHeader(content));
    for (let level = 1; level < levels; level++) {
      child = pages.add(interior(pages.size, isTable, child, children, key));
    }
    const top = interior(pages.size, isTable, child, children, key, start);
    pages.bytesOf(root).set(top.subarray(start), start);
  });
}

/** An interior page whose children are all the same page. */
export function interior(
  size: number,
  isTable: boolean,
  child: number,
  children: number,
  key: Uint8Array,
  start = 0,
): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = size;
  for (let i = 0; i < children - 1; i++) {
    at -= 4 + key.length;
    view.setUint32(at, child);
    bytes.set(key, at + 4);
    view.setUint16(start + 12 + 2 * i, at);
  }
  view.setUint8(start, isTable ? TABLE_INTERIOR : INDEX_INTERIOR);
  view.setUint16(start + 3, children - 1);
  view.setUint16(start + 5, at);
  view.setUint32(start + 8, child);
  return bytes;
}

/** The first row of a leaf of an index: its length, of one byte, and its content. */
function firstCell(leaf: Uint8Array): Uint8Array {
  const at = leaf[8] << 8 | leaf[9];
  return leaf.slice(at, at + 1 + leaf[at]);
}

/** The first page of a file as another page: its tree begins at once, and what it points to stays where it is. */
function withoutHeader(content: Uint8Array): Uint8Array {
  const page = content.slice();
  const headerLength = 8 + 2 * (content[103] << 8 | content[104]);
  page.copyWithin(0, 100, 100 + headerLength);
  return page;
}

const WAL_HEADER = 32;
const FRAME_HEADER = 24;

/** A write-ahead log, to be changed. */
export class WalEditor {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly pageSize: number;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
    this.pageSize = new DataView(bytes.buffer).getUint32(8);
  }

  /** How many frames there are, those of before it was started again too. */
  get count(): number {
    return Math.floor((this.bytes.length - WAL_HEADER) / (FRAME_HEADER + this.pageSize));
  }

  /** Where a frame begins: numbers start at 1. */
  at(frame: number): number {
    return WAL_HEADER + (frame - 1) * (FRAME_HEADER + this.pageSize);
  }

  /** The frames that end a commit. */
  commits(): number[] {
    const view = new DataView(this.bytes.buffer);
    return Array.from({ length: this.count }, (_, i) => i + 1).filter((frame) =>
      view.getUint32(this.at(frame) + 4) > 0
    );
  }

  /** Makes all checksums right, over integers of this byte order. */
  seal(littleEndian: boolean): void {
    const view = new DataView(this.bytes.buffer);
    view.setUint32(0, littleEndian ? 0x377f0682 : 0x377f0683);
    let [a, b] = [0, 0];
    const add = (from: number, to: number) => {
      for (let at = from; at < to; at += 8) {
        a = (a + view.getUint32(at, littleEndian) + b) >>> 0;
        b = (b + view.getUint32(at + 4, littleEndian) + a) >>> 0;
      }
    };
    const put = (at: number) => (view.setUint32(at, a), view.setUint32(at + 4, b));
    add(0, 24);
    put(24);
    for (let frame = 1; frame <= this.count; frame++) {
      const at = this.at(frame);
      add(at, at + 8);
      add(at + FRAME_HEADER, at + FRAME_HEADER + this.pageSize);
      put(at + 16);
    }
  }
}

/** Changes the write-ahead log beside a file. */
export function editWal(path: string, edit: (wal: WalEditor) => Uint8Array<ArrayBuffer> | void): void {
  editBytes(`${path}-wal`, (bytes) => edit(new WalEditor(bytes)));
}
