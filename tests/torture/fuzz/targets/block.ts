/**
 * Blocks of an ingest: lines of bytes and lists of texts get the verdicts that parsing and verifying each operation
 * gives; the rows that are made of the accepted ones have the columns of the operations.
 *
 * @module
 */

import { LogError, Operation } from "../../../../mod.ts";
import { checkBlock, type CheckedBlock } from "../../../../src/ingest/check.ts";
import { decodeLine } from "../../../../src/ingest/lines.ts";
import { leafHash } from "../../../../src/tlog/leaf.ts";
import { namesOf } from "../../../../src/log/records.ts";
import { checkBody } from "../../../../src/wire/bodies.ts";
import { HASH_BYTES } from "../../../../src/bytes.ts";
import { alice, bob, forged, missigned, note, vectorLines, vectorOperations } from "../../../operations.ts";
import { bytesOf, require, type Target } from "../target.ts";

const MAX_BYTES = 2000;
const LIMITS = { maxBytes: MAX_BYTES, bodies: true };

/** The lines of a text, in the plainest way. */
function* linesOf(bytes: Uint8Array<ArrayBuffer>): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    yield bytes.subarray(start, end > start && bytes[end - 1] === 0x0d ? end - 1 : end);
    start = end + 1;
  }
}

/** The operation in a line, or the code of the error. */
function verdictOn(line: Uint8Array): Operation | LogError["code"] {
  if (line.length > MAX_BYTES) return "too-large";
  try {
    const op = Operation.parse(decodeLine(line));
    op.verify();
    checkBody(op.type, op.body, op.opId);
    return op;
  } catch (error) {
    if (error instanceof LogError) return error.code;
    throw error;
  }
}

/** What was decided of each position that is not blank. */
function verdictsIn(block: CheckedBlock): Map<number, string> {
  const { opIds, prevs } = namesOf(block);
  const entry = block.table.length / opIds.length;
  const leaves = opIds.map((_, i) => block.table.subarray(entry * (i + 1) - HASH_BYTES, entry * (i + 1)).toHex());
  return new Map([
    ...opIds.map((opId, i): [number, string] => [block.at[i], `${opId} ${prevs[i]} ${leaves[i]}`]),
    ...block.refusals.map(({ position, code }): [number, string] => [position, code]),
  ]);
}

function requireSame(checked: Map<number, string>, expected: Map<number, string>, of: string): void {
  const [a, b] = [checked, expected].map((map) => [...map].sort(([x], [y]) => x - y).join("\n"));
  require(a === b, `a block of ${of} gets the verdicts of its operations:\n${a}\ninstead of\n${b}`);
}

export const target: Target = {
  start() {
    const lines = vectorLines();
    const some = [note("a"), note("b", [note("a").opId]), forged(note("c")), missigned(note("d"), bob)];
    const evidence = Operation.create({ type: "evidence.add", body: { source: "s", kind: "k", content: {} } }, alice);
    const invalid = Operation.create({ type: "evidence.add", body: { source: "", kind: "k", content: {} } }, alice);
    return {
      seeds: [
        lines.slice(0, 3).join("\n"),
        some.map(({ wire }) => wire).join("\r\n") + "\r\n",
        `\n${evidence.wire}\n\n${invalid.wire}\n\r\n{}\n`,
        vectorOperations().filter(({ prev }) => prev.length > 1).slice(0, 2).map(({ wire }) => wire).join("\n"),
        `${note("x".repeat(1990)).wire}\n`,
      ].map(bytesOf),
      tokens: [
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        Uint8Array.of(0xff),
        Uint8Array.of(0xed, 0xa0, 0x80),
        Uint8Array.of(0xc0, 0x80),
      ],
      run(input) {
        const bytes = new Uint8Array(input);
        const expected = new Map<number, string>();
        const texts: string[] = [];
        const ofTexts = new Map<number, string>();
        let position = 0;
        for (const line of linesOf(bytes)) {
          position++;
          if (line.length === 0) continue;
          const verdict = verdictOn(line);
          const shown = typeof verdict === "string"
            ? verdict
            : `${verdict.opId} ${verdict.prev} ${leafHash(bytesOf(verdict.wire)).toHex()}`;
          expected.set(position, shown);
          const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(line);
          if (bytesOf(text).toHex() !== line.toHex()) continue; // not UTF-8: the text has other bytes
          texts.push(text);
          ofTexts.set(texts.length, shown);
        }
        const checked = checkBlock({ bytes: bytes.slice() }, LIMITS);
        require(checked.positions === position, "every line is counted");
        requireSame(verdictsIn(checked), expected, "lines");
        requireSame(verdictsIn(checkBlock({ texts }, LIMITS)), ofTexts, "texts");
      },
    };
  },
};
