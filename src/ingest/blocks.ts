/**
 * Cuts a source of wire texts into blocks, some hundreds of operations each: enough to be worth a message to a worker,
 * few enough to keep in memory.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import { isOperation, type Operation } from "../wire/operation.ts";

/** Where wire texts come from: one by one, or in operations, or as a stream of bytes that holds JSON lines. */
export type IngestSource =
  | Iterable<string | Operation>
  | AsyncIterable<string | Operation>
  | ReadableStream<Uint8Array>;

/** Wire texts to be checked: texts, or bytes in which each ends with a newline. */
export type Block = { texts: string[] } | ByteBlock;

/** Whole lines, in memory of their own. */
export interface ByteBlock {
  /** Each line ends with a newline; the last of a source may end without. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** One line, at its place among the blocks, with more bytes than an operation may have. It is not kept. */
export interface OversizedLine {
  /** Nothing else is known of it. */
  oversized: true;
}

const BLOCK_BYTES = 1 << 18;
const READ_BYTES = 1 << 16;
/** A block has no more, unless a chunk is larger than what is read at once from a file, or a line. */
const BLOCK_MEMORY = BLOCK_BYTES + READ_BYTES;
const BLOCK_TEXTS = 512;
/** A source that makes one wait so long gets what it has given so far into the log meanwhile. */
const PATIENCE_MS = 50;
const NEWLINE = 0x0a;

/**
 * Memory for blocks, to be used again and again: it lies outside of the heap, and what is thrown away piles up there
 * until the collector looks.
 */
export class BlockMemory {
  readonly #free: ArrayBuffer[] = [];

  /** Room for a block. What is in it is of no account. */
  take(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#free.pop() ?? new ArrayBuffer(BLOCK_MEMORY));
  }

  /** Takes back the bytes of a block. Whoever had it must not use it any more. */
  give({ buffer }: Uint8Array<ArrayBuffer>): void {
    if (buffer.byteLength === BLOCK_MEMORY) this.#free.push(buffer);
  }
}

/**
 * The blocks of a source; undefined now and then while it makes one wait.
 *
 * @param source The source.
 * @param maxBytes A line of more bytes is passed over as they come.
 * @param memory Where the blocks of a stream of bytes are put.
 */
export function readBlocks(
  source: IngestSource,
  maxBytes: number,
  memory: BlockMemory,
): AsyncGenerator<Block | OversizedLine | undefined> {
  if (source instanceof ReadableStream) {
    if (source.locked) throw refuse("the stream is locked: somebody else reads it");
    return byteBlocks(source, maxBytes, memory);
  }
  if (typeof source === "string") {
    throw refuse(
      "a text is no source; put one wire text into a list, and open a file: (await Deno.open(path)).readable",
    );
  }
  if (ArrayBuffer.isView(source)) throw refuse("bytes are given as a stream: new Blob([bytes]).stream()");
  if (typeof source !== "object" || source === null || !(Symbol.asyncIterator in source || Symbol.iterator in source)) {
    throw refuse("a source is a list of wire texts, or a stream of bytes that holds JSON lines");
  }
  return textBlocks(source);
}

function refuse(what: string): LogError {
  return new LogError("invalid-argument", what);
}

/** What is given one by one. */
type TextSource = Exclude<IngestSource, ReadableStream<Uint8Array>>;

/** The wire text of something that a source gave. */
function textOf(given: string | Operation, position: number): string {
  if (typeof given === "string") return given;
  if (isOperation(given)) return given.wire;
  const advice = isOperation((given as { op?: unknown } | null)?.op) ? "; of an entry give its op" : "";
  throw refuse(`what the source gives at ${position} is neither a wire text nor an operation${advice}`);
}

async function* textBlocks(source: TextSource): AsyncGenerator<Block | undefined> {
  let texts: string[] = [];
  let length = 0;
  let position = 0;
  for await (const given of Symbol.asyncIterator in source ? withPauses(source) : source) {
    if (given !== PAUSE) {
      const text = textOf(given, ++position);
      texts.push(text);
      length += text.length;
      if (texts.length < BLOCK_TEXTS && length < BLOCK_BYTES) continue;
    }
    yield texts.length > 0 ? { texts } : undefined;
    texts = [];
    length = 0;
  }
  if (texts.length > 0) yield { texts };
}

/** The same for a stream of bytes. */
export async function* byteBlocks(
  source: ReadableStream<Uint8Array>,
  maxBytes: number,
  memory: BlockMemory = new BlockMemory(),
): AsyncGenerator<ByteBlock | OversizedLine | undefined> {
  let block = memory.take();
  let length = 0;
  let linesEnd = 0; // so many of the bytes are whole lines
  let skipping = false; // in the midst of a line that is too large
  for await (const given of withPauses(chunks(source))) {
    if (given !== PAUSE && !(given instanceof Uint8Array)) {
      throw refuse("the stream gives something else than bytes; give it without a TextDecoderStream");
    }
    let chunk = given === PAUSE ? undefined : given;
    if (chunk === undefined) yield undefined;
    else if (skipping) {
      const newline = chunk.indexOf(NEWLINE);
      if (newline < 0) continue;
      yield { oversized: true };
      skipping = false;
      chunk = chunk.subarray(newline + 1);
    }
    if (chunk !== undefined && chunk.length > 0) {
      const newline = chunk.lastIndexOf(NEWLINE);
      if (newline >= 0) linesEnd = length + newline + 1;
      if (length + chunk.length > block.length) block = enlarged(block, length, length + chunk.length);
      block.set(chunk, length);
      length += chunk.length;
    }
    const rest = length - linesEnd;
    if (linesEnd > 0 && (chunk === undefined || length >= BLOCK_BYTES || rest > maxBytes)) {
      const next = rest > BLOCK_MEMORY ? new Uint8Array(rest) : memory.take();
      next.set(block.subarray(linesEnd, length));
      yield { bytes: block.subarray(0, linesEnd) };
      block = next;
      length = rest;
      linesEnd = 0;
    }
    // One more byte may be a carriage return.
    if (linesEnd === 0 && length > maxBytes + 1) {
      skipping = true;
      length = 0;
    }
  }
  if (skipping) yield { oversized: true };
  else if (length > 0) yield { bytes: block.subarray(0, length) };
}

/** The first `length` of the bytes where there is room for more. */
function enlarged(bytes: Uint8Array, length: number, capacity: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(capacity, 2 * bytes.length));
  larger.set(bytes.subarray(0, length));
  return larger;
}

