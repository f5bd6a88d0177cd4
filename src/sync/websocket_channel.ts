/**
 * A channel over either end of a WebSocket (RFC 6455) of `npm:ws`: each message is one binary message. It stops reading
 * while received messages wait, so that the peer, whoever it is, has to wait as well.
 *
 * The WebSocket of the runtime is not used: it has no limit for a message in fragments, and cannot stop reading, so that a
 * peer could fill the memory of this node before anything is known of it.
 *
 * @module
 */

import { type SessionRefusalCode, SyncError } from "../errors.ts";
import type { Channel } from "./channel.ts";
import { within } from "./within.ts";
import type { WebSocket } from "./ws.ts";

/** Settings of both ends. Compression is left out: a small message could expand to any size. */
export const SETTINGS = { perMessageDeflate: false, autoPong: false } as const;

/** While so many bytes wait to be sent, a sender waits and pings are not answered. */
const MAX_UNSENT_BYTES = 1 << 20;
/** How long `close` waits for what was sent to leave, and for the peer's closing frame. */
const CLOSE_MS = 2_000;
/** Closing codes (RFC 6455, section 7.4): an end in good order, and data that is not accepted. */
const NORMAL = 1000;
const NO_STATUS = 1005;
const UNSUPPORTED = 1003;
/** What the other closing codes of a peer mean. */
const REFUSALS: ReadonlyMap<number, SessionRefusalCode> = new Map([
  [1002, "bad-message"],
  [UNSUPPORTED, "bad-message"],
  [1007, "bad-message"],
  [1008, "not-allowed"],
  [1009, "too-large"],
  [1013, "busy"],
]);
/** The code of the library's error for a message that is larger than its limit. */
const TOO_LARGE = "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";

/** A channel over an open WebSocket. */
export class WebSocketChannel implements Channel {
  readonly #socket: WebSocket;
  readonly #maxWaitingBytes: number;
  readonly #inbox: Uint8Array<ArrayBuffer>[] = [];
  #waitingBytes = 0;
  /** Why there are no more messages: an error, or undefined when the peer has closed. */
  #end?: { error?: SyncError };
  #wake?: () => void;
  readonly #closed = Promise.withResolvers<void>();
  #closing?: Promise<void>;

  /**
   * @param socket The WebSocket; its limit is that of a received message.
   * @param maxWaitingBytes It is not read while more bytes of messages wait to be received.
   */
  constructor(socket: WebSocket, maxWaitingBytes: number) {
    this.#socket = socket;
    this.#maxWaitingBytes = maxWaitingBytes;
    socket.on("message", (message: Uint8Array, isBinary: boolean) => this.#take(message, isBinary));
    socket.on("ping", (payload: Uint8Array) => {
      if (socket.bufferedAmount < MAX_UNSENT_BYTES) socket.pong(payload);
    });
    socket.on("error", (error: Error & { code?: string }) => this.#finish(errorOf(error)));
    socket.on("close", (code: number) => {
      this.#finish(closedWith(code));
      this.#closed.resolve();
    });
  }

  async send(message: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#requireOpen();
    const sent = Promise.withResolvers<void>();
    this.#socket.send(message, { binary: true }, () => sent.resolve());
    if (this.#socket.bufferedAmount <= MAX_UNSENT_BYTES) return;
    await Promise.race([sent.promise, this.#closed.promise]);
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
    if (this.#socket.isPaused && this.#waitingBytes <= this.#maxWaitingBytes) this.#socket.resume();
    return message;
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close(NORMAL);
  }

  async #close(code: number): Promise<void> {
    this.#finish();
    if (this.#socket.readyState !== this.#socket.CLOSED) {
      this.#socket.close(code); // after what was sent before
      this.#socket.resume(); // to see the peer's closing frame, and the end
      await within(this.#closed.promise, CLOSE_MS);
    }
    this.#socket.terminate();
  }

  #take(message: Uint8Array, isBinary: boolean): void {
    if (this.#end !== undefined) return;
    if (!isBinary) {
      this.#finish(refuse("bad-message", "it sent a text message; messages are binary"));
      this.#closing ??= this.#close(UNSUPPORTED);
      return;
    }
    this.#inbox.push(new Uint8Array(message)); // a copy: the library's may be a view of memory that it uses again
    this.#waitingBytes += message.length;
    this.#wake?.();
    if (this.#waitingBytes > this.#maxWaitingBytes) this.#socket.pause();
  }

  #requireOpen(): void {
    if (this.#end !== undefined) throw this.#end.error ?? lost();
  }

  #finish(error?: SyncError): void {
    this.#end ??= { error };
    this.#wake?.();
  }
}

/** The error for a failure of the WebSocket. */
function errorOf({ code = "", message }: Error & { code?: string }): SyncError {
  if (code === TOO_LARGE) return refuse("too-large", "a message is larger than the limit");
  return code.startsWith("WS_ERR_") ? refuse("bad-message", message) : lost(message);
}

/** The error for the closing code of the peer, unless the connection has ended in good order. */
function closedWith(code: number): SyncError | undefined {
  if (code === NORMAL || code === NO_STATUS) return undefined;
  const refusal = REFUSALS.get(code);
  if (refusal === undefined) return lost(`closing code ${code}`);
  return new SyncError(refusal, `the peer refused the connection: ${refusal}`, { refusedBy: "peer" });
}

function refuse(code: "bad-message" | "too-large", what: string): SyncError {
  return new SyncError(code, `the peer does not keep to the protocol: ${what}`, { refusedBy: "this node" });
}

function lost(detail = ""): SyncError {
  return new SyncError("unreachable", `the connection to the peer is lost${detail === "" ? "" : ` (${detail})`}`);
}
