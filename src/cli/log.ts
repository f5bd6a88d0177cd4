/**
 * `mnema log`.
 *
 * @module
 */

import type { EntriesOptions } from "../log/entries.ts";
import type { Entry, OpLog } from "../oplog.ts";
import { encodeCanonical } from "../wire/canonical.ts";
import { type Command, type Input, UsageError } from "./command.ts";
import { openToRead } from "./open.ts";
import { wholeAuthor } from "./ids.ts";
import type { Output } from "./output.ts";
import { formatTime, visible } from "../text.ts";

/** How often `--follow` looks for what is new, in milliseconds. */
const FOLLOW_EVERY_MS = 200;
/** What a shell expects of a command that an interrupt has ended. */
const EXIT_INTERRUPTED = 130;
/** The columns of a line that is not read on a terminal. */
const PLAIN_COLUMNS = 120;
/** The longest of the types that replay knows is `explanation.record`. */
const TYPE_COLUMNS = 18;

/** Lists operations. */
export const log: Command = {
  args: "",
  summary: "Lists operations, newest last.",
  details: "A line shows seq, time (UTC), type, author, id and the start of the body.",
  options: {
    type: { value: "TYPE", help: "only operations of this type; may be repeated", many: true },
    author: { value: "AUTHOR", help: "only operations by this author; may be repeated", many: true },
    since: { value: "SEQ", help: "only operations after this seq" },
    n: { value: "N", help: "only the newest N" },
    reverse: { help: "newest first" },
    follow: { help: "go on listing what is appended, until interrupted", alias: "f" },
  },
  example: "log --type note -n 10",
  async run(input: Input, output: Output): Promise<number | void> {
    input.requireArgs(0, 0);
    const filter = { types: input.values("type"), authors: input.values("author")?.map(wholeAuthor) };
    const since = input.integer("since", 0) ?? 0;
    const limit = input.integer("n", 0);
    const [reverse, follow] = [input.flag("reverse"), input.flag("follow")];
    if (reverse && follow) throw new UsageError("--follow lists what comes next; it does not go with --reverse");
    const { shorten } = await import("../width.ts");
    using log = await openToRead(input);
    let listed = 0;
    const list = (options: EntriesOptions) => {
      for (const entry of log.entries({ ...filter, ...options })) {
        output.line(formatEntry(entry, output, shorten));
        listed = entry.seq;
      }
    };
    if (!follow) return list(reverse ? { sinceSeq: since, limit, reverse } : newest(log, filter, since, limit));

    // An interrupt ends it in good order: a process that is killed leaves SQLite's other files behind.
    let interrupted = false;
    Deno.addSignalListener("SIGINT", () => interrupted = true);
    let seen = log.lastSeq();
    list(newest(log, filter, since, limit));
    while (!interrupted) {
      output.flush();
      await new Promise((resolve) => setTimeout(resolve, FOLLOW_EVERY_MS));
      const last = log.lastSeq();
      seen = Math.max(seen, listed); // what came while the list was made
      if (last > seen) list({ sinceSeq: Math.max(seen, since) });
      seen = Math.max(seen, last);
    }
    return EXIT_INTERRUPTED;
  },
};

/** The range of the newest operations, oldest of them first. */
function newest(log: OpLog, filter: EntriesOptions, sinceSeq: number, limit: number | undefined): EntriesOptions {
  if (limit === undefined) return { sinceSeq };
  let first: number | undefined;
  for (const { seq } of log.entries({ ...filter, sinceSeq, limit, reverse: true })) first = seq;
  return first === undefined ? { limit: 0 } : { sinceSeq: first - 1 };
}

function formatEntry(
  { seq, op }: Entry,
  output: Output,
  shorten: (text: string, columns: number) => string,
): string {
  if (output.json) return `{"seq":${seq},"op":${op.wire}}`;
  const columns = [
    String(seq).padStart(6),
    formatTime(op.ts),
    op.type.padEnd(TYPE_COLUMNS),
    op.author.slice(0, 12),
    op.opId.slice(0, 11),
  ];
  const body = visible(encodeCanonical(op.body));
  const room = (output.columns ?? PLAIN_COLUMNS) - columns.join("  ").length - 2;
  const [number, time, type, author, opId] = columns.map(visible);
  return [
    output.style(number, "dim"),
    output.style(time, "dim"),
    output.style(type, "cyan"),
    author,
    output.style(opId, "yellow"),
    shorten(body, Math.max(room, 16)),
  ].join("  ");
}