/** What a stream gives. A chunk must not be used any more when the next is asked for: a file is read into its memory. */
function chunks(source: ReadableStream<Uint8Array>): AsyncIterable<Uint8Array> {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = source.getReader({ mode: "byob" });
  } catch {
    return source; // its chunks come in memory of their own
  }
  let memory = new ArrayBuffer(READ_BYTES);
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    const { value, done } = await reader.read(new Uint8Array(memory));
    if (done) return { value: undefined, done };
    memory = value.buffer as ArrayBuffer;
    return { value, done };
  };
  const leave = async (): Promise<IteratorResult<Uint8Array>> => {
    await reader.cancel();
    return { value: undefined, done: true };
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: leave }) };
}

/** Stands for a source that makes one wait: whatever it gives, it cannot give this. */
const PAUSE: unique symbol = Symbol("pause");

/** What a source gives, and a pause whenever it makes one wait. */
async function* withPauses<T>(source: AsyncIterable<T>): AsyncGenerator<T | typeof PAUSE> {
  const iterator = source[Symbol.asyncIterator]();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pause: Promise<undefined> | undefined;
  const startPause = () => new Promise<undefined>((resolve) => timer = setTimeout(resolve, PATIENCE_MS, undefined));
  try {
    let asked = performance.now();
    for (let next = iterator.next();;) {
      const result = await Promise.race([next, pause ??= startPause()]);
      if (result === undefined) {
        pause = undefined;
        // It may have begun before this was asked for, and gone by while the last answer was used.
        if (performance.now() - asked >= PATIENCE_MS) yield PAUSE;
        continue;
      }
      if (result.done) return;
      yield result.value;
      next = iterator.next();
      asked = performance.now();
    }
  } finally {
    clearTimeout(timer);
    // Not awaited: a source that is stuck would keep us.
    iterator.return?.()?.catch(() => {});
  }
}
