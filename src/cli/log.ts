/**
 * `mnema log`.
 *
 * @module
 */

import type { EntriesOptions } from "../log/entries.ts";
import type { Entry, OpLog } from "../oplog.ts";
import { formatTime, visibleLine } from "../text.ts";
import { encodeCanonical } from "../wire/canonical.ts";
import { type Command, type Input, UsageError } from "./command.ts";
import { ABOUT_FILTERS, entriesOf, type Filter, FILTER_OPTIONS, openToList, readFilter } from "./filter.ts";
import { listed } from "../render/listed.ts";
import { ClosedPipe, type Output, type StyledText } from "./output.ts";
import { EXIT_INTERRUPTED, onInterrupt, stdoutClosed } from "./signals.ts";

/** The columns of a line that is not written to a terminal. */
const PLAIN_COLUMNS = 120;
/** Narrower lines have no author. */
const MIN_COLUMNS_WITH_AUTHOR = 100;
/** Narrower lines have no time of day. */
const MIN_COLUMNS_WITH_TIME = 72;
/** As long as the longest built-in type, `explanation.record`. */
const TYPE_COLUMNS = 18;

/** Lists operations. */
export const log: Command = {
  args: "",
  summary: "Lists operations, newest last.",
  details: `A line shows seq, time (UTC), type, author, id and the start of the body.

${ABOUT_FILTERS}`,
  options: {
    ...FILTER_OPTIONS,
    n: { value: "N", help: "only the newest N" },
    reverse: { help: "newest first" },
    follow: { help: "then list operations as they are appended, until interrupted", alias: "f" },
  },
  example: "log --type note -n 10",
  async run(input: Input, output: Output): Promise<number | void> {
    input.requireArgs(0, 0);
    const filterOf = readFilter(input);
    const limit = input.integer("n", 0);
    const [reverse, follow] = [input.flag("reverse"), input.flag("follow")];
    if (reverse && follow) throw new UsageError("--follow and --reverse exclude each other");
    const { shorten, shortenSpans } = await import("../render/width.ts");
    using log = await openToList(input);
    const filter = filterOf(log);
    const write = (entry: Entry) => {
      if (output.json) return output.data(listed(entry.seq, entry.op));
      const columns = output.columns ?? PLAIN_COLUMNS;
      output.line(...shortenSpans(lineOf(entry, columns, shorten), columns));
    };
    if (!follow) {
      for (const entry of entriesOf(log, filter, reverse ? { limit, reverse } : newest(log, filter, limit))) {
        write(entry);
      }
      return;
    }

    // An interrupt ends the loop, not the process: a killed process leaves -wal and -shm behind.
    const ends = new AbortController();
    using _ = onInterrupt(() => ends.abort());
    stdoutClosed().then(() => ends.abort(new ClosedPipe()));
    let seen = Math.max(log.lastSeq(), filter.entries.sinceSeq);
    for (const entry of entriesOf(log, filter, newest(log, filter, limit))) {
      write(entry);
      seen = Math.max(seen, entry.seq);
    }
    output.flush();
    const { types, authors } = filter.entries;
    for await (const entry of log.follow({ types, authors, sinceSeq: seen, signal: ends.signal })) {
      if (!filter.accepts(entry)) continue;
      write(entry);
      output.flush();
    }
    if (ends.signal.reason instanceof ClosedPipe) throw ends.signal.reason;
    return EXIT_INTERRUPTED;
  },
};

/** The range of the newest operations that a filter accepts. */
function newest(log: OpLog, filter: Filter, limit: number | undefined): EntriesOptions {
  if (limit === undefined) return {};
  let first: number | undefined;
  for (const { seq } of entriesOf(log, filter, { limit, reverse: true })) first = seq;
  return first === undefined ? { limit: 0 } : { sinceSeq: first - 1 };
}

function lineOf(
  { seq, op }: Entry,
  columns: number,
  shorten: (text: string, columns: number) => string,
): StyledText[] {
  const time = formatTime(op.ts);
  const spans: StyledText[] = [
    [String(seq).padStart(6), "dim"],
    [columns < MIN_COLUMNS_WITH_TIME ? time.slice(0, 10) : time, "dim"],
    [columns < MIN_COLUMNS_WITH_AUTHOR ? op.type : op.type.padEnd(TYPE_COLUMNS), "cyan"],
    ...columns < MIN_COLUMNS_WITH_AUTHOR ? [] : [[op.author.slice(0, 12)] satisfies StyledText],
    [op.opId.slice(0, 11), "yellow"],
    [shorten(visibleLine(encodeCanonical(op.body)), columns)],
  ];
  return spans.map(([text, style], i) => [(i === 0 ? "" : "  ") + visibleLine(text), style]);
}
