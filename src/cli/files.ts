/**
 * Files that a command reads and writes; `-` is standard input.
 *
 * @module
 */

import { FileError, fileError } from "../errors.ts";

/** Opens a file, or standard input, as a stream of bytes. */
export async function openInput(path: string): Promise<ReadableStream<Uint8Array>> {
  if (path === "-") {
    if (Deno.stdin.isTerminal()) console.error("reading standard input; end it with Ctrl-D");
    return Deno.stdin.readable;
  }
  try {
    const file = await Deno.open(path);
    if (!(await file.stat()).isDirectory) return file.readable;
    file.close();
  } catch (error) {
    throw fileError(error, path);
  }
  throw new FileError("is-a-folder", path, `${path} is a folder, not a file`);
}

/** Opens a new file for writing; one that is there is left as it is. */
export function createOutput(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { write: true, createNew: true });
  } catch (error) {
    throw fileError(error, path, true);
  }
}

const encoder = new TextEncoder();

/** Writes a text whole: a single write may take only a part of it. */
export function writeAll(file: { writeSync(bytes: Uint8Array): number }, text: string): void {
  for (let bytes = encoder.encode(text); bytes.length > 0;) bytes = bytes.subarray(file.writeSync(bytes));
}
