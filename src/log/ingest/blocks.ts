/**
 * Cuts a source of wire texts into blocks, some hundreds of operations each: enough to be worth a message to a worker,
 * few enough to keep in memory.
 *
 * @module
 */

/** Where wire texts come from: one by one, or as a stream of bytes that holds JSON lines. */
export type IngestSource = Iterable<string> | AsyncIterable<string> | ReadableStream<Uint8Array>;

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
const BLOCK_TEXTS = 512;
/** A source that makes one wait so long gets what it has given so far into the log meanwhile. */
const PATIENCE_MS = 50;
const NEWLINE = 0x0a;

/**
 * The blocks of a source; undefined now and then while it makes one wait.
 *
 * @param source The source.
 * @param maxBytes A line of more bytes is passed over as they come.
 */
export function readBlocks(source: IngestSource, maxBytes: number): AsyncGenerator<Block | OversizedLine | undefined> {
  return source instanceof ReadableStream ? byteBlocks(source, maxBytes) : textBlocks(source);
}

async function* textBlocks(source: Iterable<string> | AsyncIterable<string>): AsyncGenerator<Block | undefined> {
  let texts: string[] = [];
  let length = 0;
  for await (const text of Symbol.asyncIterator in source ? withPauses(source) : source) {
    if (text !== undefined) {
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
): AsyncGenerator<ByteBlock | OversizedLine | undefined> {
  let parts: Uint8Array[] = [];
  let length = 0;
  let linesEnd = 0; // so many of the bytes are whole lines
  let skipping = false; // in the midst of a line that is too large
  for await (let chunk of withPauses(source)) {
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
      parts.push(chunk);
      length += chunk.length;
    }
    const rest = length - linesEnd;
    if (linesEnd > 0 && (chunk === undefined || length >= BLOCK_BYTES || rest > maxBytes)) {
      yield { bytes: joined(parts, linesEnd) };
      parts = behind(parts, linesEnd);
      length = rest;
      linesEnd = 0;
    }
    // One more byte may be a carriage return.
    if (linesEnd === 0 && length > maxBytes + 1) {
      skipping = true;
      parts = [];
      length = 0;
    }
  }
  if (skipping) yield { oversized: true };
  else if (length > 0) yield { bytes: joined(parts, length) };
}

/** The first `length` bytes of the parts, in memory of their own, which can be handed over to a worker. */
function joined(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    if (at >= length) break;
    bytes.set(part.subarray(0, length - at), at);
    at += part.length;
  }
  return bytes;
}

/** What is left of the parts behind their first `length` bytes. */
function behind(parts: readonly Uint8Array[], length: number): Uint8Array[] {
  let at = 0;
  return parts.flatMap((part) => {
    const start = Math.max(0, length - at);
    at += part.length;
    return start < part.length ? [part.subarray(start)] : [];
  });
}

/** What a source gives, and undefined whenever it makes one wait. */
async function* withPauses<T>(source: AsyncIterable<T>): AsyncGenerator<T | undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pause: Promise<undefined> | undefined;
  const startPause = () => new Promise<undefined>((resolve) => timer = setTimeout(resolve, PATIENCE_MS, undefined));
  try {
    for (let next = iterator.next();;) {
      const result = await Promise.race([next, pause ??= startPause()]);
      if (result === undefined) {
        pause = undefined;
        yield undefined;
        continue;
      }
      if (result.done) return;
      yield result.value;
      next = iterator.next();
    }
  } finally {
    clearTimeout(timer);
    // Not awaited: a source that is stuck would keep us.
    iterator.return?.()?.catch(() => {});
  }
}
