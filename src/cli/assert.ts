/**
 * `mnema assert`, and how a value is written on the command line.
 *
 * @module
 */

import { CanonicalError, LogError } from "../errors.ts";
import { STATUSES } from "../claims/claim.ts";
import { parseJson } from "../wire/json.ts";
import type { CanonicalValue } from "../wire/value.ts";
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
    output.data(output.json ? JSON.stringify({ seq: log.seqOf(opId), op_id: opId }) : opId);
    const { status } = log.claims.get(opId);
    if (status === "active" || status === "pending") return 0;
    output.note(`mnema: it was appended without effect: the claim is ${status}, ${STATUSES[status]}`);
    return 1;
  },
};

/**
 * Reads a value: JSON, or else text.
 *
 * @throws {LogError} For JSON that the log cannot hold.
 */
export function parseValue(text: string): CanonicalValue {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof CanonicalError)) throw error;
    throw new LogError(error.code, `the value: ${error.message}; for text, put it in double quotes, too`, {
      cause: error,
    });
  }
}

/** A decimal from 0 to 1 in parts per million, without floating-point arithmetic. */
function partsPerMillion(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, whole, decimals = ""] = text.match(/^([01]?)(?:\.(\d{1,6}))?$/) ?? [];
  const ppm = whole === undefined ? NaN : Number(whole + decimals.padEnd(6, "0"));
  if (ppm <= 1_000_000) return ppm;
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

/** The parts of `ID@VERSION`; without a version, the whole text is the id. An id may contain an @. */
export function splitDeriver(text: string): { id: string; version?: string } {
  const at = text.lastIndexOf("@");
  return at > 0 && at < text.length - 1 ? { id: text.slice(0, at), version: text.slice(at + 1) } : { id: text };
}
