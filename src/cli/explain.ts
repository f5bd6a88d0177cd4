/**
 * `mnema explain`.
 *
 * @module
 */

import type { LogError } from "../errors.ts";
import type { Explanation } from "../claims/claim.ts";
import { PLAIN_COLUMNS } from "./claims.ts";
import { type Command, type Input, UsageError } from "./command.ts";
import { holdingOrLast, isIdStart } from "./ids.ts";
import { loadIdentity, openToAppend, openToDerive } from "./open.ts";
import type { Output } from "./output.ts";

type Formats = typeof import("../render/format.ts");

/** Default limit of the operations in a picture. */
const MAX_DRAWN = 100;

const FORMATS: Record<string, (explanation: Explanation, output: Output, formats: Formats) => void | Promise<void>> = {
  tree(explanation, output, { treeLines }) {
    for (const line of treeLines(explanation, output.columns ?? PLAIN_COLUMNS)) output.line(...line);
  },
  json: (explanation, output, { formatJson }) => output.data(formatJson(explanation)),
  mermaid: (explanation, output, { formatMermaid }) => output.data(formatMermaid(explanation).trimEnd()),
  dot: (explanation, output, { formatDot }) => output.data(formatDot(explanation).trimEnd()),
  async svg(explanation, output) {
    const { formatSvg } = await import("../layout/svg.ts");
    const onRows = ({ code, message }: LogError) => {
      if (code === "not-allowed") return; // the documented permissions do not include it everywhere
      output.note(`mnema: the operations are in rows, as they could not be placed by Graphviz: ${message}`);
    };
    output.data(await formatSvg(explanation, { limit: explanation.nodes.length, onRows }));
  },
};
const FORMAT_NAMES = Object.keys(FORMATS);

/** Explains a claim. */
export const explainClaim: Command = {
  args: "ID|KEY",
  summary: "Explains why a claim is believed or not, down to the evidence.",
  details:
    `An id may be abbreviated, as long as it is unambiguous. KEY means its current claim, or its last one when none is
active. A picture in SVG is for a browser: mnema explain drink --format svg > drink.svg`,
  options: {
    format: { value: "FORMAT", help: `${FORMAT_NAMES.join(", ")} (default: tree)`, choices: FORMAT_NAMES },
    depth: { value: "N", help: "limit of the steps from the claim (0: the claim alone)" },
    limit: { value: "N", help: `at most N operations, those nearest to the claim (default for svg: ${MAX_DRAWN})` },
    record: { help: "also append the whole explanation to the log" },
  },
  example: "explain drink",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(1, 1);
    const name = formatOf(input);
    const limit = input.integer("limit", 1) ?? (name === "svg" ? MAX_DRAWN : undefined);
    const depth = input.integer("depth", 0);
    const signer = input.flag("record") ? await loadIdentity(input) : undefined;
    using log = await (signer === undefined ? openToDerive(input) : openToAppend(input));
    const [argument] = input.args;
    const opId = isIdStart(argument) ? log.resolve(argument) : holdingOrLast(log, argument).opId;
    const explanation = log.claims.explain(opId, { limit });
    const formats = await import("../render/format.ts");
    await FORMATS[name](depth === undefined ? explanation : formats.limitDepth(explanation, depth), output, formats);
    if (signer === undefined) return;
    const whole = limit === undefined ? explanation : log.claims.explain(opId);
    const summary = formats.formatTree(whole).join("\n");
    output.note(`appended as ${log.claims.record(signer, whole, summary).opId}`);
  },
};

function formatOf(input: Input): string {
  const name = input.choice("format") ?? (input.flag("json") ? "json" : "tree");
  if (input.flag("json") && name !== "json") throw new UsageError(`--json does not go with --format ${name}`);
  return name;
}
