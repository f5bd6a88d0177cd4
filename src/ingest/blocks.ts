/**
 * Cuts a source of wire texts into blocks of some hundreds of operations: enough to be worth a message to a worker, few
 * enough to keep many in memory.
 *
 * @module
 */

import { enlarged } from "../bytes.ts";
import { LogError } from "../errors.ts";
import { isOperation, type Operation } from "../wire/operation.ts";

/** A source of wire texts: texts, operations, or a stream of bytes that holds JSON lines. */
export type IngestSource =
  | Iterable<string | Operation>
  | AsyncIterable<string | Operation>
  | ReadableStream<Uint8Array>;

/** Wire texts to be checked: texts, or bytes in which each ends with a newline. */
export type Block = { texts: string[] } | ByteBlock;

/** Whole lines, in memory that nothing else uses. */
export interface ByteBlock {
  /** Each line ends with a newline; the last of a source may end without. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Memory beside them, for the table of their operations. */
  table?: Uint8Array<ArrayBuffer>;
}

/** A line with more bytes than an operation may have; its bytes are dropped. It comes in the order of the blocks. */
export interface OversizedLine {
  /** Marks it. */
  oversized: true;
}

const BLOCK_BYTES = 1 << 18;
const READ_BYTES = 1 << 16;
/** The size of a block's memory, in bytes; larger only for a larger line or chunk. */
const BLOCK_MEMORY = BLOCK_BYTES + READ_BYTES;
/** Behind it, room for the table of its operations, in bytes: small ones may need more. */
const TABLE_MEMORY = 1 << 16;
const BLOCK_TEXTS = 512;
/** A source that is silent for so long has its operations appended before it gives more. */
const PAUSE_AFTER_MS = 50;
const NEWLINE = 0x0a;

/**
 * Reused memory for blocks: array buffers lie outside of the heap, where dropped ones pile up until they are collected.
 */
export class BlockMemory {
  readonly #free: ArrayBuffer[] = [];

  /** Memory for a block. Its contents are unspecified. */
  take(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#free.pop() ?? new ArrayBuffer(BLOCK_MEMORY + TABLE_MEMORY), 0, BLOCK_MEMORY);
  }

  /** Takes back the memory of a block, which must not be used afterwards. */
  give({ buffer }: Uint8Array<ArrayBuffer>): void {
    if (isBlockMemory(buffer)) this.#free.push(buffer);
  }
}

function isBlockMemory({ byteLength }: ArrayBuffer): boolean {
  return byteLength === BLOCK_MEMORY + TABLE_MEMORY;
}

/** The block of the first bytes of its memory. Larger memory, whatever its size, has no room for a table. */
function blockOf(memory: Uint8Array<ArrayBuffer>, length: number): ByteBlock {
  const bytes = memory.subarray(0, length);
  const { buffer } = memory;
  const hasTable = memory.length === BLOCK_MEMORY && isBlockMemory(buffer);
  return hasTable ? { bytes, table: new Uint8Array(buffer, BLOCK_MEMORY) } : { bytes };
}

/**
 * The blocks of a source; undefined from time to time while it is silent.
 *
 * @param source The source.
 * @param maxBytes The limit of a line; the bytes of a longer one are dropped as they arrive.
 * @param memory Holds the blocks of a stream of bytes.
 */
export function readBlocks(
  source: IngestSource,
  maxBytes: number,
  memory: BlockMemory,
): AsyncGenerator<Block | OversizedLine | undefined> {
  if (source instanceof ReadableStream) {
    if (source.locked) throw refuse("the stream is locked by another reader");
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

/** A source of single texts or operations. */
type TextSource = Exclude<IngestSource, ReadableStream<Uint8Array>>;

/** The wire text of an item of a source. */
function textOf(given: string | Operation, position: number): string {
  if (typeof given === "string") return given;
  if (isOperation(given)) return given.wire;
  const advice = isOperation((given as { op?: unknown } | null)?.op) ? "; of an entry give its op" : "";
  throw refuse(`the item at ${position} of the source is neither a wire text nor an operation${advice}`);
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
  let linesEnd = 0; // the end of the last whole line
  let skipping = false; // inside a line that is too large
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
      block = enlarged(block, length, length + chunk.length);
      block.set(chunk, length);
      length += chunk.length;
    }
    const rest = length - linesEnd;
    if (linesEnd > 0 && (chunk === undefined || length >= BLOCK_BYTES || rest > maxBytes)) {
      const next = rest > BLOCK_MEMORY ? new Uint8Array(rest) : memory.take();
      next.set(block.subarray(linesEnd, length));
      yield blockOf(block, linesEnd);
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
  else if (length > 0) yield blockOf(block, length);
}

/** The chunks of a stream. A chunk is valid until the next is asked for: files are read into the same memory again. */
function chunks(source: ReadableStream<Uint8Array>): AsyncIterable<Uint8Array> {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = source.getReader({ mode: "byob" });
  } catch {
    return source; // each of its chunks has its own memory
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

/** Reports that a source is silent. No source can give it. */
const PAUSE: unique symbol = Symbol("pause");

/** The items of a source, and a pause whenever it is silent. */
async function* withPauses<T>(source: AsyncIterable<T>): AsyncGenerator<T | typeof PAUSE> {
  const iterator = source[Symbol.asyncIterator]();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pause: Promise<undefined> | undefined;
  const startPause = () => new Promise<undefined>((resolve) => timer = setTimeout(resolve, PAUSE_AFTER_MS, undefined));
  try {
    let asked = performance.now();
    for (let next = iterator.next();;) {
      const result = await Promise.race([next, pause ??= startPause()]);
      if (result === undefined) {
        pause = undefined;
        // The timer may have started before this item was asked for.
        if (performance.now() - asked >= PAUSE_AFTER_MS) yield PAUSE;
        continue;
      }
      if (result.done) return;
      yield result.value;
      next = iterator.next();
      asked = performance.now();
    }
  } finally {
    clearTimeout(timer);
    // Not awaited: a source that hangs would hang this, too.
    iterator.return?.()?.catch(() => {});
  }
}
