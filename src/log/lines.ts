/**
 * Lines out of a stream of bytes: JSON lines, as logs are exported.
 *
 * @module
 */

import { type LogError, OperationError, tooLarge } from "../errors.ts";

/** One text of a source, or why it cannot be read. */
export type Line = { position: number; text: string } | { position: number; error: LogError };

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Splits bytes into lines, each ended by a newline (a carriage return before it is dropped). Blank lines are passed
 * over, and counted. Memory does not grow beyond a chunk and one line.
 *
 * @param source The bytes.
 * @param maxBytes A longer line is an error of its own, and is not kept in memory.
 * @returns The lines, as many at a time as came with one chunk; `position` is the line number, from 1.
 */
export async function* readLines(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Line[]> {
  // A byte order mark is not passed over: it is no part of JSON.
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let position = 0;
  let rest: Uint8Array[] = [];
  let restBytes = 0;

  const keep = (bytes: Uint8Array) => {
    restBytes += bytes.length;
    if (restBytes <= maxBytes + 1) rest.push(bytes.slice());
    else rest = []; // too large: only its length still matters
  };
  const take = (end: Uint8Array): Line | undefined => {
    position++;
    const bytes = joined(rest, restBytes, end, maxBytes);
    rest = [];
    restBytes = 0;
    if (bytes === undefined) return { position, error: tooLarge("the line", maxBytes) };
    if (bytes.length === 0) return undefined;
    try {
      return { position, text: decoder.decode(bytes) };
    } catch {
      return { position, error: new OperationError("shape", "the line is not UTF-8") };
    }
  };

  for await (const chunk of source) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const line = take(chunk.subarray(start, end));
      if (line !== undefined) lines.push(line);
      start = end + 1;
    }
    if (start < chunk.length) keep(chunk.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (restBytes > 0) {
    const line = take(new Uint8Array());
    if (line !== undefined) yield [line];
  }
}

/** The bytes of a line without its carriage return; undefined when they are too many. */
function joined(rest: Uint8Array[], restBytes: number, end: Uint8Array, maxBytes: number): Uint8Array | undefined {
  let bytes = end;
  if (restBytes > 0) {
    if (restBytes + end.length > maxBytes + 1) return undefined;
    bytes = new Uint8Array(restBytes + end.length);
    let at = 0;
    for (const part of [...rest, end]) {
      bytes.set(part, at);
      at += part.length;
    }
  }
  if (bytes.at(-1) === CARRIAGE_RETURN) bytes = bytes.subarray(0, -1);
  return bytes.length > maxBytes ? undefined : bytes;
}
