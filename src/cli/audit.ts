/**
 * `mnema audit`.
 *
 * @module
 */

import { LogError, ProofError } from "../errors.ts";
import type { AuditReport, Finding } from "../audit/audit.ts";
import { counted } from "../text.ts";
import type { Command, Input } from "./command.ts";
import { openInput } from "./files.ts";
import { prepareSqlite, refuseMemory, withAdvice } from "./open.ts";
import type { Output, Span } from "./output.ts";
import { drawProgress } from "./progress.ts";
import { reportJson } from "../render/report.ts";

/** Length of an abbreviated id. */
const ABBREVIATED_LENGTH = 15;

/** Audits a log. */
export const audit: Command = {
  args: "",
  summary: "Reads the whole log and reports everything that is wrong.",
  details:
    `Looks for damage to the file, lost commits in -wal, an unexpected schema, operations with an invalid text, id or
signature, columns that differ from it, references to missing operations, missing rows, derived tables that do not follow
from the log, and signed checkpoints that the log contradicts: those stored in it and those given with --checkpoint.
Writes nothing, and lists what was not checked. The exit code is 0 when everything was checked and nothing was found,
and 1 otherwise.`,
  options: {
    checkpoint: { value: "FILE", help: "check the log against this checkpoint, too", many: true },
    vkey: {
      value: "VKEY",
      help: "the verifier key of a checkpoint whose first line does not name the author",
      many: true,
    },
    workers: { value: "N", help: "number of workers that verify signatures (default: the number of cores)" },
  },
  example: "audit --checkpoint monday.checkpoint",
  async run(input: Input, output: Output): Promise<number> {
    input.requireArgs(0, 0);
    const workers = input.integer("workers", 0);
    const vkeys = input.values("vkey") ?? [];
    refuseMemory(input.logPath);
    prepareSqlite();
    const { audit } = await import("../audit/audit.ts");
    const checkpoints: string[] = [];
    for (const path of input.values("checkpoint") ?? []) checkpoints.push(await readSigned(path, vkeys));
    const draw = drawProgress();
    let report: AuditReport;
    try {
      const onProgress = ({ checked, total }: { checked: number; total: number }) => draw?.(checked, total);
      report = await audit(input.logPath, { workers, checkpoints, vkeys, onProgress });
    } catch (error) {
      throw withAdvice(error, { "missing-file": "name one with --log" });
    } finally {
      draw?.(1, 1); // erases the bar
    }
    if (output.json) output.data(reportJson(report));
    else writeReport(report, output);
    return report.clean ? 0 : 1;
  },
};

/** Reads a checkpoint, and verifies its signature. Messages name the file, and quote it only if it is a checkpoint. */
async function readSigned(path: string, vkeys: readonly string[]): Promise<string> {
  const { MAX_CHECKPOINT_BYTES, readCheckpoint } = await import("../audit/checkpoints.ts");
  const bytes = await readUpTo(path, MAX_CHECKPOINT_BYTES);
  try {
    return readCheckpoint(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes), vkeys).text;
  } catch (error) {
    if (!(error instanceof ProofError) || error.code === "bad-proof") throw error;
    throw new LogError(error.code, `${path}: ${error.message}`, { cause: error });
  }
}

/** Reads a file up to a limit. */
async function readUpTo(path: string, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of await openInput(path)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > maxBytes) {
      throw new LogError("too-large", `${path} is not a checkpoint: it has more than ${maxBytes} bytes`);
    }
  }
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
}

function writeReport({ operations, found, findings, unchecked }: AuditReport, output: Output): void {
  for (const finding of findings) output.line(...lineOf(finding));
  if (found > findings.length) output.line(`and ${found - findings.length} more`);
  for (const what of unchecked) output.line(`not checked: ${what}`);
  const but = unchecked.length === 0
    ? ""
    : found === 0
    ? ", but not everything was checked"
    : ", and not everything was checked";
  output.line(`${found === 0 ? "nothing" : found} found in ${counted(operations, "operation")}${but}`);
}

function lineOf({ kind, seq, opId, message }: Finding): Span[] {
  const place = [seq === undefined ? "" : ` seq ${seq}`, opId === undefined ? "" : ` ${abbreviated(opId)}`].join("");
  return [[kind, "yellow"], `${place}: ${message}`];
}

function abbreviated(opId: string): string {
  return opId.length <= ABBREVIATED_LENGTH ? opId : `${opId.slice(0, ABBREVIATED_LENGTH)}…`;
}
