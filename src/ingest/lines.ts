/**
 * Lines in bytes: JSON lines, as logs are exported.
 *
 * @module
 */

import { type LogError, OperationError, tooLarge } from "../errors.ts";
import { byteBlocks } from "./blocks.ts";

/** One line, or why it cannot be read. `position` is its number, from 1. */
export type Line = { position: number; text: string } | { position: number; error: LogError };

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
// A byte order mark is not skipped: JSON does not allow one.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The lines of a stream of bytes. Blank lines are skipped but counted. Memory does not grow with the stream.
 *
 * @param source The bytes.
 * @param maxBytes A longer line gives an error, and is not kept in memory.
 * @returns The lines, some hundreds at a time.
 */
export async function* readLines(source: ReadableStream<Uint8Array>, maxBytes: number): AsyncGenerator<Line[]> {
  let before = 0;
  for await (const block of byteBlocks(source, maxBytes)) {
    if (block === undefined) continue;
    if ("oversized" in block) {
      yield [{ position: ++before, error: tooLarge("the line", maxBytes) }];
      continue;
    }
    const lines: Line[] = [];
    const base = before;
    eachLine(block.bytes, (position, start, end) => {
      before = base + position;
      if (start < end) lines.push(readLine(before, block.bytes.subarray(start, end), maxBytes));
    });
    yield lines;
  }
}

function readLine(position: number, bytes: Uint8Array, maxBytes: number): Line {
  if (bytes.length > maxBytes) return { position, error: tooLarge("the line", maxBytes) };
  try {
    return { position, text: decodeLine(bytes) };
  } catch (error) {
    return { position, error: error as LogError };
  }
}

/**
 * Finds the lines of a block, each ended by a newline or the end of the block, without a carriage return before that.
 *
 * @param bytes The block.
 * @param use Receives the number of each line, from 1, and its start and end.
 */
export function eachLine(bytes: Uint8Array, use: (position: number, start: number, end: number) => void): void {
  let position = 0;
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, start);
    const lineEnd = newline < 0 ? bytes.length : newline;
    const end = lineEnd > start && bytes[lineEnd - 1] === CARRIAGE_RETURN ? lineEnd - 1 : lineEnd;
    use(++position, start, end);
    start = lineEnd + 1;
  }
}

/**
 * The text of a line.
 *
 * @throws {OperationError} When it is not UTF-8.
 */
export function decodeLine(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new OperationError("shape", "the line is not UTF-8");
  }
}
