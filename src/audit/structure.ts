/**
 * Whether SQLite can walk the file: its b-trees, its free pages and its `-wal`, looked at before SQLite does.
 *
 * @module
 */

import { RawFile } from "./raw_file.ts";
import { TreeWalk } from "./btree.ts";
import { MovedError, Pages, pageSizeOf } from "./pages.ts";
import { readSchemaRow, type SchemaRow } from "./record.ts";
import type { SchemaObject } from "../log/objects.ts";
import { readWal } from "./wal.ts";

/** What was found without SQLite. It can be sent to a worker. */
export interface Structure {
  /** How many bytes the trees have: what a file claims may be more. */
  bytes: number;
  /** Whether SQLite can read the schema: its tree reaches no page twice, and it is no larger than a schema is. */
  isSchemaSafe: boolean;
  /** The objects whose trees SQLite must not walk. */
  unsafe: { name: string; table: string }[];
  /** All objects in the schema, and how many bytes their largest row has. */
  objects: (SchemaObject & { largest: number })[];
  /** What is wrong with the trees that SQLite must not walk, and with the `-wal`. */
  findings: { message: string; table?: string }[];
  /** What else is wrong. SQLite's own check says so as well, where it is run. */
  faults: string[];
  /** Why the structure could not be read to its end. */
  unread?: string;
}

const DEFAULT_PAGE_SIZE = 4096;
/** What SQLite reads together with the schema, and how `ANALYZE` makes it. */
const STATISTICS = /^sqlite_stat\d$/;
const ANALYZED = /^CREATE TABLE sqlite_stat\d\([a-z]+(?:,[a-z]+)*\)$/;
/** Parsing takes time that grows faster than a schema: a table of 2,000 columns compares each with all before it. */
const MAX_SCHEMA_BYTES = 1 << 20;
const MAX_FAULTS = 100;
/** So often a file is read from its start, when its `-wal` is started again meanwhile. */
const MAX_ATTEMPTS = 3;

/**
 * Looks at the structure of a file. A read transaction must be open, so that nothing moves meanwhile.
 *
 * @param path The file, which SQLite has opened.
 */
export function readStructure(path: string): Structure {
  const file = RawFile.openCached(path);
  const walFile = openWal(`${path}-wal`);
  try {
    for (let attempt = 1;; attempt++) {
      try {
        return read(file, walFile);
      } catch (error) {
        if (!(error instanceof MovedError)) throw error;
        if (attempt < MAX_ATTEMPTS) continue;
        return { ...noStructure(), bytes: file.size, unread: "the pages of the file: others wrote to it all the time" };
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

/** Nothing is known, and nothing is held against the file. */
function noStructure(): Structure {
  return { bytes: 0, isSchemaSafe: true, unsafe: [], objects: [], findings: [], faults: [] };
}

function read(file: RawFile, walFile: RawFile | undefined): Structure {
  const structure = noStructure();
  const log = walFile && readWal(walFile, pageSizeOf(file) ?? DEFAULT_PAGE_SIZE);
  structure.findings.push(...(log?.faults ?? []).map((message) => ({ message })));
  if (log?.isCut) structure.unread = "what is behind 16 GiB of wrong frames in -wal";
  const pages = Pages.open(file, log && { file: walFile!, log });
  if (pages === undefined) return structure; // SQLite says that this is no database
  const tell = (message: string) => {
    if (structure.faults.length < MAX_FAULTS) structure.faults.push(message);
  };
  const walk = new TreeWalk(pages);
  const objects = readSchema(walk, pages, structure, tell);
  if (!structure.isSchemaSafe) return structure;
  for (const { object, root } of objects.toSorted((a, b) => rankOf(a) - rankOf(b))) {
    const { name, table } = object;
    const walked = { ...object, largest: 0 };
    structure.objects.push(walked);
    if (root === 0) continue; // a view, a trigger, a virtual table
    let isSafe = root !== undefined;
    walked.largest = walk.walkTree(root ?? 0, name, (message, isRepeat) => {
      if (!isRepeat) return tell(message);
      if (isSafe) structure.findings.push({ message, table });
      isSafe = false;
    });
    if (!isSafe) structure.unsafe.push({ name, table });
  }
  const computed = structure.objects.find(({ name, sql }) => STATISTICS.test(name) && !ANALYZED.test(sql ?? ""));
  if (computed !== undefined) structure.findings.push({ message: `${computed.name} is not what SQLite makes` });
  const isRepeated = structure.unsafe.some(({ table }) => STATISTICS.test(table));
  if (computed !== undefined || isRepeated) structure.isSchemaSafe = false;
  const header = pages.read(1)!;
  walk.walkFreelist(new DataView(header.buffer, header.byteOffset).getUint32(32), tell);
  structure.bytes = walk.count * pages.size;
  return structure;
}

function readSchema(walk: TreeWalk, pages: Pages, structure: Structure, tell: (message: string) => void): SchemaRow[] {
  const encoding = new DataView(pages.read(1)!.slice(0, 100).buffer).getUint32(56);
  const objects: SchemaRow[] = [];
  let total = 0;
  walk.walkTree(1, "the schema", (message, isRepeat) => {
    if (!isRepeat) return tell(message);
    if (structure.isSchemaSafe) structure.findings.push({ message });
    structure.isSchemaSafe = false;
  }, (bytes, read) => {
    total += bytes;
    if (total > MAX_SCHEMA_BYTES || !structure.isSchemaSafe) return;
    const payload = read(MAX_SCHEMA_BYTES);
    const row = payload && readSchemaRow(payload, encoding);
    if (row === undefined) tell("the schema: a row of it cannot be read");
    else objects.push(row);
  });
  if (total > MAX_SCHEMA_BYTES && structure.isSchemaSafe) {
    const message = `the schema has ${total} bytes, and more than ${MAX_SCHEMA_BYTES} are not read`;
    structure.findings.push({ message });
    structure.isSchemaSafe = false;
  }
  return objects;
}

/** In which order trees are walked, `ops` first: a page that two have in common is found in the later one. */
function rankOf({ object: { name, table } }: SchemaRow): number {
  return name === "ops" ? 0 : table === "ops" ? 1 : 2;
}

function openWal(path: string): RawFile | undefined {
  try {
    return Deno.statSync(path).isFile ? RawFile.open(path) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Whether SQLite can walk a table and all of its indexes. */
export function isSafe({ unsafe }: Structure, table: string): boolean {
  return unsafe.every((tree) => tree.table !== table);
}

/** How many bytes the largest row of a table has. */
export function largestRow({ objects }: Structure, table: string): number {
  return Math.max(0, ...objects.filter(({ name }) => name === table).map(({ largest }) => largest));
}
