/**
 * Walks the b-trees in a database file (sqlite.org/fileformat2.html, section 1.6) without SQLite: each page at most once,
 * so the walk terminates for any file, after as many reads as the file has pages.
 *
 * SQLite trusts its file. It reads a page, and all pages below it, again for each reference to it: twenty pages that name
 * the next one a hundred times each are more rows than can ever be read. Other damage to a b-tree is safe to read: SQLite
 * reports an invalid type, a missing page, a tree that is too deep or a value that is too long.
 *
 * @module
 */

import { HEADER_BYTES, type Pages } from "./pages.ts";

const INDEX_INTERIOR = 2;
const TABLE_INTERIOR = 5;
const INDEX_LEAF = 10;
const TABLE_LEAF = 13;
/** Limit of the depth of a b-tree in SQLite. */
const MAX_DEPTH = 20;

/** Called with each fault; `isRepeat` when a page is reached a second time, so that SQLite must not read the tree. */
export type OnFault = (message: string, isRepeat: boolean) => void;

/** Reads the content of a row, up to a limit; undefined when it is damaged. */
export type ReadPayload = (maxBytes: number) => Uint8Array | undefined;

/** Called with each row: its size in bytes, and a function that reads it. */
export type OnRow = (bytes: number, read: ReadPayload) => void;

/** Walks trees and lists, and remembers their pages. */
export class TreeWalk {
  readonly #pages: Pages;
  readonly #visited = new PageSet();
  #onFault: OnFault = () => {};
  #name = "";
  #largest = 0;

  /** How many distinct pages were reached. */
  count = 0;

  /** @param pages The pages of the file. */
  constructor(pages: Pages) {
    this.#pages = pages;
  }

  /**
   * Walks a tree.
   *
   * @param root Its first page.
   * @param name What messages call it.
   * @param onFault Called with each fault.
   * @param onRow Called with each row of a table.
   * @returns The size of the largest row, in bytes.
   */
  walkTree(root: number, name: string, onFault: OnFault, onRow?: OnRow): number {
    this.#name = name;
    this.#onFault = onFault;
    this.#largest = 0;
    this.#walk(root, 1, undefined, onRow);
    return this.#largest;
  }

  /** Walks the list of free pages: trunk pages, which name the next trunk page and free pages. */
  walkFreelist(first: number, onFault: OnFault): void {
    this.#name = "the free pages";
    this.#onFault = onFault;
    for (let trunk = first; trunk !== 0;) {
      const page = this.#visit(trunk);
      if (page === undefined) return;
      const view = viewOf(page);
      const [next, count] = [view.getUint32(0), view.getUint32(4)];
      if (count > this.#pages.usable / 4 - 2) return this.#fault(`page ${trunk} names ${count} pages`);
      for (let i = 0; i < count; i++) this.#enter(view.getUint32(8 + 4 * i));
      trunk = next;
    }
  }

  #walk(number: number, depth: number, isTable: boolean | undefined, onRow?: OnRow) {
    if (depth > MAX_DEPTH) return this.#fault(`page ${number} is deeper than ${MAX_DEPTH} pages`);
    const page = this.#visit(number);
    if (page === undefined) return;
    const start = number === 1 ? HEADER_BYTES : 0;
    const type = page[start];
    const isInterior = type === TABLE_INTERIOR || type === INDEX_INTERIOR;
    const isOfTable = type === TABLE_INTERIOR || type === TABLE_LEAF;
    if (!isInterior && type !== TABLE_LEAF && type !== INDEX_LEAF || isOfTable !== (isTable ?? isOfTable)) {
      return this.#fault(`page ${number} is of type ${type}`);
    }
    const { children, overflows, rows } = this.#readCells(page, number, start, { isInterior, isOfTable }, onRow);
    for (const { first, count } of overflows) this.#walkOverflow(first, count);
    for (const { bytes, read } of rows) onRow!(bytes, read);
    for (const child of children) this.#walk(child, depth + 1, isOfTable, onRow);
  }

