/**
 * Taking in many operations that others made: wire texts in, verdicts out, a batch a transaction.
 *
 * @module
 */

import { LogError, RefusedError } from "../errors.ts";
import { Operation } from "../wire/operation.ts";
import { type Line, readLines } from "./lines.ts";
import type { Writer } from "./writer.ts";

/** Where wire texts come from: one by one, or as a stream of bytes that holds JSON lines. */
export type IngestSource = Iterable<string> | AsyncIterable<string> | ReadableStream<Uint8Array>;

/** How to take operations in. */
export interface IngestOptions {
  /** All or none: the first that is refused ends it, and nothing is kept. Otherwise what is refused is passed over. */
  atomic?: boolean;
  /** Called after every batch, with the report so far. */
  onProgress?: (report: IngestReport) => void;
  /** Called for every operation that is refused. */
  onRefused?: (refusal: Refusal) => void;
  /** Ends it between two batches; what was committed stays. */
  signal?: AbortSignal;
}

/** One operation that was refused. */
export interface Refusal {
  /** Its place in the source, from 1: of a stream of bytes, the line number. */
  position: number;
  /** What is wrong, for programs. */
  code: LogError["code"];
  /** What is wrong, for people. */
  reason: string;
  /** The id that it claims, where one could be read. */
  opId?: string;
}

/** What became of the operations of a source. */
export interface IngestReport {
  /** How many entered the log. */
  new: number;
  /** How many were in it already. */
  known: number;
  /** How many were refused. */
  refused: number;
  /** The first 1,000 that were refused; `onRefused` is told of all. */
  refusals: Refusal[];
}

const BATCH_OPERATIONS = 512;
const BATCH_LENGTH = 4 << 20;
const KEPT_REFUSALS = 1000;

/** Takes in what a source holds. @see OpLog.ingest */
export async function ingest(
  writer: Writer,
  source: IngestSource,
  options: IngestOptions = {},
): Promise<IngestReport> {
  const report: IngestReport = { new: 0, known: 0, refused: 0, refusals: [] };
  for await (const lines of batches(source, writer.maxOperationBytes)) {
    options.signal?.throwIfAborted();
    // Checked before the write lock is taken: others can write meanwhile.
    const verdicts = lines.map((line) => check(writer, line));
    const refusals: Refusal[] = [];
    const refuse = (position: number, error: LogError) => {
      const refused = refusal(position, error);
      if (options.atomic) throw new RefusedError(refused);
      refusals.push(refused);
    };
    const counts = writer.transaction(() => insertAll(writer, verdicts, refuse));
    report.new += counts.new;
    report.known += counts.known;
    report.refused += refusals.length;
    report.refusals.push(...refusals.slice(0, KEPT_REFUSALS - report.refusals.length));
    refusals.forEach((refused) => options.onRefused?.(refused));
    options.onProgress?.(report);
  }
  return report;
}

type Verdict = { position: number; op: Operation } | { position: number; error: LogError };

function check(writer: Writer, line: Line): Verdict {
  if ("error" in line) return line;
  const { position, text } = line;
  try {
    const op = Operation.parse(text);
    writer.admit(op);
    return { position, op };
  } catch (error) {
    if (error instanceof LogError) return { position, error };
    throw error;
  }
}

function insertAll(
  writer: Writer,
  verdicts: Verdict[],
  refuse: (position: number, error: LogError) => void,
): { new: number; known: number } {
  const counts = { new: 0, known: 0 };
  for (const verdict of verdicts) {
    if ("error" in verdict) {
      refuse(verdict.position, verdict.error);
      continue;
    }
    try {
      counts[writer.insert(verdict.op).known ? "known" : "new"]++;
    } catch (error) {
      if (!(error instanceof LogError) || error.code !== "dangling-reference") throw error;
      refuse(verdict.position, error);
    }
  }
  return counts;
}

function refusal(position: number, error: LogError): Refusal {
  const opId = "opId" in error && typeof error.opId === "string" ? { opId: error.opId } : {};
  return { position, code: error.code, reason: error.message, ...opId };
}

/** What the source holds, some hundreds of texts or some megabytes at a time. */
async function* batches(source: IngestSource, maxBytes: number): AsyncGenerator<Line[]> {
  let batch: Line[] = [];
  let length = 0;
  for await (const lines of source instanceof ReadableStream ? readLines(source, maxBytes) : numbered(source)) {
    for (const line of lines) {
      batch.push(line);
      length += "text" in line ? line.text.length : 0;
      if (batch.length < BATCH_OPERATIONS && length < BATCH_LENGTH) continue;
      yield batch;
      batch = [];
      length = 0;
    }
  }
  if (batch.length > 0) yield batch;
}

async function* numbered(source: Iterable<string> | AsyncIterable<string>): AsyncGenerator<Line[]> {
  let position = 0;
  for await (const text of source) yield [{ position: ++position, text }];
}
