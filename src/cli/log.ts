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
import { ABOUT_FILTERS, entriesOf, type Filter, FILTER_OPTIONS, readFilter } from "./filter.ts";
import { listed } from "./listed.ts";
import { openToRead } from "./open.ts";
import { ClosedPipe, type Output, type StyledText } from "./output.ts";
import { EXIT_INTERRUPTED, onInterrupt, watchStdout } from "./signals.ts";

/** How often `--follow` looks for what is new, in milliseconds. */
const FOLLOW_EVERY_MS = 200;
/** The columns of a line that is not read on a terminal. */
const PLAIN_COLUMNS = 120;
/** Below so many, the author is left out; below so many, the time of day. */
const [WITH_AUTHOR, WITH_TIME] = [100, 72];
/** The longest of the types that replay knows is `explanation.record`. */
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
    follow: { help: "go on listing what is appended, until interrupted", alias: "f" },
  },
  example: "log --type note -n 10",
  async run(input: Input, output: Output): Promise<number | void> {
    input.requireArgs(0, 0);
    const filterOf = readFilter(input);
    const limit = input.integer("n", 0);
    const [reverse, follow] = [input.flag("reverse"), input.flag("follow")];
    if (reverse && follow) throw new UsageError("--follow lists what comes next; it does not go with --reverse");
    const { shorten, shortenSpans } = await import("../render/width.ts");
    using log = await openToRead(input);
    const filter = filterOf(log);
    let seen = 0;
    const list = (options: EntriesOptions) => {
      for (const entry of entriesOf(log, filter, options)) {
        if (output.json) output.data(listed(entry.seq, entry.op));
        else {
          const columns = output.columns ?? PLAIN_COLUMNS;
          output.line(...shortenSpans(lineOf(entry, columns, shorten), columns));
        }
        seen = entry.seq;
      }
    };
    if (!follow) return list(reverse ? { limit, reverse } : newest(log, filter, limit));

    // An interrupt ends it in good order: a process that is killed leaves SQLite's other files behind.
    let interrupted = false;
    using _ = onInterrupt(() => interrupted = true);
    const isClosed = watchStdout();
    const before = log.lastSeq();
    list(newest(log, filter, limit));
    seen = Math.max(seen, before); // what came while the list was made is in it
    while (!interrupted) {
      output.flush();
      if (isClosed()) throw new ClosedPipe();
      await new Promise((resolve) => setTimeout(resolve, FOLLOW_EVERY_MS));
      const last = log.lastSeq();
      if (last > seen) list({ sinceSeq: Math.max(seen, filter.entries.sinceSeq) });
      seen = Math.max(seen, last);
    }
    return EXIT_INTERRUPTED;
  },
};

/** The range of the newest operations, oldest of them first. */
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
    [columns < WITH_TIME ? time.slice(0, 10) : time, "dim"],
    [columns < WITH_AUTHOR ? op.type : op.type.padEnd(TYPE_COLUMNS), "cyan"],
    ...columns < WITH_AUTHOR ? [] : [[op.author.slice(0, 12)] satisfies StyledText],
    [op.opId.slice(0, 11), "yellow"],
    [shorten(visibleLine(encodeCanonical(op.body)), columns)],
  ];
  return spans.map(([text, style], i) => [(i === 0 ? "" : "  ") + visibleLine(text), style]);
}
