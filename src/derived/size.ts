/**
 * How many operations a log holds. Counting them reads an index of all of them; the Merkle tree, which is caught up as
 * operations are appended, has a leaf for each, and knows how many these are.
 *
 * @module
 */

import { FileError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { lastSeq } from "../log/entries.ts";
import { tree, treeSize } from "./tree.ts";
import { readWatermark } from "./watermarks.ts";

const COUNT = "SELECT count(*) FROM ops";
const COUNT_AFTER = "SELECT count(*) FROM ops WHERE seq > ?";
/** The rows after the tree are read as a whole: when they are more than this part of the log, an index is smaller. */
const MAX_PART_AFTER = 1 / 32;

/**
 * The number of operations. Nothing is caught up: those that the tree has not seen are counted. Where the tree says
 * anything else than that every `seq` up to its watermark has an operation, as in an intact log, all are counted. Rows
 * that somebody removed since are for an audit to find.
 */
export function countOperations(connection: Connection): number {
  return connection.snapshot(() => {
    const last = lastSeq(connection);
    const seen = readWatermark(connection, tree, last);
    if (last - seen > last * MAX_PART_AFTER || !hasEvery(connection, seen)) return count(connection, COUNT);
    return seen === last ? seen : seen + count(connection, COUNT_AFTER, seen);
  });
}

function hasEvery(connection: Connection, seen: number): boolean {
  if (seen === 0) return true;
  try {
    return treeSize(connection) === seen;
  } catch (error) {
    if (error instanceof FileError && error.code === "derived-damaged") return false;
    throw error;
  }
}

function count(connection: Connection, sql: string, ...parameters: number[]): number {
  return connection.query(sql).value<[number]>(...parameters)![0];
}
