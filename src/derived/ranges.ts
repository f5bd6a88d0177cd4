/**
 * The records that nodes reconcile, sorted by time and id, in a tree with the count and the sum of the ids below every
 * node: what is said about a range of them costs a few nodes, however many there are. A record is (`floor(ts / 1000)`, at
 * most 2^32-1; the 32 bytes of the id).
 *
 * Caught up before it is read, and as many operations are appended at once.
 *
 * @module
 */

import { SUM_BYTES } from "../sums.ts";
import type { Connection } from "../sqlite/connection.ts";
import type { Batch } from "./batch.ts";
import { type Added, grow } from "./range_grow.ts";
import {
  addEntries,
  COLUMNS,
  firstNotBelow,
  keyAt,
  LEAST_KEY,
  readNode,
  rootLevel,
  setEntry,
  shapeOf,
  type Total,
  writeNode,
} from "./range_nodes.ts";
import { readRecords } from "./range_records.ts";
import type { Run, TableProjection } from "./table_projection.ts";

/** The sorted records, and the sums of ranges of them. */
export const ranges: TableProjection = {
  name: "ranges",
  version: 1,
  tables: { mnema_ranges: COLUMNS },
  readsRows: true,
  start: (connection, seen) => new RangesRun(connection, seen),
};

class RangesRun implements Run {
  readonly #connection: Connection;
  #seen: number;
  #last: number;

  constructor(connection: Connection, seen: number) {
    this.#connection = connection;
    this.#seen = this.#last = seen;
  }

  apply(batch: Batch): void {
    this.#last = batch.last; // all at once is cheaper than batch by batch
  }

  finish(): void {
    for (const added of readRecords(this.#connection, this.#seen, this.#last)) addRecords(this.#connection, added);
    this.#seen = this.#last;
  }
}

/** A node that has changed. */
interface Changed extends Total {
  /** The least key that belongs to it. */
  readonly low: Uint8Array;
  /** When it came from another node; 0 when it was there before. */
  readonly time: number;
}

/** Adds sorted records to the tree. */
function addRecords(connection: Connection, added: Added): void {
  const root = rootLevel(connection);
  let nodes = root === undefined
    ? store(connection, 0, LEAST_KEY, new Uint8Array(), added, true)
    : update(connection, root, LEAST_KEY, added, true);
  let level = root ?? 0;
  while (nodes.length > 1) nodes = settle(connection, ++level, LEAST_KEY, entriesOf(nodes.splice(0, 1)), nodes, true);
}

/** Adds sorted records to a node and those below it. Returns the nodes that it has become. */
function update(
  connection: Connection,
  level: number,
  low: Uint8Array,
  added: Added,
  isLast: boolean,
): Changed[] {
  const entries = readNode(connection, level, low);
  if (level === 0) return store(connection, 0, low, entries, added, isLast);
  const { width } = shapeOf(level);
  const children = entries.length / width;
  const split: Changed[] = [];
  for (let i = 0, from = 0; i < children; i++) {
    const isLastChild = i === children - 1;
    const to = isLastChild
      ? added.times.length
      : firstNotBelow(added.entries, shapeOf(0).width, keyAt(entries, i + 1, width), from);
    if (to > from) {
      const child = keyAt(entries, i, width).slice();
      const [first, ...more] = update(connection, level - 1, child, sliceOf(added, from, to), isLast && isLastChild);
      setEntry(entries, i, child, first);
      split.push(...more);
    }
    from = to;
  }
  return settle(connection, level, low, entries, split, isLast);
}

/** Adds entries for nodes that are new below a node. */
function settle(
  connection: Connection,
  level: number,
  low: Uint8Array,
  existing: Uint8Array,
  nodes: readonly Changed[],
  isLast: boolean,
): Changed[] {
  const added = { entries: entriesOf(nodes), times: Uint32Array.from(nodes, ({ time }) => time) };
  return store(connection, level, low, existing, added, isLast);
}

/** Adds entries to a node, and stores what it has become. */
function store(
  connection: Connection,
  level: number,
  low: Uint8Array,
  existing: Uint8Array,
  added: Added,
  isLast: boolean,
): Changed[] {
  const shape = shapeOf(level);
  return grow(existing, added, shape, isLast).map(({ entries, time }, i) => {
    const own = i === 0 ? low : keyAt(entries, 0, shape.width).slice();
    writeNode(connection, level, own, entries);
    const changed = { low: own, time, count: 0, sum: new Uint8Array(SUM_BYTES) };
    addEntries(changed, level, entries, 0, entries.length / shape.width);
    return changed;
  });
}

function entriesOf(nodes: readonly Changed[]): Uint8Array {
  const entries = new Uint8Array(nodes.length * shapeOf(1).width);
  nodes.forEach((node, i) => setEntry(entries, i, node.low, node));
  return entries;
}

function sliceOf({ entries, times }: Added, from: number, to: number): Added {
  const { width } = shapeOf(0);
  return { entries: entries.subarray(from * width, to * width), times: times.subarray(from, to) };
}
