/**
 * Files that a command reads and writes; `-` is standard input.
 *
 * @module
 */

import { FileError, fileError, LogError } from "../errors.ts";
import { requireGranted } from "./permissions.ts";

/** Opens a file, or standard input, as a stream of bytes. */
export async function openInput(path: string): Promise<ReadableStream<Uint8Array>> {
  if (path === "-") {
    if (Deno.stdin.isTerminal()) console.error("reading standard input; end it with Ctrl-D");
    return Deno.stdin.readable;
  }
  requireGranted("read", path);
  try {
    const file = await Deno.open(path);
    if (!(await file.stat()).isDirectory) return file.readable;
    file.close();
  } catch (error) {
    throw fileError(error, path);
  }
  throw new FileError("is-a-folder", path, `${path} is a folder, not a file`);
}

/**
 * Opens a file, or standard input, and reads its first bytes.
 *
 * @returns The bytes, fewer at the end of the file, and a stream of the whole content.
 */
export async function openAndPeek(
  path: string,
  length: number,
): Promise<{ start: Uint8Array; source: ReadableStream<Uint8Array> }> {
  const source = await openInput(path);
  if (sizeOf(path) === undefined) return await peek(source, length);
  using file = Deno.openSync(path);
  const start = new Uint8Array(length);
  return { start: start.subarray(0, file.readSync(start) ?? 0), source }; // the stream of a file is faster when it is not wrapped
}

async function peek(stream: ReadableStream<Uint8Array>, length: number): ReturnType<typeof openAndPeek> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let start = new Uint8Array();
  while (start.length < length) {
    const { value, done } = await reader.read();
    if (done) break;
    chunks.push(value);
    start = new Uint8Array([...start, ...value.subarray(0, length - start.length)]);
  }
  const source = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = chunks.length > 0 ? { value: chunks.shift(), done: false } : await reader.read();
      if (done) controller.close();
      else controller.enqueue(value!);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  return { start, source };
}

/** The size of a file; undefined for standard input, or what is not a regular file. */
export function sizeOf(path: string): number | undefined {
  if (path === "-") return undefined;
  const { isFile, size } = Deno.statSync(path);
  return isFile ? size : undefined;
}

/**
 * Reads the whole of a file, or of standard input, as text.
 *
 * @param path The file.
 * @param as Its name in messages, and whether a byte order mark is a part of the text.
 */
export async function readText(path: string, as: { what?: string; ignoreBOM?: boolean } = {}): Promise<string> {
  const { what = path, ignoreBOM = true } = as;
  const bytes = await new Response(await openInput(path)).arrayBuffer();
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM }).decode(bytes);
  } catch (error) {
    throw new LogError("bad-encoding", `${what} is not UTF-8`, { cause: error });
  }
}

/** Writes texts to a new file, which is removed when that fails. An existing file is left as it is. */
export function writeNew(path: string, texts: Iterable<string>): void {
  using file = create(path);
  try {
    for (const text of texts) writeAll(file, text);
    file.syncSync();
  } catch (error) {
    Deno.removeSync(path); // an incomplete file would look complete
    throw fileError(error, path);
  }
}

function create(path: string): Deno.FsFile {
  requireGranted("write", path);
  try {
    return Deno.openSync(path, { write: true, createNew: true });
  } catch (error) {
    throw fileError(error, path, true);
  }
}

const encoder = new TextEncoder();

/** Writes a whole text: a single write may take only a part of it. */
export function writeAll(file: { writeSync(bytes: Uint8Array): number }, text: string): void {
  for (let bytes = encoder.encode(text); bytes.length > 0;) bytes = bytes.subarray(file.writeSync(bytes));
}
