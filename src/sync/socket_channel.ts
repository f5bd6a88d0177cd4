/**
 * A channel over either end of a WebSocket, on the socket of an upgraded request: each message is one binary message. It
 * stops reading while received messages wait, so that the peer, whoever it is, has to wait as well.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import { SyncError } from "../errors.ts";
import type { Channel } from "./channel.ts";
import { closingCodeOf, isEndCode, NORMAL, refusalOf } from "./closing.ts";
import { FrameReader, FrameWriter } from "./frames.ts";
import { within } from "./within.ts";

/** What a client's key is hashed with (RFC 6455, section 1.3). */
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** The key of a client is 16 bytes in base64. */
const KEY = /^[A-Za-z0-9+\/]{22}==$/;
/** Pings are not answered while so many bytes wait to be sent. */
const MAX_UNSENT_BYTES = 1 << 20;
/** How long `close` waits for what was sent to leave, and for the peer's closing frame. */
const CLOSE_MS = 2_000;

/** What a server answers to the key of a client. */
export function acceptOf(key: string): string {
  return createHash("sha1").update(key + ACCEPT_SUFFIX).digest("base64");
}

/** The head of the response that accepts an upgrade; undefined when the client's key is not one. */
export function upgradeResponse(key: string | undefined): string | undefined {
  if (key === undefined || !KEY.test(key)) return undefined;
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
Sec-WebSocket-Accept: ${acceptOf(key)}\r\n\r\n`;
}

/** A channel over the socket of an upgraded request. */
export class SocketChannel implements Channel {
  readonly #socket: Duplex;
  readonly #reader: FrameReader;
  readonly #writer: FrameWriter;
  readonly #maxWaitingBytes: number;
  readonly #inbox: Uint8Array<ArrayBuffer>[] = [];
  #waitingBytes = 0;
  /** Why there are no more messages: an error, or undefined when the peer has closed. */
  #end?: { error?: SyncError };
  #wake?: () => void;
  /** Settled when the socket takes more, for all who wait for that. */
  #draining?: PromiseWithResolvers<void>;
  readonly #closed = Promise.withResolvers<void>();
  #closing?: Promise<void>;

  /**
   * @param socket The socket.
   * @param end Which end this is.
   * @param head What the peer has sent already.
   * @param maxMessageBytes Limit of a received message, in bytes.
   */
  constructor(socket: Duplex, end: "client" | "server", head: Uint8Array, maxMessageBytes: number) {
    this.#socket = socket;
    this.#reader = new FrameReader(maxMessageBytes, end === "server");
    this.#writer = new FrameWriter(end === "client");
    this.#maxWaitingBytes = maxMessageBytes;
    socket.on("data", (bytes: Uint8Array) => this.#take(bytes));
    socket.on("drain", () => this.#endWait());
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
    if (this.#socket.write(this.#writer.message(message))) return;
    this.#draining ??= Promise.withResolvers();
    await this.#draining.promise;
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
      this.#socket.end(this.#writer.close(code)); // after what was sent before
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
          if (this.#socket.writableLength < MAX_UNSENT_BYTES) this.#socket.write(this.#writer.pong(event.payload));
        } else {
          this.#finish(closedWith(event.code));
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
    this.#endWait();
  }

  #endWait(): void {
    this.#draining?.resolve();
    this.#draining = undefined;
  }
}

/** The error for the closing code of the peer, unless the connection has ended in good order. */
function closedWith(code: number | undefined): SyncError | undefined {
  if (code === undefined || isEndCode(code)) return undefined;
  const refusal = refusalOf(code);
  if (refusal === undefined) return lost(`closing code ${code}`);
  return new SyncError(refusal, `the peer refused the connection: ${refusal}`, { refusedBy: "peer" });
}

function lost(detail = ""): SyncError {
  return new SyncError("unreachable", `the connection to the peer is lost${detail === "" ? "" : ` (${detail})`}`);
}
