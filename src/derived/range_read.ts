/**
 * Reads the sorted records and the sums of ranges of them.
 *
 * @module
 */

import { SUM_BYTES } from "../sums.ts";
import type { Connection } from "../sqlite/connection.ts";
import { derivedDamaged } from "./damage.ts";
import {
  addEntries,
  countOf,
  firstNotBelow,
  KEY_BYTES,
  keyAt,
  LEAST_KEY,
  readNode,
  rootLevel,
  shapeOf,
  TIMESTAMP_BYTES,
  type Total,
  uint32At,
} from "./range_nodes.ts";

/** How many nodes are kept in memory, of at most 9 KiB each. */
const MAX_NODES = 256;
const MAX_TIMESTAMP = 2 ** 32 - 1;

/** A record: whole seconds, and the 32 bytes of an id. */
export interface RangeRecord {
  readonly timestamp: number;
  readonly id: Uint8Array;
}

interface Node {
  readonly level: number;
  readonly entries: Uint8Array;
  /** The number of records below it. */
  readonly count: number;
  /** The number of records below the children before each, and, at the end, below all; of a leaf, none. */
  readonly starts: readonly number[];
  /** Its children that have been read. */
  readonly children: Node[];
}

/** A leaf, and the index of its first record. */
interface Leaf {
  readonly leaf: Node;
  readonly first: number;
}

/**
 * The sorted records of a log, by index from 0, as they are in one transaction. The projection must have been caught up.
 * Where the tree contradicts itself, every method throws a `FileError` (`derived-damaged`).
 */
export class RangeReader {
  readonly #connection: Connection;
  readonly #root?: Node;
  #nodes = 0;

  /**
   * @param connection The log's file.
   * @param isEmpty Whether the log is: then there may be no tables.
   */
  constructor(connection: Connection, isEmpty: boolean) {
    this.#connection = connection;
    const level = isEmpty ? undefined : rootLevel(connection);
    if (level !== undefined) this.#root = this.#read(level, LEAST_KEY);
  }

  /** How many records there are. */
  get size(): number {
    return this.#root?.count ?? 0;
  }

  /** A record by its index. */
  at(index: number): RangeRecord {
    const { leaf, first } = this.#leafAt(index);
    return recordAt(leaf.entries, index - first);
  }

  /** The records from one index up to, and without, another. */
  *range(begin: number, end: number): Generator<RangeRecord> {
    for (let index = begin; index < Math.min(end, this.size);) {
      const { leaf, first } = this.#leafAt(index);
      for (const next = Math.min(end, first + leaf.count); index < next; index++) {
        yield recordAt(leaf.entries, index - first);
      }
    }
  }

  /** The index of the first record, from one on, that is not before a time and the first bytes of an id. */
  lowerBound(timestamp: number, prefix: Uint8Array, from = 0): number {
    if (this.#root === undefined || timestamp > MAX_TIMESTAMP) return this.size;
    const key = new Uint8Array(KEY_BYTES);
    new DataView(key.buffer).setUint32(0, timestamp);
    key.set(prefix, TIMESTAMP_BYTES);
    let node = this.#root;
    let first = 0;
    while (node.level > 0) {
      // The last child that begins before the key.
      const i = Math.max(0, firstNotBelow(node.entries, shapeOf(node.level).width, key) - 1);
      first += node.starts[i];
      node = this.#child(node, i);
    }
    return Math.max(from, first + firstNotBelow(node.entries, KEY_BYTES, key));
  }

  /** The sum of the ids from one index up to, and without, another: 32 bytes. */
  sum(begin: number, end: number): Uint8Array {
    const total: Total = { count: 0, sum: new Uint8Array(SUM_BYTES) };
    if (this.#root !== undefined) this.#add(total, this.#root, begin, end);
    return total.sum;
  }

  #add(total: Total, node: Node, begin: number, end: number): void {
    if (node.level === 0) return addEntries(total, 0, node.entries, Math.max(0, begin), Math.min(end, node.count));
    const { starts } = node;
    let i = Math.max(0, firstAfter(starts, begin) - 1);
    const whole = starts[i] < begin ? i + 1 : i; // the first child that is added without a look at it
    if (whole > i) this.#add(total, this.#child(node, i), begin - starts[i], end - starts[i]);
    for (i = whole; i < starts.length - 1 && starts[i + 1] <= end;) i++;
    addEntries(total, node.level, node.entries, whole, i);
    if (i < starts.length - 1 && starts[i] < end) this.#add(total, this.#child(node, i), 0, end - starts[i]);
  }

  #leafAt(index: number): Leaf {
    if (!(index >= 0 && index < this.size)) throw new RangeError(`there is no record ${index} of ${this.size}`);
    let node = this.#root!;
    let first = 0;
    while (node.level > 0) {
      const i = firstAfter(node.starts, index - first) - 1;
      first += node.starts[i];
      node = this.#child(node, i);
    }
    return { leaf: node, first };
  }

  #child(node: Node, i: number): Node {
    const known = node.children[i];
    if (known !== undefined) return known;
    const child = this.#read(node.level - 1, keyAt(node.entries, i, shapeOf(node.level).width));
    // Else an index in it could lead nowhere.
    if (child.count !== countOf(node.entries, i)) {
      throw derivedDamaged(this.#connection, "the counts of the records contradict each other");
    }
    return node.children[i] = child;
  }

  #read(level: number, low: Uint8Array): Node {
    if (++this.#nodes > MAX_NODES) {
      this.#root!.children.length = 0;
      this.#nodes = 1;
    }
    const entries = readNode(this.#connection, level, low);
    const children = entries.length / shapeOf(level).width;
    if (level === 0) return { level, entries, count: children, starts: [], children: [] };
    const starts = [0];
    for (let i = 0; i < children; i++) starts.push(starts[i] + countOf(entries, i));
    return { level, entries, count: starts[children], starts, children: [] };
  }
}

/** The index of the first number that is greater than another; they are in ascending order. */
function firstAfter(numbers: readonly number[], number: number): number {
  let [begin, end] = [0, numbers.length];
  while (begin < end) {
    const middle = (begin + end) >>> 1;
    if (numbers[middle] <= number) begin = middle + 1;
    else end = middle;
  }
  return begin;
}

function recordAt(entries: Uint8Array, i: number): RangeRecord {
  const at = i * KEY_BYTES;
  return { timestamp: uint32At(entries, at), id: entries.slice(at + TIMESTAMP_BYTES, at + KEY_BYTES) };
}
