/**
 * Following a log: its operations in `seq` order, and then those that are appended, by this process or another.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { Changes } from "./changes.ts";
import type { Connection } from "../sqlite/connection.ts";
import type { SeqRange } from "./pager.ts";
import { distinctTexts, type EntriesOptions, lastSeq, readEntries, requireInteger, requireObject } from "./entries.ts";

/** Which operations to follow, and until when. */
export interface FollowOptions extends Pick<EntriesOptions, "types" | "authors"> {
  /** Begins with the operation after this `seq`; by default with what is appended after the call. */
  sinceSeq?: number;
  /** Ends the iteration, without an error. */
  signal?: AbortSignal;
}

/**
 * Follows a log until the signal aborts or the log is closed. Commits that happen between two reads are read in one go.
 *
 * @param connection The log's file.
 * @param changes Reports that the file may have changed.
 * @param options Which operations, and until when.
 * @param decode Converts a row, from its `seq` and its wire text.
 * @throws {LogError} `invalid-argument`.
 */
export function followEntries<T>(
  connection: Connection,
  changes: Changes,
  options: FollowOptions,
  decode: (seq: number, wire: string) => T,
): AsyncGenerator<T, void, undefined> {
  requireObject("options", options);
  const { sinceSeq = lastSeq(connection), signal, types, authors } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new LogError("invalid-argument", "signal must be an AbortSignal");
  }
  requireInteger("sinceSeq", sinceSeq, 0);
  const filter = { // read once: an iterator gives its values only once
    types: types === undefined ? undefined : distinctTexts(types),
    authors: authors === undefined ? undefined : distinctTexts(authors),
  };
  const left = new AbortController();
  const ends = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]);
  const entries = follow(connection, changes, { sinceSeq, signal: ends, filter }, decode);
  const leave = entries.return;
  entries.return = (value) => { // the generator's method would wait for the next entry
    left.abort();
    return leave.call(entries, value);
  };
  return entries;
}

async function* follow<T>(
  connection: Connection,
  changes: Changes,
  { sinceSeq, signal, filter }: { sinceSeq: number; signal: AbortSignal; filter: EntriesOptions },
  decode: (seq: number, wire: string) => T,
): AsyncGenerator<T, void, undefined> {
  for await (const { after, upTo } of followRanges(connection, changes, sinceSeq, signal)) {
    for (const entry of readEntries(connection, { ...filter, sinceSeq: after }, decode, upTo)) {
      yield entry;
      if (isOver(connection, signal)) return;
    }
  }
}

/**
 * The ranges of `seq` that are appended, one after the other, until the signal aborts or the log is closed.
 *
 * @param connection The log's file.
 * @param changes Reports that the file may have changed.
 * @param sinceSeq Begins with the operation after this `seq`.
 * @param signal Ends the iteration, without an error.
 */
export async function* followRanges(
  connection: Connection,
  changes: Changes,
  sinceSeq: number,
  signal: AbortSignal,
): AsyncGenerator<SeqRange, void, undefined> {
  using _watch = changes.watch();
  let after = sinceSeq;
  while (!isOver(connection, signal)) {
    const { version } = changes;
    // While a long transaction runs on this connection, what it has inserted may still be rolled back.
    const upTo = connection.isHeld ? after : lastSeq(connection);
    if (upTo > after) {
      yield { after, upTo };
      after = upTo;
    }
    await changes.after(version, signal);
  }
}

function isOver(connection: Connection, signal: AbortSignal): boolean {
  return signal.aborted || !connection.isOpen;
}
