/**
 * `mnema explain`.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { OpLog } from "../oplog.ts";
import type { Explanation } from "../replay/claims/claim.ts";
import { PLAIN_COLUMNS } from "./claims.ts";
import { type Command, type Input, suggestion, UsageError } from "./command.ts";
import { loadIdentity, openToAppend, openToDerive } from "./open.ts";
import type { Output } from "./output.ts";

type Formats = typeof import("../replay/claims/format.ts");

const FORMATS: Record<string, (explanation: Explanation, output: Output, formats: Formats) => string> = {
  tree: (explanation, output, { formatTree }) => {
    const { columns = PLAIN_COLUMNS } = output;
    return formatTree(explanation, { columns, style: (text, style) => output.style(text, style) }).join("\n");
  },
  json: (explanation, _output, { formatJson }) => formatJson(explanation),
  mermaid: (explanation, _output, { formatMermaid }) => formatMermaid(explanation).trimEnd(),
  dot: (explanation, _output, { formatDot }) => formatDot(explanation).trimEnd(),
};
const FORMAT_NAMES = Object.keys(FORMATS).join(", ");

/** Says why something is believed. */
export const explainClaim: Command = {
  args: "ID|KEY",
  summary: "Says why a claim is believed, or is not, down to the evidence.",
  details: `An id may be abbreviated, as long as only one operation can be meant. Of a key, the claim that holds is
explained; when none does, the latest.`,
  options: {
    format: { value: "FORMAT", help: `${FORMAT_NAMES} (default: tree)` },
    record: { help: "keep the answer in the log, too" },
  },
  example: "explain drink",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(1, 1);
    const format = FORMATS[formatOf(input)];
    const signer = input.flag("record") ? await loadIdentity(input) : undefined;
    using log = await (signer === undefined ? openToDerive(input) : openToAppend(input));
    const explanation = explanationOf(log, input.args[0]);
    const formats = await import("../replay/claims/format.ts");
    output.line(format(explanation, output, formats));
    if (signer === undefined) return;
    const summary = formats.formatTree(explanation).join("\n");
    output.note(`kept as ${log.claims.record(signer, explanation, summary).opId}`);
  },
};

function formatOf(input: Input): string {
  const name = input.value("format") ?? (input.flag("json") ? "json" : "tree");
  if (!Object.hasOwn(FORMATS, name)) {
    throw new UsageError(`there is no format ${name}; one is ${FORMAT_NAMES}${suggestion(name, FORMATS, "")}`);
  }
  if (input.flag("json") && name !== "json") throw new UsageError(`--json does not go with --format ${name}`);
  return name;
}

/** What has the form of an operation's id, which may be abbreviated, is one; everything else is a key. */
function explanationOf(log: OpLog, argument: string): Explanation {
  if (/^op_[0-9a-f]+(…|\.\.\.)?$/.test(argument)) return log.claims.explain(log.resolve(argument));
  try {
    return log.claims.explain(argument);
  } catch (error) {
    if (!(error instanceof LogError) || error.code !== "not-found") throw error;
    throw new LogError(error.code, `${error.message}; list what there is with: mnema claims`, { cause: error });
  }
}
