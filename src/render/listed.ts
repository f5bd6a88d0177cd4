/**
 * The line of JSON around an operation's wire text that `log --json` and `show --json` print, and that other commands
 * take for the operation in it.
 *
 * @module
 */

import type { Operation } from "../wire/operation.ts";

/** What is before the wire text. No wire text begins so. */
const START = /^\{"seq":\d+,(?:"verified":true,)?"op":/;
const FIRST_BYTES = new TextEncoder().encode('{"seq":');
/** The most bytes before the wire text. */
const MAX_START = 64;
/** The children behind the wire text, which ends in `"v":1}`. */
const CHILDREN = /,"children":\[(?:"op_[0-9a-f]{64}"(?:,"op_[0-9a-f]{64}")*)?\]\}$/;
const [NEWLINE, RETURN, BRACKET, BRACE] = [0x0a, 0x0d, 0x5d, 0x7d];
const latin1 = new TextDecoder("latin1"); // a character for each byte

/** The line for an operation, and for `show` whether it was verified, and its children. */
export function listed(
  seq: number,
  { wire }: Operation,
  { verified = false, children }: { verified?: boolean; children?: readonly string[] } = {},
): string {
  const before = verified ? '"verified":true,' : "";
  const behind = children === undefined ? "" : `,"children":${JSON.stringify(children)}`;
  return `{"seq":${seq},${before}"op":${wire}${behind}}`;
}

/** The wire text in a line; any other text is returned as it is. */
export function unlisted(line: string): string {
  const start = line.match(START)?.[0];
  if (start === undefined || !line.endsWith("}")) return line;
  const children = line.endsWith("]}") ? line.match(CHILDREN) : null;
  return line.slice(start.length, children?.index ?? -1);
}

/** Whether bytes begin as such a line does. */
export function beginsListed(bytes: Uint8Array): boolean {
  return FIRST_BYTES.every((byte, i) => bytes[i] === byte);
}

/** How many bytes {@linkcode beginsListed} needs. */
export const LISTED_BYTES: number = FIRST_BYTES.length;

/**
 * Replaces each such line with its wire text. Other lines pass unchanged, so line numbers stay the same.
 *
 * @param maxBytes Limit of a wire text: a longer line passes unchanged, and is not held in memory.
 */
export function unlistLines(maxBytes: number): TransformStream<Uint8Array, Uint8Array> {
  const maxLine = maxBytes + MAX_START;
  let parts: Uint8Array[] = []; // of the line so far
  let length = 0;
  let isPassing = false; // the rest of a line that is too long
  const finish = (end: Uint8Array): Uint8Array => {
    const line = isPassing ? end : unlistedBytes(concat([...parts, end]));
    [parts, length, isPassing] = [[], 0, false];
    return line;
  };
  return new TransformStream({
    transform(chunk, controller) {
      const out: Uint8Array[] = [];
      let from = 0;
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
        out.push(finish(chunk.subarray(from, at)), chunk.subarray(at, at + 1));
        from = at + 1;
      }
      const rest = chunk.slice(from);
      if (isPassing) out.push(rest);
      else if ((length += rest.length) <= maxLine) parts.push(rest);
      else {
        out.push(...parts, rest);
        [parts, length, isPassing] = [[], 0, true];
      }
      controller.enqueue(concat(out));
    },
    flush: (controller) => controller.enqueue(finish(new Uint8Array())),
  });
}

function unlistedBytes(line: Uint8Array): Uint8Array {
  const start = latin1.decode(line.subarray(0, MAX_START)).match(START)?.[0];
  const end = line.at(-1) === RETURN ? line.length - 1 : line.length;
  if (start === undefined || line[end - 1] !== BRACE) return line;
  const children = line[end - 2] === BRACKET ? latin1.decode(line.subarray(0, end)).match(CHILDREN) : null;
  return line.subarray(start.length, children?.index ?? end - 1);
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
