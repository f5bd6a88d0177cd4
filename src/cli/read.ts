/**
 * `mnema show`, `mnema heads` and `mnema stats`.
 *
 * @module
 */

import { FileError } from "../errors.ts";
import type { OpLog } from "../oplog.ts";
import { pretty } from "../render/pretty.ts";
import type { Command, Input } from "./command.ts";
import { listed } from "../render/listed.ts";
import { statsJson } from "../render/report.ts";
import { openToDerive, openToRead } from "./open.ts";
import type { Output } from "./output.ts";
import { formatTime } from "../text.ts";

/** Shows one operation. */
export const show: Command = {
  args: "ID",
  summary: "Shows one operation and its children, and verifies it again.",
  details: "The id may be abbreviated, as long as it is unambiguous.",
  options: { wire: { help: "only its wire text, on one line, as export writes it" } },
  example: "show op_5b965bbf",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(1, 1);
    const isWire = input.flag("wire");
    using log = await (isWire ? openToRead(input) : openToDerive(input));
    const op = log.get(log.resolve(input.args[0]));
    op.verify();
    if (isWire) return output.data(op.wire);
    const seq = log.seqOf(op.opId);
    const children = childrenOf(log, op.opId);
    if (output.json) return output.data(listed(seq!, op, { verified: true, children }));
    const field = (name: string, ...lines: string[]) =>
      lines.forEach((line, i) => output.line([(i === 0 ? name : "").padEnd(11), "dim"], `  ${line}`));
    field("op_id", op.opId);
    field("seq", String(seq));
    field("type", op.type);
    field("author", op.author);
    field("ts", `${op.ts} (${formatTime(op.ts)})`);
    field("prev", ...op.prev.length > 0 ? op.prev : ["none"]);
    field("followed by", ...children === undefined ? ["unknown"] : children.length > 0 ? children : ["none"]);
    field("sig", op.sig);
    field("verified", "shape, content address and signature");
    field("body", ...pretty(op.body).split("\n"));
  },
};

/** The children of an operation; undefined in a log so damaged that they cannot be derived. */
function childrenOf(log: OpLog, opId: string): string[] | undefined {
  try {
    return log.children(opId);
  } catch (error) {
    if (error instanceof FileError && ["corrupt", "derived-damaged"].includes(error.code)) return undefined;
    throw error;
  }
}

/** Lists the heads. */
export const heads: Command = {
  args: "",
  summary: "Lists the heads: operations that no other follows.",
  example: "heads",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 0);
    using log = await openToRead(input);
    if (output.json) return output.data(JSON.stringify(log.heads()));
    for (const opId of log.heads()) output.line(opId);
  },
};

/** Counts operations. */
export const stats: Command = {
  args: "",
  summary: "Counts operations by type and author.",
  example: "stats --json",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 0);
    using log = await openToDerive(input);
    const counts = log.stats();
    const heads = log.heads().length;
    if (output.json) return output.data(statsJson(counts, heads));
    const { operations, types, authors, span, bytes } = counts;
    const rows: [string, string | number][] = [
      ["operations", operations],
      ["heads", heads],
      ["bytes", bytes],
      ["from", span === undefined ? "-" : formatTime(span.from)],
      ["to", span === undefined ? "-" : formatTime(span.to)],
    ];
    for (const [name, value] of rows) output.line([name.padEnd(10), "dim"], `  ${value}`);
    for (const [title, counts] of [["by type", types], ["by author", authors]] as const) {
      if (operations > 0) {
        output.line();
        output.line([title, "bold"]);
      }
      const width = String(Math.max(0, ...Object.values(counts))).length;
      for (const [name, count] of Object.entries(counts)) {
        output.line(`  ${String(count).padStart(width)}  ${name}`);
      }
    }
  },
};
