/**
 * `mnema export`.
 *
 * @module
 */

import type { Command, Input } from "./command.ts";
import { writeNew } from "./files.ts";
import { ABOUT_FILTERS, entriesOf, FILTER_OPTIONS, openToList, readFilter } from "./filter.ts";
import type { Output } from "./output.ts";
import { drawProgress } from "./progress.ts";

/** Exports operations. */
export const exportLog: Command = {
  args: "[FILE]",
  summary: "Writes operations as JSON lines, oldest first.",
  details:
    `Without FILE, to standard output; an existing file is not overwritten. Without options, the whole log. A part of \
it can be imported into a log that has the operations that it follows.

${ABOUT_FILTERS}`,
  options: FILTER_OPTIONS,
  example: "export backup.jsonl",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 1);
    const [path] = input.args;
    const filterOf = readFilter(input);
    using log = await openToList(input);
    const filter = filterOf(log);
    if (path === undefined || path === "-") {
      for (const { op } of entriesOf(log, filter)) output.data(op.wire);
      return;
    }
    let exported = 0;
    const draw = drawProgress();
    const last = log.lastSeq();
    try {
      writeNew(
        path,
        entriesOf(log, filter).map(({ seq, op }) => {
          exported++;
          draw?.(seq, last);
          return op.wire + "\n";
        }),
      );
    } finally {
      draw?.(0, 0);
    }
    if (output.json) output.data(JSON.stringify({ exported, file: path }));
    else output.line(`exported ${exported} to ${path}`);
  },
};
