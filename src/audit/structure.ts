/**
 * The structure of the file: b-trees, free pages and `-wal`, read before SQLite reads them.
 *
 * @module
 */

import { FileError } from "../errors.ts";
import { RawFile } from "../sqlite/raw_file.ts";
import { TreeWalk } from "./btree.ts";
import { MovedError, Pages, pageSizeOf } from "./pages.ts";
import { readSchemaRow, type SchemaRow } from "./record.ts";
import type { SchemaObject } from "../log/objects.ts";
import { readWal, type WalIndex } from "./wal.ts";

/** What was found without SQLite. It can be posted to a worker. */
export interface Structure {
  /** The size of all b-trees, in bytes: a file may claim to be larger. */
  bytes: number;
  /** Whether SQLite can read the schema: its b-tree reaches no page twice, and its size is below the limit. */
  isSchemaSafe: boolean;
  /** The objects whose b-trees SQLite must not read. */
  unsafe: { name: string; table: string }[];
  /** All objects in the schema, and the size of their largest row, in bytes. */
  objects: (SchemaObject & { largest: number })[];
  /** What is wrong with the b-trees that SQLite must not read, and with the `-wal`. */
  findings: { message: string; table?: string }[];
  /** What else is wrong. SQLite's integrity check reports it as well, where it is run. */
  faults: string[];
  /** Why the structure could not be read to its end. */
  unread?: string;
}

const DEFAULT_PAGE_SIZE = 4096;
/** The tables that SQLite reads together with the schema, and the SQL with which `ANALYZE` creates them. */
const STATISTICS = /^sqlite_stat\d$/;
const ANALYZED = /^CREATE TABLE sqlite_stat\d\([a-z]+(?:,[a-z]+)*\)$/;
/** Limit of the schema: parsing takes quadratic time, such as for a table of 2,000 columns. */
const MAX_SCHEMA_BYTES = 1 << 20;
const MAX_FAULTS = 100;
/** How often a file is read when its `-wal` is restarted meanwhile. */
const MAX_ATTEMPTS = 3;

/**
 * Reads the structure of a file. A read transaction must be open, so that no page changes meanwhile.
 *
 * @param path The file, which SQLite has opened.
 * @param index What `-shm` said before SQLite opened it.
 */
export function readStructure(path: string, index?: WalIndex): Structure {
  const file = RawFile.openCached(path);
  const walFile = openWal(`${path}-wal`);
  try {
    for (let attempt = 1;; attempt++) {
      try {
        return read(file, walFile, index);
      } catch (error) {
        if (!(error instanceof MovedError)) throw error;
        if (attempt < MAX_ATTEMPTS) continue;
        return {
          ...emptyStructure(),
          bytes: file.size,
          unread: "the pages of the file: other processes kept writing to it",
        };
      }
    }
  } finally {
    walFile?.close();
  }
}

/** Whether SQLite refuses the `-wal` beside a file, and the file with it. */
export function hasRefusedWal(path: string): boolean {
  const wal = openWal(`${path}-wal`);
  try {
    return wal !== undefined && readWal(wal, DEFAULT_PAGE_SIZE)?.isRefused === true;
  } finally {
    wal?.close();
  }
}

/** Without findings. */
function emptyStructure(): Structure {
  return { bytes: 0, isSchemaSafe: true, unsafe: [], objects: [], findings: [], faults: [] };
}

function read(file: RawFile, walFile: RawFile | undefined, index: WalIndex | undefined): Structure {
  const structure = emptyStructure();
  const log = walFile && readWal(walFile, pageSizeOf(file) ?? DEFAULT_PAGE_SIZE, index);
  structure.findings.push(...(log?.faults ?? []).map((message) => ({ message })));
  if (log?.isCut) structure.unread = "what follows 16 GiB of invalid frames in -wal";
  const pages = Pages.open(file, log && { file: walFile!, log });
  if (pages === undefined) return structure; // SQLite reports that this is not a database
  const report = (message: string) => {
    if (structure.faults.length < MAX_FAULTS) structure.faults.push(message);
  };
  const walk = new TreeWalk(pages);
  const objects = readSchema(walk, pages, structure, report);
  if (!structure.isSchemaSafe) return structure;
  for (const { object, root } of objects.toSorted((a, b) => rankOf(a) - rankOf(b))) {
    const { name, table } = object;
    const walked = { ...object, largest: 0 };
    structure.objects.push(walked);
    if (root === 0) continue; // a view, a trigger, a virtual table
    let isSafe = root !== undefined;
    walked.largest = walk.walkTree(root ?? 0, name, (message, isRepeat) => {
      if (!isRepeat) return report(message);
      if (isSafe) structure.findings.push({ message, table });
      isSafe = false;
    });
    if (!isSafe) structure.unsafe.push({ name, table });
  }
  const computed = structure.objects.find(({ name, sql }) => STATISTICS.test(name) && !ANALYZED.test(sql ?? ""));
  if (computed !== undefined) structure.findings.push({ message: `${computed.name} is not as SQLite creates it` });
  const isRepeated = structure.unsafe.some(({ table }) => STATISTICS.test(table));
  if (computed !== undefined || isRepeated) structure.isSchemaSafe = false;
  const header = pages.read(1)!;
  walk.walkFreelist(new DataView(header.buffer, header.byteOffset).getUint32(32), report);
  structure.bytes = walk.count * pages.size;
  return structure;
}

function readSchema(
  walk: TreeWalk,
  pages: Pages,
  structure: Structure,
  report: (message: string) => void,
): SchemaRow[] {
  const encoding = new DataView(pages.read(1)!.slice(0, 100).buffer).getUint32(56);
  const objects: SchemaRow[] = [];
  let total = 0;
  walk.walkTree(1, "the schema", (message, isRepeat) => {
    if (!isRepeat) return report(message);
    if (structure.isSchemaSafe) structure.findings.push({ message });
    structure.isSchemaSafe = false;
  }, (bytes, read) => {
    total += bytes;
    if (total > MAX_SCHEMA_BYTES || !structure.isSchemaSafe) return;
    const payload = read(MAX_SCHEMA_BYTES);
    const row = payload && readSchemaRow(payload, encoding);
    if (row === undefined) report("the schema: a row of it cannot be read");
    else objects.push(row);
  });
  if (total > MAX_SCHEMA_BYTES && structure.isSchemaSafe) {
    const message = `the schema has ${total} bytes, and more than ${MAX_SCHEMA_BYTES} are not read`;
    structure.findings.push({ message });
    structure.isSchemaSafe = false;
  }
  return objects;
}

/** The order in which b-trees are walked, `ops` first: a page of two b-trees is reported for the later one. */
function rankOf({ object: { name, table } }: SchemaRow): number {
  return name === "ops" ? 0 : table === "ops" ? 1 : 2;
}

function openWal(path: string): RawFile | undefined {
  try {
    return Deno.statSync(path).isFile ? RawFile.open(path) : undefined;
  } catch (error) {
    const isMissing = error instanceof FileError && error.code === "missing-file";
    if (isMissing || error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Whether SQLite can read a table and all of its indexes. */
export function isSafe({ unsafe }: Structure, table: string): boolean {
  return unsafe.every((tree) => tree.table !== table);
}

/** The size of the largest row of a table, in bytes. */
export function largestRow({ objects }: Structure, table: string): number {
  return Math.max(0, ...objects.filter(({ name }) => name === table).map(({ largest }) => largest));
}
