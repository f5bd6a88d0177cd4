/**
 * The options of `log` and `export` that choose operations.
 *
 * @module
 */

import type { EntriesOptions } from "../log/entries.ts";
import type { Entry, OpLog } from "../oplog.ts";
import { parseTime } from "../render/parse.ts";
import type { CanonicalValue } from "../wire/value.ts";
import { type Input, type OptionSpec, UsageError } from "./command.ts";
import { checkAuthor, resolveAuthor } from "./ids.ts";
import { openToDerive, openToRead } from "./open.ts";

/** The options that choose operations. */
export const FILTER_OPTIONS: Record<string, OptionSpec> = {
  type: { value: "TYPE", help: "only operations of this type; repeat it, or separate several with commas", many: true },
  author: {
    value: "AUTHOR",
    help: "only operations by this author, whole or abbreviated; repeat it, or separate several with commas",
    many: true,
  },
  since: { value: "SEQ", help: "only operations after this seq" },
  after: { value: "DATE", help: "only operations at or after this time, by the clocks of their authors" },
  before: { value: "DATE", help: "only operations before this time" },
  grep: { value: "TEXT", help: "only operations with TEXT in their body, ignoring case" },
};

/** A paragraph in the help of these commands. */
export const ABOUT_FILTERS =
  `DATE is a day or a time of ISO 8601, such as 2026-11-25 or 2026-11-25T14:30; it is in UTC \
unless it names an offset, as in 2026-11-25T14:30+01:00. So --after 2026-11-01 --before 2026-12-01 is all of November. \
--grep searches the keys and the values of the body for TEXT, which is not a pattern.`;

/** Which operations to list. */
export interface Filter {
  /** The conditions that `OpLog.entries` checks. */
  readonly entries: EntriesOptions & { sinceSeq: number };
  /** Checks the conditions on time and text. */
  accepts(entry: Entry): boolean;
  /** Whether `OpLog.entries` checks all conditions. */
  readonly isExact: boolean;
}

/**
 * Reads the options that choose operations, before the log is opened, so that wrong usage is reported first.
 *
 * @returns Makes the filter for a log, in which abbreviated authors are looked up.
 * @throws {UsageError} For a value that is not valid.
 */
export function readFilter(input: Input): (log: OpLog) => Filter {
  const types = input.values("type");
  const authors = input.values("author")?.map(checkAuthor);
  const sinceSeq = input.integer("since", 0) ?? 0;
  const [after, before] = [timeOf(input, "after"), timeOf(input, "before")];
  const text = input.value("grep")?.toLowerCase();
  return (log) => ({
    entries: {
      types,
      authors: authors?.map((author) => resolveAuthor(log, author)),
      sinceSeq,
      fromTs: after === undefined ? undefined : Math.max(after, 0),
      untilTs: before === undefined ? undefined : Math.max(before, 0),
    },
    isExact: text === undefined,
    accepts: ({ op }) =>
      (after === undefined || op.ts >= after) && (before === undefined || op.ts < before) &&
      (text === undefined || contains(op.body, text)),
  });
}

/** Opens the log to list operations; where they are chosen by time, so that the index of times can be stored. */
export function openToList(input: Input): Promise<OpLog> {
  const isByTime = input.value("after") !== undefined || input.value("before") !== undefined;
  return isByTime ? openToDerive(input) : openToRead(input);
}

/** The operations that a filter accepts. */
export function* entriesOf(log: OpLog, filter: Filter, options: EntriesOptions = {}): Generator<Entry> {
  const { limit = Number.MAX_SAFE_INTEGER, ...range } = options;
  let left = limit;
  if (left === 0) return;
  for (const entry of log.entries({ ...filter.entries, ...range, ...filter.isExact ? { limit } : {} })) {
    if (!filter.accepts(entry)) continue;
    yield entry;
    if (--left === 0) return;
  }
}

function timeOf(input: Input, name: string): number | undefined {
  const text = input.value(name);
  if (text === undefined) return undefined;
  const ts = parseTime(text);
  if (ts !== undefined) return ts;
  throw new UsageError(
    `--${name} takes a day or a time such as 2026-11-25 or 2026-11-25T14:30, in UTC, not ${JSON.stringify(text)}`,
  );
}

/** Whether a text in lower case occurs in a key or a value. */
function contains(value: CanonicalValue, text: string): boolean {
  if (typeof value !== "object" || value === null) return String(value).toLowerCase().includes(text);
  if (Array.isArray(value)) return value.some((item) => contains(item, text));
  return Object.entries(value).some(([key, member]) => key.toLowerCase().includes(text) || contains(member, text));
}
