/**
 * A model of a disk that remembers what was synced. It is told of the calls that SQLite makes in one folder, and gives the
 * files as a power cut could leave them: what was synced is there; of the rest, sector by sector, any of the versions since
 * then, and so no version, too. POSIX promises no more, and a new or deleted file is certain only once its folder is synced.
 *
 * SQLite relies on one thing more, which disks keep (https://sqlite.org/psow.html): a write that is torn does not change
 * bytes beside those that were to be written.
 *
 * @module
 */

import type { Call } from "./layer.ts";
import type { Random } from "./random.ts";

/** A change of a file that is not synced. */
type Change = { readonly offset: number; readonly bytes: Uint8Array } | { readonly size: number };

/** A file, under whatever names. */
interface Inode {
  /** What is on the disk for certain. */
  synced: Uint8Array;
  /** What was changed since. */
  changes: Change[];
}

/** A change of the folder: a file under a name, or none. */
interface NameChange {
  readonly name: string;
  readonly inode?: Inode;
}

/** How much of what is not synced a power cut leaves. */
type Loss = "everything" | "nothing" | "end" | "some";

const LOSSES: readonly Loss[] = ["everything", "nothing", "end", "some", "some"];

/** The files in a folder after a power cut. */
export type Files = Map<string, Uint8Array>;

/** A disk with one folder. */
export class Disk {
  readonly #synced: Map<string, Inode>;
  readonly #names: Map<string, Inode>;
  #changes: NameChange[] = [];
  /** Files whose next sync is the first since they were opened as a journal: it syncs the folder as well. */
  readonly #withFolder = new Set<string>();

  /** @param files What is on the disk at the beginning, by path. */
  constructor(files: Files = new Map()) {
    this.#synced = new Map([...files].map(([path, synced]) => [path, { synced, changes: [] }]));
    this.#names = new Map(this.#synced);
  }

  /** Makes a call. */
  apply(call: Call): void {
    switch (call.kind) {
      case "open": {
        if (call.isCreating && call.isJournal) this.#withFolder.add(call.path);
        if (!this.#names.has(call.path)) this.#name(call.path, { synced: new Uint8Array(), changes: [] });
        break;
      }
      case "write":
        this.#inode(call.path).changes.push({ offset: call.offset, bytes: call.bytes });
        break;
      case "truncate":
        this.#inode(call.path).changes.push({ size: call.size });
        break;
      case "sync": {
        const inode = this.#inode(call.path);
        inode.synced = contentOf(inode, inode.changes.length, () => inode.changes.length);
        inode.changes = [];
        if (this.#withFolder.delete(call.path)) this.#syncFolder();
        break;
      }
      case "delete":
        if (this.#names.has(call.path)) this.#name(call.path, undefined);
        if (call.syncsFolder) this.#syncFolder();
        break;
    }
  }

  /**
   * Makes a sync that fails, or a deletion whose sync of the folder fails. The system takes for written what it was to
   * write to a file: any part of that is lost for good, also if a later sync succeeds, and is read as if it were there. The
   * changes of a folder are only not synced yet: a file system keeps them together, and stops when it cannot.
   */
  fail(call: Call, random: Random): void {
    if (call.kind === "delete") {
      this.apply({ ...call, syncsFolder: false });
    } else if (call.kind === "sync") {
      const inode = this.#inode(call.path);
      const size = contentOf(inode, inode.changes.length, () => 0).length;
      inode.synced = lossy(inode, random.pick(LOSSES), choicesOf(random));
      inode.changes = [{ size }]; // the system knows the size of a file by heart, and writes it again
    } else {
      throw new Error(`${call.kind} syncs nothing`);
    }
  }

  /** The files after a power cut now. */
  cut(random: Random): Files {
    const loss = random.pick(LOSSES);
    const choices = choicesOf(random);
    const { kept } = choices;
    const names = new Map(this.#synced);
    const count = this.#changes.length;
    const certain = loss === "everything" ? 0 : loss === "nothing" ? count : random.integer(count + 1);
    this.#changes.forEach(({ name, inode }, i) => {
      if (i >= certain && !(loss === "some" && random.chance(kept))) return;
      if (inode === undefined) names.delete(name);
      else names.set(name, inode);
    });
    return new Map([...names].map(([name, inode]) => [name, lossy(inode, loss, choices)]));
  }

  #name(name: string, inode: Inode | undefined): void {
    if (inode === undefined) this.#names.delete(name);
    else this.#names.set(name, inode);
    this.#changes.push({ name, inode });
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw new Error(`${path} was changed and never opened`);
    return inode;
  }

  #syncFolder(): void {
    for (const { name, inode } of this.#changes) {
      if (inode === undefined) this.#synced.delete(name);
      else this.#synced.set(name, inode);
    }
    this.#changes = [];
  }
}

/** How a loss is chosen. */
interface Choices {
  readonly random: Random;
  /** Bytes that are written as a whole. */
  readonly sector: number;
  /** How much is kept, of 1. */
  readonly kept: number;
}

function choicesOf(random: Random): Choices {
  return { random, sector: random.pick([512, 4096]), kept: random.fraction() };
}

/** A file after a power cut. */
function lossy(inode: Inode, loss: Loss, { random, sector, kept }: Choices): Uint8Array {
  const { length } = inode.changes;
  if (loss === "everything") return contentOf(inode, 0, () => 0);
  if (loss === "nothing") return contentOf(inode, length, () => length);
  if (loss === "end") { // the last change that is kept is torn
    const end = random.integer(length + 1);
    return contentOf(inode, Math.min(end + 1, length), () => random.chance(0.5) ? end : end + 1, sector);
  }
  const some = () => random.chance(kept) ? length : random.integer(length + 1);
  const isFilled = random.chance(0.5);
  return contentOf(inode, some(), some, sector, isFilled ? random : undefined);
}

/**
 * The content of a file in which each sector has a version of its own.
 *
 * @param inode The file.
 * @param version How many changes the size of the file has seen.
 * @param versionOf Chooses how many changes the next sector has seen.
 * @param sector Bytes that are written as a whole.
 * @param garbage Where it is given, what was never written is filled with it, and not with zeros.
 */
function contentOf(
  { synced, changes }: Inode,
  version: number,
  versionOf: () => number,
  sector = 4096,
  garbage?: Random,
): Uint8Array {
  const size = changes.slice(0, version).reduce(
    (size, change) => "size" in change ? change.size : Math.max(size, change.offset + change.bytes.length),
    synced.length,
  );
  const content = new Uint8Array(size);
  content.set(synced.subarray(0, size));
  if (garbage !== undefined && size > synced.length) content.fill(garbage.integer(256), synced.length);
  const versions = new Map<number, number>();
  const hasSeen = (at: number, i: number) => {
    let seen = versions.get(at);
    if (seen === undefined) versions.set(at, seen = versionOf());
    return seen > i;
  };
  changes.forEach((change, i) => {
    if ("size" in change) {
      for (let at = change.size; at < size; at = endOf(at, sector)) {
        if (hasSeen(Math.floor(at / sector), i)) content.fill(0, at, Math.min(endOf(at, sector), size));
      }
      return;
    }
    const { offset, bytes } = change;
    const last = Math.min(offset + bytes.length, size);
    for (let at = offset; at < last; at = endOf(at, sector)) {
      const end = Math.min(endOf(at, sector), last);
      if (hasSeen(Math.floor(at / sector), i)) content.set(bytes.subarray(at - offset, end - offset), at);
    }
  });
  return content;
}

/** The end of the sector that holds an offset. */
function endOf(at: number, sector: number): number {
  return (Math.floor(at / sector) + 1) * sector;
}
