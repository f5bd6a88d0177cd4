/**
 * `mnema show`, `mnema heads` and `mnema stats`.
 *
 * @module
 */

import { encodeCanonical } from "../wire/canonical.ts";
import type { CanonicalValue } from "../wire/value.ts";
import type { Command, Input } from "./command.ts";
import { openToRead } from "./open.ts";
import type { Output } from "./output.ts";
import { formatTime, visible } from "../text.ts";

/** Shows one operation. */
export const show: Command = {
  args: "ID",
  summary: "Shows one operation, and verifies it again.",
  details: "The id may be abbreviated, as long as only one operation can be meant.",
  example: "show op_5b965bbf",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(1, 1);
    using log = await openToRead(input);
    const op = log.get(log.resolve(input.args[0]));
    op.verify();
    const seq = log.seqOf(op.opId);
    if (output.json) return output.line(`{"seq":${seq},"verified":true,"op":${op.wire}}`);
    const field = (name: string, value: string) =>
      output.line(`${output.style(name.padEnd(8), "dim")}  ${visible(value)}`);
    field("op_id", op.opId);
    field("seq", String(seq));
    field("type", op.type);
    field("author", op.author);
    field("ts", `${op.ts} (${formatTime(op.ts)})`);
    field("prev", op.prev.join("\n" + " ".repeat(10)) || "none");
    field("sig", op.sig);
    field("verified", "shape, content address and signature");
    field("body", pretty(op.body, "").replaceAll("\n", "\n" + " ".repeat(10)));
  },
};

/** Lists the heads. */
export const heads: Command = {
  args: "",
  summary: "Lists the heads: operations that no other follows.",
  example: "heads",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 0);
    using log = await openToRead(input);
    if (output.json) return output.line(JSON.stringify(log.heads()));
    for (const opId of log.heads()) output.line(opId);
  },
};

/** Counts. */
export const stats: Command = {
  args: "",
  summary: "Counts operations by type and author.",
  example: "stats --json",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 0);
    using log = await openToRead(input);
    const { operations, types, authors, span, bytes } = log.stats();
    const heads = log.heads().length;
    if (output.json) {
      return output.line(JSON.stringify({ operations, heads, bytes, span: span ?? null, types, authors }));
    }
    const rows: [string, string | number][] = [
      ["operations", operations],
      ["heads", heads],
      ["bytes", bytes],
      ["from", span === undefined ? "-" : formatTime(span.from)],
      ["to", span === undefined ? "-" : formatTime(span.to)],
    ];
    for (const [name, value] of rows) output.line(`${output.style(name.padEnd(10), "dim")}  ${value}`);
    for (const [title, counts] of [["by type", types], ["by author", authors]] as const) {
      if (operations > 0) output.line(`\n${output.style(title, "bold")}`);
      const width = String(Math.max(0, ...Object.values(counts))).length;
      for (const [name, count] of Object.entries(counts)) {
        output.line(`  ${String(count).padStart(width)}  ${visible(name)}`);
      }
    }
  },
};

/** JSON with a line for each member, for people. */
function pretty(value: CanonicalValue, indent: string): string {
  if (typeof value !== "object" || value === null) return encodeCanonical(value);
  const inner = indent + "  ";
  const [open, close, members] = Array.isArray(value)
    ? ["[", "]", value.map((item) => pretty(item, inner))]
    : ["{", "}", Object.entries(value).map(([key, item]) => `${encodeCanonical(key)}: ${pretty(item, inner)}`)];
  if (members.length === 0) return open + close;
  return `${open}\n${members.map((member) => inner + member).join(",\n")}\n${indent}${close}`;
}
