/**
 * `mnema claims`.
 *
 * @module
 */

import { type Claim, type ClaimFilter, type ClaimStatus, STATUSES } from "../claims/claim.ts";
import { visibleLine } from "../text.ts";
import { encodeCanonical } from "../wire/canonical.ts";
import { splitDeriver } from "../render/parse.ts";
import type { Command, Input } from "./command.ts";
import { checkAuthor, resolveAuthor, resolveInput } from "./ids.ts";
import { openToDerive } from "./open.ts";
import type { Output, StyledText } from "./output.ts";

/** The columns of a line that is not written to a terminal. */
export const PLAIN_COLUMNS = 80;
const GAP = 2;

/** Lists claims. */
export const claims: Command = {
  args: "[KEY|PREFIX*]",
  summary: "Lists claims, with confidence and status.",
  details: `A line shows key, value, confidence, status and id. KEY* matches every key that starts with KEY; quote it,
or the shell may expand it to file names.`,
  options: {
    status: {
      value: "STATUS",
      help: `only claims of this status: ${Object.keys(STATUSES).join(", ")}`,
      choices: Object.keys(STATUSES),
    },
    author: { value: "AUTHOR", help: "only claims by this author; may be abbreviated" },
    deriver: { value: "ID[@VERSION]", help: "only claims by this deriver, of any version if none is given" },
    input: { value: "ID", help: "only claims with this operation as an input; may be abbreviated" },
    n: { value: "N", help: "only the first N" },
  },
  example: "claims 'drink*' --status active",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 1);
    const author = input.value("author");
    if (author !== undefined) checkAuthor(author);
    const deriver = input.value("deriver");
    const { id, version } = deriver === undefined ? {} : splitDeriver(deriver);
    const limit = input.integer("n", 0) ?? Number.MAX_SAFE_INTEGER;
    const filter: ClaimFilter = {
      ...keysOf(input.args[0]),
      status: input.choice("status") as ClaimStatus | undefined,
      deriver: id,
      limit: version === undefined ? limit : undefined,
    };
    using log = await openToDerive(input);
    if (author !== undefined) filter.author = resolveAuthor(log, author);
    const source = input.value("input");
    if (source !== undefined) filter.input = resolveInput(log, source);
    const found = log.claims.query(filter).filter((claim) =>
      version === undefined || claim.deriver?.version === version
    )
      .take(limit);
    if (!output.json) return await showTable(found, output);
    const { formatJson } = await import("../render/json.ts");
    for (const claim of found) output.data(formatJson(claim));
  },
};

function keysOf(argument: string | undefined): ClaimFilter {
  if (argument === undefined || argument === "*") return {};
  return argument.endsWith("*") ? { prefix: argument.slice(0, -1) } : { key: argument };
}

/** Until the widths of the columns are known, only what fits in a line is held of each claim. */
async function showTable(found: Iterable<Claim>, output: Output): Promise<void> {
  const [{ abbreviate, percent }, { displayWidth, padEnd, shorten, shortenSpans }] = await Promise.all([
    import("../render/phrases.ts"),
    import("../render/width.ts"),
  ]);
  const columns = output.columns ?? PLAIN_COLUMNS;
  const rows: string[][] = [];
  const widths = [0, 0, 0, 0, 0];
  for (const { key, value, confidencePpm, status, opId } of found) {
    const row = [
      shorten(visibleLine(key), columns),
      shorten(visibleLine(encodeCanonical(value)), columns),
      percent(confidencePpm),
      status,
      abbreviate(opId),
    ];
    rows.push(row);
    row.forEach((cell, i) => widths[i] = Math.max(widths[i], displayWidth(cell)));
  }
  const [ofKey, ofValue, ...ofRest] = widths;
  const room = Math.max(columns - ofRest.reduce((sum, width) => sum + width + GAP, GAP), 2);
  const half = Math.floor(room / 2);
  const keyWidth = Math.min(ofKey, Math.max(half, room - ofValue));
  const valueWidth = Math.min(ofValue, room - keyWidth);
  const gap = " ".repeat(GAP);
  for (const [key, value, confidence, status, opId] of rows) {
    const spans: StyledText[] = [
      [padEnd(shorten(key, keyWidth), keyWidth), "bold"],
      [gap + padEnd(shorten(value, valueWidth), valueWidth)],
      [gap + confidence.padStart(ofRest[0])],
      [gap + padEnd(status, ofRest[1]), status === "active" ? "green" : "dim"],
      [gap + opId, "yellow"],
    ];
    output.line(...shortenSpans(spans, columns));
  }
}
