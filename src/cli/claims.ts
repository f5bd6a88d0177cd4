/**
 * `mnema claims`.
 *
 * @module
 */

import { type Claim, type ClaimFilter, type ClaimStatus, STATUSES } from "../replay/claims/claim.ts";
import { visibleLine } from "../text.ts";
import { encodeCanonical } from "../wire/canonical.ts";
import { type Command, type Input, suggestion, UsageError } from "./command.ts";
import { resolveInput, wholeAuthor } from "./ids.ts";
import { openToDerive } from "./open.ts";
import type { Output } from "./output.ts";

/** The columns of a line that is not read on a terminal. */
export const PLAIN_COLUMNS = 80;
const GAP = 2;

/** Lists claims. */
export const claims: Command = {
  args: "[KEY|PREFIX*]",
  summary: "Lists claims: how sure they are, and where they stand.",
  details:
    `A line shows key, value, how sure it is, status and id. KEY* stands for every key that starts so; quote it, or
the shell may take it for files.`,
  options: {
    status: { value: "STATUS", help: `only claims that stand so: ${Object.keys(STATUSES).join(", ")}` },
    author: { value: "AUTHOR", help: "only claims by this author" },
    deriver: { value: "DERIVER", help: "only claims by this deriver, of any version" },
    input: { value: "ID", help: "only claims that were derived right from this; may be abbreviated" },
    n: { value: "N", help: "only the first N" },
  },
  example: "claims 'drink*' --status active",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 1);
    const author = input.value("author");
    const filter: ClaimFilter = {
      ...keysOf(input.args[0]),
      status: statusOf(input.value("status")),
      author: author === undefined ? undefined : wholeAuthor(author),
      deriver: input.value("deriver"),
      limit: input.integer("n", 0),
    };
    using log = await openToDerive(input);
    const source = input.value("input");
    if (source !== undefined) filter.input = resolveInput(log, source);
    const found = log.claims.query(filter);
    if (!output.json) return await showTable(found, output);
    const { formatJson } = await import("../replay/claims/format/json.ts");
    for (const claim of found) output.line(formatJson(claim));
  },
};

function keysOf(argument: string | undefined): ClaimFilter {
  if (argument === undefined || argument === "*") return {};
  return argument.endsWith("*") ? { prefix: argument.slice(0, -1) } : { key: argument };
}

function statusOf(name: string | undefined): ClaimStatus | undefined {
  if (name === undefined || Object.hasOwn(STATUSES, name)) return name as ClaimStatus | undefined;
  const names = Object.keys(STATUSES).join(", ");
  throw new UsageError(`there is no status ${name}; one is ${names}${suggestion(name, STATUSES, "")}`);
}

/** Only what a line can show is kept of each claim until the widths of the columns are known. */
async function showTable(found: Iterable<Claim>, output: Output): Promise<void> {
  const [{ abbreviate, percent }, { displayWidth, padEnd, shorten }] = await Promise.all([
    import("../replay/claims/format/words.ts"),
    import("../width.ts"),
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
  for (const [key, value, sure, status, opId] of rows) {
    output.line([
      output.style(padEnd(shorten(key, keyWidth), keyWidth), "bold"),
      padEnd(shorten(value, valueWidth), valueWidth),
      sure.padStart(ofRest[0]),
      output.style(padEnd(status, ofRest[1]), status === "active" ? "green" : "dim"),
      output.style(opId, "yellow"),
    ].join(" ".repeat(GAP)));
  }
}