  #readCells(
    page: Uint8Array,
    number: number,
    start: number,
    { isInterior, isOfTable }: { isInterior: boolean; isOfTable: boolean },
    onRow?: OnRow,
  ): Cells {
    const cells: Cells = { children: [], overflows: [], rows: [] };
    const { usable } = this.#pages;
    const view = viewOf(page);
    const count = view.getUint16(start + 3);
    const pointers = start + (isInterior ? 12 : 8);
    if (pointers + 2 * count > usable) {
      this.#fault(`page ${number} has ${count} cells`);
      return cells;
    }
    const maxLocal = isOfTable ? usable - 35 : Math.floor((usable - 12) * 64 / 255) - 23;
    for (let i = 0; i < count; i++) {
      let at = view.getUint16(pointers + 2 * i);
      if (at < pointers + 2 * count || at > usable - 4) {
        this.#fault(`cell ${i} of page ${number} is outside of it`);
        continue;
      }
      if (isInterior) {
        cells.children.push(view.getUint32(at));
        if (isOfTable) continue;
        at += 4;
      }
      // SQLite takes up to nine bytes for the length, and 32 bits of it.
      let byte = page[at++];
      let bytes = byte & 0x7f;
      for (let n = 1; byte >= 0x80 && n < 9; n++) {
        byte = page[at++];
        bytes = (bytes << 7 | byte & 0x7f) >>> 0;
      }
      if (isOfTable) { for (let n = 1; page[at++] >= 0x80 && n < 9; n++); // the rowid
       }
      if (bytes > this.#largest) this.#largest = bytes;
      const local = bytes <= maxLocal ? bytes : this.#localBytes(bytes, maxLocal);
      const end = at + local + (local < bytes ? 4 : 0);
      if (end > usable) {
        this.#fault(`cell ${i} of page ${number} is outside of it`);
        continue;
      }
      const first = local < bytes ? view.getUint32(at + local) : 0;
      if (local < bytes) cells.overflows.push({ first, count: Math.ceil((bytes - local) / (usable - 4)) });
      if (onRow === undefined || !isOfTable) continue;
      const start = page.slice(at, at + local);
      cells.rows.push({ bytes, read: (maxBytes) => this.#readPayload(start, first, bytes, maxBytes) });
    }
    if (isInterior) cells.children.push(view.getUint32(start + 8));
    return cells;
  }

  /** How many bytes of a value with overflow pages are in its cell. */
  #localBytes(bytes: number, maxLocal: number): number {
    const { usable } = this.#pages;
    const minLocal = Math.floor((usable - 12) * 32 / 255) - 23;
    const local = minLocal + (bytes - minLocal) % (usable - 4);
    return local <= maxLocal ? local : minLocal;
  }

  #walkOverflow(first: number, count: number): void {
    if (count > this.#pages.count) return this.#fault(`a value has ${count} pages, and the file ${this.#pages.count}`);
    let next = first;
    for (let i = 0; i < count; i++) {
      const page = this.#visit(next);
      if (page === undefined) return;
      next = viewOf(page).getUint32(0);
    }
  }

  /** Reads a value whose pages were visited before. */
  #readPayload(start: Uint8Array, first: number, bytes: number, maxBytes: number): Uint8Array | undefined {
    const payload = new Uint8Array(Math.min(bytes, maxBytes));
    payload.set(start.subarray(0, payload.length));
    let next = first;
    for (let at = start.length; at < payload.length; at += this.#pages.usable - 4) {
      if (next < 1 || next > this.#pages.count) return undefined;
      const page = this.#pages.read(next);
      if (page === undefined) return undefined;
      payload.set(page.subarray(4, Math.min(this.#pages.usable, 4 + payload.length - at)), at);
      next = viewOf(page).getUint32(0);
    }
    return payload;
  }

  /** Reads a page, which must not have been visited before. */
  #visit(number: number): Uint8Array | undefined {
    if (!this.#enter(number)) return undefined;
    const page = this.#pages.read(number);
    if (page === undefined) this.#fault(`page ${number} is beyond the end of the file`);
    return page;
  }

  #enter(number: number): boolean {
    if (number < 1 || number > this.#pages.count) {
      this.#fault(`page ${number} is named, and the file has ${this.#pages.count}`);
      return false;
    }
    if (this.#visited.add(number)) {
      this.count++;
      return true;
    }
    this.#onFault(`${this.#name}: page ${number} is reached a second time`, true);
    return false;
  }

  #fault(message: string): void {
    this.#onFault(`${this.#name}: ${message}`, false);
  }
}

interface Cells {
  children: number[];
  overflows: { first: number; count: number }[];
  rows: { bytes: number; read: ReadPayload }[];
}

const BLOCK_PAGES = 1 << 16;

/** A set of page numbers: a bit for each, in blocks, because a file may have many unreachable pages. */
class PageSet {
  readonly #blocks = new Map<number, Uint8Array>();

  /** Adds a page, and returns whether it is new. */
  add(page: number): boolean {
    const key = Math.floor(page / BLOCK_PAGES);
    let block = this.#blocks.get(key);
    if (block === undefined) this.#blocks.set(key, block = new Uint8Array(BLOCK_PAGES / 8));
    const at = page % BLOCK_PAGES;
    const bit = 1 << (at & 7);
    const isNew = (block[at >> 3] & bit) === 0;
    block[at >> 3] |= bit;
    return isNew;
  }
}

function viewOf(page: Uint8Array): DataView {
  return new DataView(page.buffer, page.byteOffset, page.byteLength);
}
