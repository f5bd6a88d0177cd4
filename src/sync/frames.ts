/**
 * The frames of a WebSocket (RFC 6455, section 5), as both ends read and write them:
 *
 * ```text
 * byte 0     FIN (1 bit), reserved (3 bits, 0), opcode (4 bits: 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong)
 * byte 1     MASK (1 bit: 1 from a client, 0 from a server), length (7 bits: 126 means 2 more bytes, 127 means 8 more)
 * 4 bytes    the mask, where there is one; then the payload, each byte XOR the next byte of the mask
 * ```
 *
 * Deno's own WebSocket has no limit for a message in fragments, and cannot stop reading, so that a peer could fill the memory
 * of this node before anything is known of it. Here a message has a limit before any of it is kept.
 *
 * @module
 */

import { type SessionRefusalCode, SyncError } from "../errors.ts";

/** What a frame, or the last frame of a message, means. */
export type FrameEvent =
  | { kind: "message"; message: Uint8Array<ArrayBuffer> }
  | { kind: "ping"; payload: Uint8Array<ArrayBuffer> }
  | { kind: "close"; code?: number };

const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

const FIN = 0x80;
const RESERVED = 0x70;
const MASK = 0x80;
const MASK_BYTES = 4;
const MAX_CONTROL_BYTES = 125;

/** Reads frames from pieces of any size. */
export class FrameReader {
  readonly #maxMessageBytes: number;
  /** The bytes of a header that has not arrived as a whole. */
  readonly #header: number[] = [];
  #frame?: { opcode: number; isFinal: boolean; mask: Uint8Array; length: number; read: number };
  #control: Uint8Array<ArrayBuffer>[] = [];
  #parts: Uint8Array<ArrayBuffer>[] = [];
  #messageBytes = 0;
  #isInMessage = false;

  readonly #isMasked: boolean;

  /**
   * @param maxMessageBytes Limit of a message, in bytes, all of its fragments together.
   * @param isMasked Whether the frames have masks: those of a client.
   */
  constructor(maxMessageBytes: number, isMasked: boolean) {
    this.#maxMessageBytes = maxMessageBytes;
    this.#isMasked = isMasked;
  }

