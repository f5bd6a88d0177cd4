/**
 * Damage-tolerant reader of the rows of `ops`: reads them in `seq` order, a batch at a time, and skips what cannot be
 * read. Every batch begins with a search for its first row, so a cyclic b-tree cannot make it loop.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { reading } from "./damage.ts";

/** A row whose content was not read yet. */
export interface Place {
  /** Its `seq`. */
  seq: number;
  /** The size of its wire text, in bytes. */
  bytes: number;
}

/** Consecutive rows, or a range of `seq` that cannot be read. */
export type Stretch = { places: Place[] } | { from: number; to: number | undefined; said: string };

// Not through an index, which may be hostile.
const SELECT_PLACES = "SELECT group_concat(seq || ' ' || coalesce(length(CAST(wire AS BLOB)), 0)) FROM " +
  "(SELECT seq, wire FROM main.ops NOT INDEXED WHERE seq >= ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3)";
const SELECT_NEXT = "SELECT seq FROM main.ops NOT INDEXED WHERE seq >= ?1 AND seq <= ?2 ORDER BY seq LIMIT 1";

const PAGE_ROWS = 1024;
const FIRST = Number.MIN_SAFE_INTEGER;
/** Limit of rows out of order: each of them costs a batch that is read again. */
const MAX_DISORDERED = 10_000;

/**
 * Finds the rows of a file, a batch at a time, without those whose `seq` is beyond 2^53.
 *
 * @param connection The log's file.
 * @param upTo The last `seq`.
 */
export function* readPlaces(connection: Connection, upTo: number): Generator<Stretch> {
  let after = FIRST - 1;
  let disordered = 0;
  let single = 0; // how many batches of one row are left, around what cannot be read
  for (;;) {
    const limit = single > 0 ? 1 : PAGE_ROWS;
    let said = "";
    const text = reading<string | null | undefined>(
      () => connection.query(SELECT_PLACES).value<[string | null]>(after + 1, upTo, limit)?.[0],
      (damage) => void (said = damage),
    );
    if (text === null) return;
    if (text === undefined) {
      if (limit > 1) {
        single = PAGE_ROWS;
        continue;
      }
      const to = lastOfDamage(connection, after + 1, upTo);
      yield { from: after + 1, to, said };
      if (to === undefined) return;
      after = to;
      continue;
    }
    single--;
    const places: Place[] = [];
    for (const place of text.split(",")) {
      const [seq, bytes] = place.split(" ").map(Number);
      if (!(seq > after)) { // the b-tree is out of order, which SQLite's integrity check reports
        disordered++;
        continue;
      }
      places.push({ seq, bytes });
      after = seq;
    }
    if (places.length === 0) return;
    yield { places };
    if (disordered > MAX_DISORDERED) {
      yield { from: after + 1, to: undefined, said: "too many rows are out of order" };
      return;
    }
  }
}

/** The last `seq` of a range that cannot be read and starts at `from`; undefined when it has no end. */
function lastOfDamage(connection: Connection, from: number, upTo: number): number | undefined {
  const next = (seq: number) =>
    reading<number | null | undefined>(
      () => connection.query(SELECT_NEXT).value<[number]>(seq, upTo)?.[0] ?? null,
      () => undefined,
    );
  const first = next(from);
  if (typeof first === "number") return first; // the row is found, and its content cannot be read
  let [broken, step] = [from, 1];
  let whole = from;
  for (;; step *= 2) {
    whole = Math.min(upTo, from + step);
    if (next(whole) !== undefined) break;
    if (whole === upTo) return undefined;
    broken = whole;
  }
  while (whole - broken > 1) {
    const middle = broken + Math.floor((whole - broken) / 2);
    if (next(middle) === undefined) broken = middle;
    else whole = middle;
  }
  return next(whole) === null ? undefined : broken;
}
