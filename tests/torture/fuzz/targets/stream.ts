/**
 * Streams of bytes: however a source is cut into chunks, its lines are the same, and those that are too long are refused.
 *
 * The first byte of an input says how long its chunks are.
 *
 * @module
 */

import { OpLog, type Outcome } from "../../../../mod.ts";
import { readLines } from "../../../../src/ingest/lines.ts";
import { note, vectorLines } from "../../../operations.ts";
import { bytesOf, require, type Target } from "../target.ts";

const MAX_BYTES = 1200;

function streamOf(bytes: Uint8Array, chunk: number, isByteStream: boolean): ReadableStream<Uint8Array> {
  const pull = (controller: { enqueue(chunk: Uint8Array): void; close(): void }) => {
    if (at >= bytes.length) return controller.close();
    controller.enqueue(bytes.slice(at, at + chunk));
    at += chunk;
  };
  let at = 0;
  if (isByteStream && bytes.length > 0) {
    return new ReadableStream({
      type: "bytes",
      pull: (controller) => {
        pull(controller);
        controller.byobRequest?.respond(0);
      },
    });
  }
  return new ReadableStream({ pull });
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<string> {
  const lines: string[] = [];
  for await (const some of readLines(stream, MAX_BYTES)) {
    for (const line of some) {
      lines.push(JSON.stringify("text" in line ? line : { position: line.position, code: line.error.code }));
    }
  }
  return lines.join("\n");
}

export const target: Target = {
  start: () => ({
    seeds: [
      "A" + vectorLines().slice(0, 3).join("\n"),
      "\x01" + `${note("a").wire}\r\n\n\r\n${note("b").wire}`,
      "z" + `${"x".repeat(3000)}\n${note("c", [note("a").opId]).wire}\n${note("a").wire}\n`,
    ].map(bytesOf),
    tokens: ["\n", "\r", "\r\n", "x".repeat(MAX_BYTES), "x".repeat(MAX_BYTES + 1), Uint8Array.of(0xff)],
    async run(input) {
      const [size = 1] = input;
      const bytes = input.subarray(1);
      const whole = await readAll(streamOf(bytes, bytes.length + 1, false));
      require(await readAll(streamOf(bytes, size + 1, false)) === whole, "chunks do not change the lines");
      using log = OpLog.open(":memory:", { maxOperationBytes: MAX_BYTES });
      const outcomes: Outcome[] = [];
      const order = size % 2 === 0 ? "any" : "causal";
      const options = { workers: 0, order, onOutcome: (outcome: Outcome) => void outcomes.push(outcome) } as const;
      const report = await log.ingest(streamOf(bytes, size + 1, true), options);
      require(report.new === log.size, "what is new is in the log");
      require(report.new + report.known + report.refused === outcomes.length, "each operation has one outcome");
      require(whole.split("\n").filter((line) => line !== "").length === outcomes.length, "each line has one outcome");
    },
  }),
};
