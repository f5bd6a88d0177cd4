/**
 * Reading the rows of a file that may be damaged: in `seq` order, some hundreds at a time, and on behind what cannot be
 * read. Every page begins with a search for its first row, so a tree that leads in circles does not hold the reader up.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { reading } from "./damage.ts";

/** A row that is there: what stands in it was not read yet. */
export interface Place {
  /** Its `seq`. */
  seq: number;
  /** How many bytes its wire text has. */
  bytes: number;
}

/** Rows that follow each other, or a stretch that cannot be read. */
export type Stretch = { places: Place[] } | { from: number; to: number | undefined; said: string };

// Not through an index, which may be of somebody else's making.
const SELECT_PLACES = "SELECT group_concat(seq || ' ' || coalesce(length(CAST(wire AS BLOB)), 0)) FROM " +
  "(SELECT seq, wire FROM main.ops NOT INDEXED WHERE seq >= ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3)";
const SELECT_NEXT = "SELECT seq FROM main.ops NOT INDEXED WHERE seq >= ?1 AND seq <= ?2 ORDER BY seq LIMIT 1";

const PAGE_ROWS = 1024;
const FIRST = Number.MIN_SAFE_INTEGER;
/** A tree may be so far out of order; more, and a page of rows is read for each that is new. */
const MAX_DISORDERED = 10_000;

/**
 * Finds the rows of a file, one page after the other. What a `seq` cannot be, beyond 2^53, is not among them.
 *
 * @param connection The log's file.
 * @param upTo The last `seq`.
 */
export function* readPlaces(connection: Connection, upTo: number): Generator<Stretch> {
  let after = FIRST - 1;
  let disordered = 0;
  let careful = 0; // so many pages of one row are to come, around what cannot be read
  for (;;) {
    const limit = careful > 0 ? 1 : PAGE_ROWS;
    let said = "";
    const text = reading<string | null | undefined>(
      () => connection.query(SELECT_PLACES).value<[string | null]>(after + 1, upTo, limit)?.[0],
      (damage) => void (said = damage),
    );
    if (text === null) return;
    if (text === undefined) {
      if (limit > 1) {
        careful = PAGE_ROWS;
        continue;
      }
      const to = lastOfDamage(connection, after + 1, upTo);
      yield { from: after + 1, to, said };
      if (to === undefined) return;
      after = to;
      continue;
    }
    careful--;
    const places: Place[] = [];
    for (const place of text.split(",")) {
      const [seq, bytes] = place.split(" ").map(Number);
      if (!(seq > after)) { // the tree is out of order, as SQLite's own check says
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

/** From a `seq` where reading fails, the last where it does; undefined when it fails to the end. */
function lastOfDamage(connection: Connection, from: number, upTo: number): number | undefined {
  const next = (seq: number) =>
    reading<number | null | undefined>(
      () => connection.query(SELECT_NEXT).value<[number]>(seq, upTo)?.[0] ?? null,
      () => undefined,
    );
  const first = next(from);
  if (typeof first === "number") return first; // the row is found, and what stands in it is not
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
