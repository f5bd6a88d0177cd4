/**
 * `mnema audit`.
 *
 * @module
 */

import type { AuditReport, Finding } from "../proof/audit.ts";
import { counted } from "../text.ts";
import type { Command, Input } from "./command.ts";
import { prepareSqlite, refuseMemory, withAdvice } from "./open.ts";
import type { Output, Span } from "./output.ts";
import { drawProgress } from "./progress.ts";
import { reportJson } from "./report.ts";

/** As much of an id as tells it from others. */
const SHOWN_ID = 15;

/** Says what is wrong with a log. */
export const audit: Command = {
  args: "",
  summary: "Reads the whole log and says all that is not as it should be.",
  details: `Looks for damage to the file, a schema that was changed, operations that are not what they claim to be,
columns that say something else, references to what is not there, rows that are missing, derived tables that do not
follow from the log, and a signed checkpoint that the log no longer begins with. Writes nothing. The exit code is 1 when anything is found.`,
  options: { workers: { value: "N", help: "how many check signatures (default: as many as there are cores)" } },
  example: "audit",
  async run(input: Input, output: Output): Promise<number> {
    input.requireArgs(0, 0);
    const workers = input.integer("workers", 0);
    refuseMemory(input.logPath);
    prepareSqlite();
    const { audit } = await import("../proof/audit.ts");
    const draw = drawProgress();
    let report: AuditReport;
    try {
      report = await audit(input.logPath, { workers, onProgress: ({ checked, total }) => draw?.(checked, total) });
    } catch (error) {
      throw withAdvice(error, "name one with --log");
    } finally {
      draw?.(1, 1); // takes the bar away
    }
    if (output.json) output.data(reportJson(report));
    else writeReport(report, output);
    return report.found > 0 ? 1 : 0;
  },
};

function writeReport({ operations, found, findings, unchecked }: AuditReport, output: Output): void {
  for (const finding of findings) output.line(...lineOf(finding));
  if (found > findings.length) output.line(`and ${found - findings.length} more`);
  for (const what of unchecked) output.line(`not looked at: ${what}`);
  output.line(`${found === 0 ? "nothing" : found} found in ${counted(operations, "operation")}`);
}

function lineOf({ kind, seq, opId, message }: Finding): Span[] {
  const place = [seq === undefined ? "" : ` seq ${seq}`, opId === undefined ? "" : ` ${abbreviated(opId)}`].join("");
  return [[kind, "yellow"], `${place}: ${message}`];
}

function abbreviated(opId: string): string {
  return opId.length <= SHOWN_ID ? opId : `${opId.slice(0, SHOWN_ID)}…`;
}