  /**
   * Reads a piece.
   *
   * @throws {SyncError} `too-large`, `bad-message`: the connection cannot be used any more.
   */
  *read(bytes: Uint8Array): Generator<FrameEvent> {
    for (let at = 0; at < bytes.length;) {
      if (this.#frame === undefined) {
        this.#header.push(bytes[at++]);
        this.#readHeader();
      } else {
        // A copy: the piece is memory of the socket.
        const part = new Uint8Array(bytes.subarray(at, at + this.#frame.length - this.#frame.read));
        at += part.length;
        this.#keep(part);
      }
      if (this.#frame !== undefined && this.#frame.read === this.#frame.length) {
        const event = this.#finish();
        if (event !== undefined) yield event;
      }
    }
  }

  /** Decodes the header once all of it has arrived. */
  #readHeader(): void {
    const [first, second] = this.#header;
    if (second === undefined) return;
    const short = second & ~MASK;
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    const isMasked = (second & MASK) !== 0;
    if (this.#header.length < 2 + extended + (isMasked ? MASK_BYTES : 0)) return;
    if ((first & RESERVED) !== 0) throw refuse("bad-message", "a frame uses an extension that was not agreed on");
    if (isMasked !== this.#isMasked) {
      throw refuse("bad-message", "frames of a client have masks, those of a server none");
    }
    const length = this.#header.slice(2, 2 + extended).reduce((sum, byte) => sum * 256 + byte, extended ? 0 : short);
    const mask = Uint8Array.from(this.#header.slice(2 + extended));
    this.#header.length = 0;
    const frame = { opcode: first & 0x0f, isFinal: (first & FIN) !== 0, mask, length, read: 0 };
    this.#check(frame);
    this.#frame = frame;
  }

  #check({ opcode, isFinal, length }: { opcode: number; isFinal: boolean; length: number }): void {
    if (opcode === CLOSE || opcode === PING || opcode === PONG) {
      if (!isFinal || length > MAX_CONTROL_BYTES) {
        throw refuse("bad-message", "a control frame is in pieces or too long");
      }
      return;
    }
    if (opcode === TEXT) throw refuse("bad-message", "it sent a text message; messages are binary");
    if (opcode !== (this.#isInMessage ? CONTINUATION : BINARY)) {
      throw refuse("bad-message", "a frame has an opcode that is not expected");
    }
    if (this.#messageBytes + length > this.#maxMessageBytes) { // before any of it is kept
      throw refuse("too-large", `a message has more than ${this.#maxMessageBytes} bytes`);
    }
    this.#messageBytes += length;
    this.#isInMessage = !isFinal;
  }

  #keep(part: Uint8Array<ArrayBuffer>): void {
    const frame = this.#frame!;
    if (this.#isMasked) applyMask(part, frame.mask, frame.read);
    frame.read += part.length;
    (frame.opcode >= CLOSE ? this.#control : this.#parts).push(part);
  }

  #finish(): FrameEvent | undefined {
    const { opcode, isFinal } = this.#frame!;
    this.#frame = undefined;
    if (opcode >= CLOSE) {
      const payload = joined(this.#control);
      this.#control = [];
      if (opcode === PONG) return undefined;
      if (opcode === PING) return { kind: "ping", payload };
      return { kind: "close", code: payload.length < 2 ? undefined : payload[0] * 256 + payload[1] };
    }
    if (!isFinal) return undefined;
    const message = joined(this.#parts);
    this.#parts = [];
    this.#messageBytes = 0;
    return { kind: "message", message };
  }
}

/** Writes frames. */
export class FrameWriter {
  readonly #isMasked: boolean;

  /** @param isMasked Whether the frames have masks: those of a client. */
  constructor(isMasked: boolean) {
    this.#isMasked = isMasked;
  }

  /** A frame with a whole message. */
  message(message: Uint8Array): Uint8Array<ArrayBuffer> {
    return this.#frame(BINARY, message);
  }

  /** The answer to a ping. */
  pong(payload: Uint8Array): Uint8Array<ArrayBuffer> {
    return this.#frame(PONG, payload);
  }

  /** The frame that closes a connection. */
  close(code: number): Uint8Array<ArrayBuffer> {
    return this.#frame(CLOSE, Uint8Array.of(code >> 8, code & 0xff));
  }

  #frame(opcode: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
    const { length } = payload;
    const extended = length <= MAX_CONTROL_BYTES ? 0 : length < 1 << 16 ? 2 : 8;
    const maskAt = 2 + extended;
    const start = maskAt + (this.#isMasked ? MASK_BYTES : 0);
    const frame = new Uint8Array(start + length);
    frame[0] = FIN | opcode;
    frame[1] = (this.#isMasked ? MASK : 0) | (extended === 0 ? length : extended === 2 ? 126 : 127);
    const view = new DataView(frame.buffer);
    if (extended === 2) view.setUint16(2, length);
    if (extended === 8) view.setBigUint64(2, BigInt(length));
    frame.set(payload, start);
    if (this.#isMasked) {
      const mask = crypto.getRandomValues(frame.subarray(maskAt, start));
      applyMask(frame.subarray(start), mask, 0);
    }
    return frame;
  }
}

/** Applies a mask to a part of a payload, which begins at an offset; a second time removes it. */
function applyMask(part: Uint8Array, mask: Uint8Array, offset: number): void {
  for (let i = 0; i < part.length; i++) part[i] ^= mask[(offset + i) & 3];
}

function joined(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  if (parts.length === 1) return parts[0];
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function refuse(code: SessionRefusalCode, what: string): SyncError {
  return new SyncError(code, `the peer does not keep to the protocol: ${what}`, { refusedBy: "this node" });
}
