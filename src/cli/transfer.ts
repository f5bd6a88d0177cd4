/**
 * `mnema export` and `mnema import`.
 *
 * @module
 */

import { ProgressBar } from "@std/cli/unstable-progress-bar";
import { RefusedError } from "../errors.ts";
import type { Refusal } from "../log/ingest/check.ts";
import type { IngestReport } from "../log/ingest/ingest.ts";
import type { Command, Input } from "./command.ts";
import { openInput, writeNew } from "./files.ts";
import { openToAppend, openToRead } from "./open.ts";
import type { Output } from "./output.ts";
import { visible } from "../text.ts";

/** Writes the log out. */
export const exportLog: Command = {
  args: "[FILE]",
  summary: "Writes operations as JSON lines, oldest first.",
  details: "Without FILE, to standard output. A file that exists is not overwritten.",
  options: { since: { value: "SEQ", help: "only operations after this seq" } },
  example: "export backup.jsonl",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 1);
    const [path] = input.args;
    const sinceSeq = input.integer("since", 0) ?? 0;
    using log = await openToRead(input);
    if (path === undefined || path === "-") {
      for (const { op } of log.entries({ sinceSeq })) output.line(op.wire);
      return;
    }
    let exported = 0;
    writeNew(path, log.entries({ sinceSeq }).map(({ op }) => (exported++, op.wire + "\n")));
    output.line(output.json ? JSON.stringify({ exported, file: path }) : `exported ${exported} to ${path}`);
  },
};

/** Takes in what was exported. */
export const importLog: Command = {
  args: "[FILE]",
  summary: "Verifies and appends operations from JSON lines.",
  details:
    `Without FILE, from standard input. What is refused is named with its line and passed over; the exit code is 1
when anything was refused.`,
  options: { strict: { help: "stop at the first that is refused, and keep nothing" } },
  example: "import backup.jsonl --strict",
  async run(input: Input, output: Output): Promise<number> {
    input.requireArgs(0, 1);
    const path = input.args[0] ?? "-";
    const strict = input.flag("strict");
    using log = await openToAppend(input);
    const source = await openInput(path);
    await using progress = showProgress(source, path);
    let report: IngestReport;
    try {
      report = await log.ingest(progress.source, {
        atomic: strict,
        onRefused: progress.shown ? undefined : (refusal) => noteRefusal(output, refusal),
      });
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      const { position, code, reason, opId } = error;
      report = { new: 0, known: 0, refused: 1, refusals: [{ position, code, reason, opId }] };
    }
    await progress.stop();
    if (progress.shown || strict) {
      report.refusals.forEach((refusal) => noteRefusal(output, refusal));
      const more = report.refused - report.refusals.length;
      if (more > 0) output.note(`and ${more} more`);
    }
    if (output.json) output.line(JSON.stringify(report));
    else {
      const kept = strict && report.refused > 0 ? " (--strict: nothing was kept)" : "";
      output.line(`new ${report.new}, known ${report.known}, refused ${report.refused}${kept}`);
    }
    return report.refused > 0 ? 1 : 0;
  },
};

function noteRefusal(output: Output, { position, reason }: Refusal): void {
  output.note(`line ${position}: refused: ${visible(reason)}`);
}

/** A bar on standard error while a file is read, when a person looks at it. */
function showProgress(
  source: ReadableStream<Uint8Array>,
  path: string,
): {
  source: ReadableStream<Uint8Array>;
  shown: boolean;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
} {
  if (path === "-" || !Deno.stderr.isTerminal()) {
    const nothing = () => Promise.resolve();
    return { source, shown: false, stop: nothing, [Symbol.asyncDispose]: nothing };
  }
  const bar = new ProgressBar({ max: Deno.statSync(path).size, clear: true, keepOpen: true });
  const counted = source.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        bar.value += chunk.length;
        controller.enqueue(chunk);
      },
    }),
  );
  let stopped = false;
  const stop = async () => {
    if (!stopped) await bar.stop();
    stopped = true;
  };
  return { source: counted, shown: true, stop, [Symbol.asyncDispose]: stop };
}
