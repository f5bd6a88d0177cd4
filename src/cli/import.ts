/**
 * `mnema import`.
 *
 * @module
 */

import { RefusedError } from "../errors.ts";
import type { Refusal } from "../ingest/check.ts";
import type { IngestReport } from "../ingest/ingest.ts";
import { counted } from "../text.ts";
import type { Command, Input } from "./command.ts";
import { openAndPeek, sizeOf } from "./files.ts";
import { beginsListed, LISTED_BYTES, unlistLines } from "../render/listed.ts";
import { openToAppend } from "./open.ts";
import type { Output } from "./output.ts";
import { bytes, type Draw, drawProgress, watchBytes } from "./progress.ts";
import { reportJson } from "../render/report.ts";
import { forCommandLine } from "./sentence.ts";
import { EXIT_INTERRUPTED, onInterrupt } from "./signals.ts";

/** Limit of the refusals that are written, each on a line; the rest are counted. */
const MAX_SHOWN_REFUSALS = 20;

/** Imports operations. */
export const importLog: Command = {
  args: "[FILE]",
  summary: "Verifies and appends operations from JSON lines.",
  details:
    `Without FILE, from standard input. The lines are those of export or log --json. Refused operations are skipped: \
the first ${MAX_SHOWN_REFUSALS} are reported with their lines, and the exit code is 1. After an interrupt, what was \
appended stays; run the same import again to resume.`,
  options: {
    strict: { help: "stop at the first refused operation, and append nothing" },
    "any-order": { help: "accept operations before those they follow: they wait in memory until those arrive" },
  },
  example: "import backup.jsonl --strict",
  async run(input: Input, output: Output): Promise<number> {
    input.requireArgs(0, 1);
    const path = input.args[0] ?? "-";
    const strict = input.flag("strict");
    using log = await openToAppend(input);
    const interrupt = new AbortController();
    using _ = onInterrupt(() => interrupt.abort());
    const draw = path === "-" && Deno.stdin.isTerminal() ? undefined : drawProgress(bytes);
    const notes = new RefusalNotes(output, draw);
    let report: IngestReport = { new: 0, known: 0, refused: 0, refusals: [] };
    let isInterrupted = false;
    try {
      const source = await unlessAborted(openLines(path, log.maxOperationBytes, draw), interrupt.signal);
      report = await log.ingest(source, {
        atomic: strict,
        order: input.flag("any-order") ? "any" : "causal",
        signal: interrupt.signal,
        onProgress: (soFar) => report = soFar,
        onRefused: (refusal) => notes.add(refusal),
      });
    } catch (error) {
      if (strict) report = { new: 0, known: 0, refused: 0, refusals: [] };
      if (error instanceof RefusedError) {
        const { position, code, reason, opId } = error;
        const refusal = { position, code, reason, opId };
        notes.add(refusal);
        report = { ...report, refused: 1, refusals: [refusal] };
      } else if (!interrupt.signal.aborted) throw error;
      else isInterrupted = true;
    } finally {
      draw?.(0, 0);
      notes.end();
    }
    if (isInterrupted) return interrupted(report, output);
    if (output.json) output.data(jsonOf(report));
    else {
      const kept = strict && report.refused > 0 ? " (--strict: nothing was appended)" : "";
      output.line(`new ${report.new}, known ${report.known}, refused ${report.refused}${kept}`);
    }
    return report.refused > 0 ? 1 : 0;
  },
};

/** Opens the lines to import; of the lines of `log --json`, the operations in them. */
async function openLines(path: string, maxBytes: number, draw?: Draw): Promise<ReadableStream<Uint8Array>> {
  const { start, source } = await openAndPeek(path, LISTED_BYTES);
  const watched = draw ? watchBytes(source, sizeOf(path), draw) : source;
  return beginsListed(start) ? watched.pipeThrough(unlistLines(maxBytes)) : watched;
}

/** Rejects when the signal aborts: the first bytes of a pipe or a terminal may take long to come. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  return Promise.race([work, aborted]);
}

function interrupted(report: IngestReport, output: Output): number {
  if (output.json) output.data(jsonOf(report, { interrupted: true }));
  else output.line(`new ${report.new}, known ${report.known}, refused ${report.refused} (interrupted)`);
  output.note(
    report.new === 0
      ? "mnema: interrupted; nothing was appended: run the same import again to restart"
      : `mnema: interrupted; ${counted(report.new, "operation")} appended: run the same import again to resume`,
  );
  return EXIT_INTERRUPTED;
}

function jsonOf(report: IngestReport, more: { interrupted?: true } = {}): string {
  const refusals = report.refusals.map((refusal) => ({
    ...refusal,
    reason: forCommandLine(refusal.code, refusal.reason),
  }));
  return reportJson({ ...report, refusals, ...more });
}

/** Writes refusals to standard error: a line for each of the first, and the count of the others. */
class RefusalNotes {
  readonly #output: Output;
  readonly #draw?: Draw;
  #count = 0;

  constructor(output: Output, draw?: Draw) {
    this.#output = output;
    this.#draw = draw;
  }

  add({ position, code, reason }: Refusal): void {
    if (++this.#count > MAX_SHOWN_REFUSALS) return;
    this.#draw?.(0, 0); // erases the bar
    this.#output.note(`line ${position}: refused: ${forCommandLine(code, reason)}`);
  }

  end(): void {
    const more = this.#count - MAX_SHOWN_REFUSALS;
    if (more > 0) this.#output.note(`and ${more} more`);
  }
}
