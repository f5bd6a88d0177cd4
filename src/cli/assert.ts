/**
 * `mnema assert`.
 *
 * @module
 */

import { STATUSES } from "../claims/claim.ts";
import { parseConfidence, parseValue, splitDeriver } from "../render/parse.ts";
import { appendedJson } from "../render/report.ts";
import { resolveSource } from "./ids.ts";
import { type Command, type Input, UsageError } from "./command.ts";
import { loadIdentity, openToAppend } from "./open.ts";
import type { Output } from "./output.ts";

/** A paragraph in the help of every command that takes a value. */
export const ABOUT_VALUES =
  `VALUE is JSON; what is not JSON is text, so tea is "tea". Fractions are not allowed; scale them to integers. Put a
VALUE that starts with a dash after all options and --, as in: mnema assert balance -- -5`;

/** Asserts a claim. */
export const assert: Command = {
  args: "KEY VALUE",
  summary: "Claims a value for a key.",
  details: `${ABOUT_VALUES}

--from names the inputs, evidence or other claims; a key there means its current claim. A whole id that the log does not
hold is allowed: the claim is pending until the operation arrives. The exit code is 1 when the claim was appended
without effect, because its key was refuted or corrected, or one of its inputs fell.`,
  options: {
    confidence: { value: "0.82", help: "the confidence, from 0 to 1, with at most six decimals (default: 1)" },
    from: {
      value: "ID|KEY",
      help: "an input: an id, whole or abbreviated, or a key; repeat it, or separate several with commas",
      many: true,
    },
    deriver: { value: "ID@VERSION", help: "what derived it (default: hand@1)" },
    ts: { value: "MS", help: "its time in Unix milliseconds (default: now)" },
  },
  example: "assert drink tea --confidence 0.82",
  async run(input: Input, output: Output): Promise<number> {
    input.requireArgs(2, 2);
    const [key, text] = input.args;
    const confidencePpm = partsPerMillion(input.value("confidence"));
    const deriver = deriverOf(input.value("deriver"));
    const ts = input.integer("ts", 0);
    const value = parseValue(text);
    const identity = await loadIdentity(input);
    using log = await openToAppend(input);
    const inputs = [...new Set(input.values("from")?.map((id) => resolveSource(log, id)))];
    const { opId } = log.claims.assert(identity, { key, value, confidencePpm, deriver, inputs, ts });
    output.data(output.json ? appendedJson(log.seqOf(opId), opId) : opId);
    const { status } = log.claims.get(opId);
    if (status === "active" || status === "pending") return 0;
    output.note(`mnema: it was appended without effect: the claim is ${status}, ${STATUSES[status]}`);
    return 1;
  },
};

/** A confidence in parts per million. */
function partsPerMillion(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ppm = parseConfidence(text);
  if (ppm !== undefined) return ppm;
  throw new UsageError(
    `--confidence takes a decimal from 0 to 1 with at most six decimals, such as 0.82, not ${JSON.stringify(text)}`,
  );
}

function deriverOf(text: string | undefined): { id: string; version: string } | undefined {
  if (text === undefined) return undefined;
  const { id, version } = splitDeriver(text);
  if (version !== undefined) return { id, version };
  throw new UsageError(`--deriver takes an id and a version, such as habits@1.2, not ${JSON.stringify(text)}`);
}
