/**
 * `mnema append`.
 *
 * @module
 */

import { CanonicalError, LogError, OperationError, RefusedError } from "../errors.ts";
import type { OpLog } from "../oplog.ts";
import { readLines } from "../ingest/lines.ts";
import type { Identity } from "../keys/identity.ts";
import { parseJson } from "../wire/json.ts";
import type { CanonicalObject, CanonicalValue } from "../wire/value.ts";
import { appendedJson } from "../render/report.ts";
import { type Command, type Input, UsageError } from "./command.ts";
import { openInput, readText, sizeOf } from "./files.ts";
import { loadIdentity, openToAppend } from "./open.ts";
import type { Output } from "./output.ts";
import { bytes, drawProgress } from "./progress.ts";
import { forCommandLine } from "./sentence.ts";

/** Signs and appends. */
export const append: Command = {
  args: "TYPE [BODY]",
  summary: "Signs and appends one operation, or a batch of them.",
  details: `The body is a JSON object: the argument, a file, or standard input. Fractions are not allowed; scale them to
integers. Without --prev, the operation follows the heads of the log.`,
  options: {
    body: { value: "FILE", help: "read the body from FILE (- is standard input)" },
    each: { value: "FILE", help: "append one operation for each line of FILE, a JSON object, all or none" },
    prev: {
      value: "ID",
      help: "an operation that it follows, whole or abbreviated; repeat it, or separate several with commas",
      many: true,
    },
    ts: { value: "MS", help: "its time in Unix milliseconds (default: now)" },
  },
  example: `append note '{"text":"tea at four"}'`,
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(1, 2);
    const [type, argument] = input.args;
    const sources = [argument, input.value("body"), input.value("each")].filter((source) => source !== undefined);
    if (sources.length > 1) throw new UsageError("give the body once: as an argument, with --body, or with --each");
    await requireType(type);
    const ts = input.integer("ts", 0);
    const identity = await loadIdentity(input);
    using log = await openToAppend(input);
    const prev = input.values("prev")?.map((id) => log.resolve(id));
    const each = input.value("each");
    if (each !== undefined) return await appendEach(log, identity, { type, prev, ts }, each, output);
    const body = parseBody(
      argument ?? await readText(input.value("body") ?? "-", { what: "the body", ignoreBOM: false }),
    );
    const op = log.record(identity, type, body, { prev, ts });
    output.data(output.json ? appendedJson(log.seqOf(op.opId), op.opId) : op.opId);
  },
};

async function requireType(type: string): Promise<void> {
  const { checkType } = await import("../wire/envelope.ts");
  try {
    checkType(type);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const sentence = error.message.replace("$.type", "TYPE");
    throw new OperationError("shape", `${sentence}; it is ${JSON.stringify(type)}`, { path: "$.type", cause: error });
  }
}

/** Each operation follows the one before it; the first follows `prev`, or the heads of the log. */
async function appendEach(
  log: OpLog,
  identity: Identity,
  draft: { type: string; prev?: readonly string[]; ts?: number },
  path: string,
  output: Output,
): Promise<void> {
  const { MAX_PREV } = await import("../wire/envelope.ts");
  const { Operation } = await import("../wire/operation.ts");
  const { type, ts } = draft;
  let prev = draft.prev ?? log.heads(MAX_PREV, { by: "depth" });
  const wires: string[] = [];
  const positions: number[] = [];
  let last: string | undefined;
  const source = await openInput(path);
  const draw = drawProgress(bytes);
  const size = sizeOf(path);
  let done = 0;
  for await (const lines of readLines(source, log.maxOperationBytes)) {
    for (const line of lines) {
      try {
        if ("error" in line) throw line.error;
        draw?.(done += line.text.length + 1, size); // characters, and so at most as many as there are bytes
        if (line.text.trim() === "") continue;
        const op = Operation.create({ type, body: parseBody(line.text), prev, ts }, identity);
        last = op.opId;
        prev = [last];
        wires.push(op.wire);
        positions.push(line.position);
      } catch (error) {
        draw?.(0, 0);
        throw error instanceof LogError ? atLine(line.position, error) : error;
      }
    }
  }
  draw?.(0, 0);
  const drawAppended = drawProgress();
  try {
    await log.ingest(wires, { atomic: true, onProgress: (report) => drawAppended?.(report.new, wires.length) });
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    throw atLine(positions[error.position - 1], new LogError(error.code, error.reason, { cause: error }));
  } finally {
    drawAppended?.(0, 0);
  }
  if (output.json) output.data(JSON.stringify({ appended: wires.length, last }));
  else output.line(`appended ${wires.length}${last === undefined ? "" : `, the last is ${last}`}`);
}

function atLine(position: number, error: LogError): LogError {
  const sentence = forCommandLine(error.code, error.message);
  return new LogError(error.code, `nothing was appended: line ${position}: ${sentence}`, { cause: error });
}

function parseBody(text: string): CanonicalObject {
  if (text.trim() === "") {
    const advice = "give a JSON object as an argument, with --body FILE, or on standard input";
    throw new OperationError("shape", `there is no body; ${advice}`, { path: "$.body" });
  }
  const expected = `the body must be a JSON object, such as {"text":"tea at four"}`;
  let body: CanonicalValue;
  try {
    body = parseJson(text);
  } catch (error) {
    if (!(error instanceof CanonicalError) || error.rule !== "syntax") throw error;
    throw new OperationError("shape", `${error.message}; ${expected}`, { path: "$.body", cause: error });
  }
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as CanonicalObject;
  throw new OperationError("shape", expected, { path: "$.body" });
}
