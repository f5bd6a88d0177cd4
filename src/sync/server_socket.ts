/**
 * A channel over the server's end of a WebSocket, on the socket of an upgraded request. It stops reading while received
 * messages wait, so that the peer, whoever it is, has to wait as well.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import { SyncError } from "../errors.ts";
import type { Channel } from "./channel.ts";
import { closingCodeOf, isEndCode, NORMAL } from "./closing.ts";
import { binaryFrame, closeFrame, FrameReader, pongFrame } from "./frames.ts";
import { within } from "./within.ts";

/** What a client's key is hashed with (RFC 6455, section 1.3). */
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** The key of a client is 16 bytes in base64. */
const KEY = /^[A-Za-z0-9+\/]{22}==$/;
/** Pings are not answered while so many bytes wait to be sent. */
const MAX_UNSENT_BYTES = 1 << 20;
/** How long `close` waits for what was sent to leave, and for the peer's closing frame. */
const CLOSE_MS = 2_000;

/** The head of the response that accepts an upgrade; undefined when the client's key is not one. */
export function upgradeResponse(key: string | undefined): string | undefined {
  if (key === undefined || !KEY.test(key)) return undefined;
  const accept = createHash("sha1").update(key + ACCEPT_SUFFIX).digest("base64");
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
Sec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

/** A channel over a socket to which the response was written. */
export class ServerSocketChannel implements Channel {
  readonly #socket: Duplex;
  readonly #reader: FrameReader;
  readonly #maxWaitingBytes: number;
  readonly #inbox: Uint8Array<ArrayBuffer>[] = [];
  #waitingBytes = 0;
  /** Why there are no more messages: an error, or undefined when the peer has closed. */
  #end?: { error?: SyncError };
  #wake?: () => void;
  #drained = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  #closing?: Promise<void>;

  /**
   * @param socket The socket.
   * @param head What the client has sent after its request.
   * @param maxMessageBytes Limit of a received message, in bytes.
   */
  constructor(socket: Duplex, head: Uint8Array, maxMessageBytes: number) {
    this.#socket = socket;
    this.#reader = new FrameReader(maxMessageBytes);
    this.#maxWaitingBytes = maxMessageBytes;
    socket.on("data", (bytes: Uint8Array) => this.#take(bytes));
    socket.on("drain", () => this.#drained.resolve());
    socket.on("error", (error: Error) => this.#finish(lost(error.message)));
    socket.on("end", () => this.#finish(lost()));
    socket.on("close", () => {
      this.#finish(lost());
      this.#closed.resolve();
    });
    if (head.length > 0) this.#take(head);
  }

  async send(message: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#requireOpen();
    this.#drained = Promise.withResolvers();
    if (this.#socket.write(binaryFrame(message))) return;
    await this.#drained.promise;
    this.#requireOpen();
  }

  async receive(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    while (this.#inbox.length === 0) {
      if (this.#end?.error !== undefined) throw this.#end.error;
      if (this.#end !== undefined) return undefined;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const message = this.#inbox.shift()!;
    this.#waitingBytes -= message.length;
    if (this.#socket.isPaused() && this.#waitingBytes <= this.#maxWaitingBytes) this.#socket.resume();
    return message;
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close(NORMAL);
  }

  async #close(code: number): Promise<void> {
    this.#finish();
    if (!this.#socket.destroyed) {
      this.#socket.end(closeFrame(code)); // after what was sent before
      this.#socket.resume(); // to see the peer's closing frame, and the end
      await within(this.#closed.promise, CLOSE_MS);
    }
    this.#socket.destroy();
  }

  #take(bytes: Uint8Array): void {
    if (this.#end !== undefined) return;
    try {
      for (const event of this.#reader.read(bytes)) {
        if (event.kind === "message") {
          this.#inbox.push(event.message);
          this.#waitingBytes += event.message.length;
          this.#wake?.();
        } else if (event.kind === "ping") {
          if (this.#socket.writableLength < MAX_UNSENT_BYTES) this.#socket.write(pongFrame(event.payload));
        } else {
          this.#finish(isEndCode(event.code) ? undefined : lost(`closing code ${event.code}`));
          this.#closing ??= this.#close(NORMAL);
          return;
        }
      }
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      this.#finish(error);
      this.#closing ??= this.#close(closingCodeOf(error.code));
    }
    if (this.#waitingBytes > this.#maxWaitingBytes) this.#socket.pause();
  }

  #requireOpen(): void {
    if (this.#end !== undefined) throw this.#end.error ?? lost();
  }

  #finish(error?: SyncError): void {
    this.#end ??= { error };
    this.#wake?.();
    this.#drained.resolve();
  }
}

function lost(detail = ""): SyncError {
  return new SyncError("unreachable", `the connection to the peer is lost${detail === "" ? "" : ` (${detail})`}`);
}
