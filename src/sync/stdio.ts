/**
 * A channel over two streams of bytes, such as the standard input and output of a command. A message is preceded by its
 * length in bytes, as four bytes, the most significant first:
 *
 * ```text
 * 00 00 00 05 'h' 'e' 'l' 'l' 'o'
 * ```
 *
 * @module
 */

import { SyncError } from "../errors.ts";
import type { Channel } from "./channel.ts";
import { completeLimits, type SessionLimits } from "./limits.ts";
import { within } from "./within.ts";

/** How a pair of streams is used. */
export interface StreamChannelOptions {
  /** The limits of the session: a larger message is refused before it is read. */
  limits?: Partial<SessionLimits>;
}

const LENGTH_BYTES = 4;
/** How long `close` waits for the reader of the stream. */
const CLOSE_MS = 3_000;

/**
 * A channel over a pair of streams. Both are locked until it is closed.
 *
 * @param readable What the peer sends.
 * @param writable What the peer receives.
 * @param options Limits.
 *
 * @example The far end of `mnema sync ssh://…`
 * ```ts ignore
 * const channel = streamChannel(Deno.stdin.readable, Deno.stdout.writable);
 * ```
 */
export function streamChannel(
  readable: ReadableStream<Uint8Array>,
  writable: WritableStream<Uint8Array>,
  options: StreamChannelOptions = {},
): Channel {
  return new StreamChannel(readable, writable, completeLimits(options.limits).maxMessageBytes);
}

class StreamChannel implements Channel {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #maxMessageBytes: number;
  /** Bytes that are read and not returned yet. */
  #chunk: Uint8Array = new Uint8Array();
  #isFirst = true;
  #isClosed = false;

  constructor(
    readable: ReadableStream<Uint8Array>,
    writable: WritableStream<Uint8Array>,
    maxMessageBytes: number,
  ) {
    this.#reader = readable.getReader();
    this.#writer = writable.getWriter();
    this.#writer.closed.catch(() => {}); // the write that failed reports it
    this.#maxMessageBytes = maxMessageBytes;
  }

  async send(message: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#isClosed) throw lost();
    const frame = new Uint8Array(LENGTH_BYTES + message.length);
    new DataView(frame.buffer).setUint32(0, message.length);
    frame.set(message, LENGTH_BYTES);
    try {
      await this.#writer.write(frame);
    } catch (error) {
      throw lost(error);
    }
  }

  async receive(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const header = await this.#read(LENGTH_BYTES);
    if (header === undefined) return undefined;
    const length = new DataView(header.buffer).getUint32(0);
    if (this.#isFirst && header.every((byte) => byte === 0x0a || byte === 0x0d || byte >= 0x20 && byte < 0x7f)) {
      throw new SyncError(
        "bad-message",
        `the other side sent a text that begins with ${JSON.stringify(new TextDecoder().decode(header))}, not a \
message; its shell must print nothing before the command that it runs`,
        { refusedBy: "this node" },
      );
    }
    this.#isFirst = false;
    if (length > this.#maxMessageBytes) { // before any memory is taken for it
      throw new SyncError(
        "too-large",
        `the peer announced a message of ${length} bytes; the limit is ${this.#maxMessageBytes}`,
        { refusedBy: "this node" },
      );
    }
    const message = await this.#read(length);
    if (message === undefined && length > 0) throw lost();
    return message ?? new Uint8Array();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // A peer that does not read keeps a stream from closing.
    await within(Promise.allSettled([this.#writer.close(), this.#reader.cancel()]), CLOSE_MS);
  }

  /** Reads a number of bytes; undefined when the stream ends before the first of them. */
  async #read(length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const bytes: Uint8Array[] = [];
    let missing = length;
    while (missing > 0) {
      if (this.#chunk.length === 0) {
        const { value, done } = await this.#next();
        if (done && missing === length) return undefined;
        if (done) throw lost();
        this.#chunk = value;
        continue;
      }
      const part = this.#chunk.subarray(0, missing);
      bytes.push(part);
      missing -= part.length;
      this.#chunk = this.#chunk.subarray(part.length);
    }
    const whole = new Uint8Array(length);
    let at = 0;
    for (const part of bytes) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  async #next(): Promise<ReadableStreamReadResult<Uint8Array>> {
    try {
      return await this.#reader.read();
    } catch (error) {
      throw lost(error);
    }
  }
}

function lost(cause?: unknown): SyncError {
  return new SyncError("unreachable", "the connection to the other side is lost", { cause });
}
