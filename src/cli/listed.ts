/**
 * A line of JSON around an operation's wire text, as `log --json` and `show --json` print it: written here, and read
 * here where an operation is expected.
 *
 * @module
 */

import type { Operation } from "../wire/operation.ts";

/** What stands before the wire text. No wire text begins so. */
const START = /^\{"seq":\d+,(?:"verified":true,)?"op":/;
const FIRST_BYTES = new TextEncoder().encode('{"seq":');
/** What stands before the wire text has no more bytes. */
const MAX_START = 64;
const [NEWLINE, RETURN, BRACE] = [0x0a, 0x0d, 0x7d];
const latin1 = new TextDecoder("latin1");

/** The line for an operation. */
export function listed(seq: number, { wire }: Operation, { verified = false } = {}): string {
  return `{"seq":${seq},${verified ? '"verified":true,' : ""}"op":${wire}}`;
}

/** The wire text in a line; a text that is no such line as it is. */
export function unlisted(line: string): string {
  const start = line.match(START)?.[0];
  return start === undefined || !line.endsWith("}") ? line : line.slice(start.length, -1);
}

/** Whether bytes begin as such a line does. */
export function beginsListed(bytes: Uint8Array): boolean {
  return FIRST_BYTES.every((byte, i) => bytes[i] === byte);
}

/** How many bytes {@linkcode beginsListed} looks at. */
export const LISTED_BYTES: number = FIRST_BYTES.length;

/**
 * Takes lines of operations out of the lines around them. Every other line passes as it is, and each keeps its number.
 *
 * @param maxBytes The greatest wire text: a line that is too long to hold one passes without being kept in memory.
 */
export function unlistLines(maxBytes: number): TransformStream<Uint8Array, Uint8Array> {
  const longest = maxBytes + MAX_START;
  let begun: Uint8Array[] = [];
  let length = 0;
  let isPassing = false; // in the midst of a line that is too long
  const finish = (end: Uint8Array): Uint8Array => {
    const line = isPassing ? end : unlistedBytes(concat([...begun, end]));
    [begun, length, isPassing] = [[], 0, false];
    return line;
  };
  return new TransformStream({
    transform(chunk, controller) {
      const parts: Uint8Array[] = [];
      let from = 0;
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
        parts.push(finish(chunk.subarray(from, at)), chunk.subarray(at, at + 1));
        from = at + 1;
      }
      const rest = chunk.slice(from);
      if (isPassing) parts.push(rest);
      else if ((length += rest.length) <= longest) begun.push(rest);
      else {
        parts.push(...begun, rest);
        [begun, length, isPassing] = [[], 0, true];
      }
      controller.enqueue(concat(parts));
    },
    flush: (controller) => controller.enqueue(finish(new Uint8Array())),
  });
}

function unlistedBytes(line: Uint8Array): Uint8Array {
  const start = latin1.decode(line.subarray(0, MAX_START)).match(START)?.[0];
  const end = line.at(-1) === RETURN ? line.length - 1 : line.length;
  return start === undefined || line[end - 1] !== BRACE ? line : line.subarray(start.length, end - 1);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
