/**
 * A channel over a WebSocket (RFC 6455), for both ends: each message is one binary message.
 *
 * A WebSocket has no back pressure for its reader: what the peer sends arrives, whether it is read or not. The credit of
 * a session bounds what an honest peer sends ahead; the inbox here bounds what any other can.
 *
 * @module
 */

import { type SessionRefusalCode, SyncError } from "../errors.ts";
import type { Channel } from "./channel.ts";
import { completeLimits, type SessionLimits } from "./limits.ts";
import { pause, within } from "./within.ts";

/** How a WebSocket is used. */
export interface WebSocketChannelOptions {
  /** The limits of the session: a larger message, or more than what may be in flight, ends the connection. */
  limits?: Partial<SessionLimits>;
  /** Ends the attempt to connect. */
  signal?: AbortSignal;
}

/** A sender waits while the socket holds more than this, in bytes. */
const HIGH_WATER_BYTES = 1 << 20;
/** There is no event when the buffer of a socket is sent: it is polled. The first and the longest interval. */
const [FIRST_POLL_MS, LONGEST_POLL_MS] = [1, 50];
/** How long `close` waits for what was sent to leave, and for the peer's answer to the closing handshake. */
const CLOSE_MS = 3_000;

/** What may be in flight besides operations, in messages. */
const SPARE_MESSAGES = 4;

/** Closing codes of a connection that has ended in good order (RFC 6455, section 7.4.1). */
const [NORMAL, NO_STATUS] = [1000, 1005];
/** The closing codes with which this transport refuses what a session has not seen. Programs may only send codes from 3000. */
const REFUSALS = { "bad-message": 4003, "too-large": 4009 } as const;
type TransportRefusal = keyof typeof REFUSALS;
/** What the closing code of a peer means; other implementations may send the standard codes. */
const MEANINGS: Record<number, SessionRefusalCode> = {
  1003: "bad-message",
  1008: "not-allowed",
  1009: "too-large",
  1013: "busy",
  ...Object.fromEntries(Object.entries(REFUSALS).map(([code, closing]) => [closing, code as TransportRefusal])),
};

/**
 * Connects to a server.
 *
 * @param url The address, `ws:` or `wss:`.
 * @param options Limits, and the signal that ends the attempt.
 * @param client Settings of TLS, such as a certificate authority of one's own.
 * @throws {SyncError} `unreachable`.
 * @throws What the signal aborts with.
 */
export async function openWebSocket(
  url: URL,
  options: WebSocketChannelOptions = {},
  client?: Deno.HttpClient,
): Promise<Channel> {
  options.signal?.throwIfAborted();
  const socket = client === undefined ? new WebSocket(url) : new WebSocket(url, { client });
  const channel = webSocketChannel(socket, options);
  const opened = Promise.withResolvers<void>();
  const unreachable = (event?: Event) => {
    const detail = event instanceof ErrorEvent && event.message !== "" ? `: ${event.message}` : "";
    opened.reject(
      new SyncError("unreachable", `${url.origin === "null" ? url.href : url.host} cannot be reached${detail}`),
    );
  };
  const abort = () => opened.reject(options.signal?.reason);
  socket.addEventListener("open", () => opened.resolve());
  socket.addEventListener("error", unreachable);
  socket.addEventListener("close", () => unreachable());
  options.signal?.addEventListener("abort", abort);
  try {
    await opened.promise;
    return channel;
  } catch (error) {
    socket.close();
    throw error;
  } finally {
    options.signal?.removeEventListener("abort", abort);
  }
}

/**
 * A channel over a WebSocket that is open or being opened: what `new WebSocket` or `Deno.upgradeWebSocket` returned, in the
 * same turn, so that no message is missed.
 *
 * @param socket The socket.
 * @param options Limits.
 */
export function webSocketChannel(socket: WebSocket, options: WebSocketChannelOptions = {}): Channel {
  return new WebSocketChannel(socket, options);
}

class WebSocketChannel implements Channel {
  readonly #socket: WebSocket;
  readonly #maxMessageBytes: number;
  readonly #maxInboxBytes: number;
  readonly #inbox: Uint8Array<ArrayBuffer>[] = [];
  #inboxBytes = 0;
  /** Why there are no more messages: an error, or undefined when the peer has closed. */
  #end?: { error?: SyncError };
  #wake?: () => void;
  #sending: Promise<void> = Promise.resolve();
  /** Settled when the socket is open, or will never be. */
  readonly #opened = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();

  constructor(socket: WebSocket, options: WebSocketChannelOptions) {
    this.#socket = socket;
    const { maxMessageBytes, bytesInFlight } = completeLimits(options.limits);
    this.#maxMessageBytes = maxMessageBytes;
    this.#maxInboxBytes = bytesInFlight + SPARE_MESSAGES * maxMessageBytes;
    socket.binaryType = "arraybuffer";
    if (socket.readyState !== WebSocket.CONNECTING) this.#opened.resolve();
    socket.addEventListener("open", () => this.#opened.resolve());
    socket.addEventListener("message", ({ data }) => this.#take(data));
    socket.addEventListener("error", (event) => {
      this.#finish(lost(event instanceof ErrorEvent ? event.message : ""));
    });
    socket.addEventListener("close", ({ code, wasClean }) => {
      const isEnd = wasClean && (code === NORMAL || code === NO_STATUS);
      this.#finish(isEnd ? undefined : closedWith(code));
      this.#closed.resolve();
    });
  }

  send(message: Uint8Array<ArrayBuffer>): Promise<void> {
    const sent = this.#sending.then(() => this.#send(message)); // in the order of the calls
    this.#sending = sent.catch(() => {});
    return sent;
  }

  async receive(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    while (this.#inbox.length === 0) {
      if (this.#end?.error !== undefined) throw this.#end.error;
      if (this.#end !== undefined) return undefined;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const message = this.#inbox.shift()!;
    this.#inboxBytes -= message.length;
    return message;
  }

  async close(): Promise<void> {
    const deadline = Date.now() + CLOSE_MS;
    await within(this.#sending, deadline - Date.now());
    await this.#drain(0, deadline);
    if (this.#socket.readyState < WebSocket.CLOSING) this.#socket.close(NORMAL);
    this.#finish();
    await within(this.#closed.promise, deadline - Date.now());
  }

  async #send(message: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#opened.promise;
    await this.#drain(HIGH_WATER_BYTES);
    if (!this.#isOpen()) throw this.#end?.error ?? lost("");
    this.#socket.send(message);
  }

  /** Waits until the socket holds at most so many bytes, or is closed, or until a time. */
  async #drain(bytes: number, deadline = Infinity): Promise<void> {
    let wait = FIRST_POLL_MS;
    while (this.#isOpen() && this.#socket.bufferedAmount > bytes && Date.now() < deadline) {
      await pause(wait);
      wait = Math.min(2 * wait, LONGEST_POLL_MS);
    }
  }

  #isOpen(): boolean {
    return this.#end === undefined && this.#socket.readyState === WebSocket.OPEN;
  }

  #take(data: unknown): void {
    if (this.#end !== undefined) return;
    if (!(data instanceof ArrayBuffer)) {
      return this.#refuse("bad-message", "the peer sent a text message; messages are binary");
    }
    if (data.byteLength > this.#maxMessageBytes) {
      const limit = `the limit is ${this.#maxMessageBytes}`;
      return this.#refuse("too-large", `the peer sent a message of ${data.byteLength} bytes; ${limit}`);
    }
    if (this.#inboxBytes + data.byteLength > this.#maxInboxBytes) {
      const ahead = `more than ${this.#maxInboxBytes} bytes`;
      return this.#refuse(
        "too-large",
        `the peer sent ${ahead} ahead of what this node has read; it ignores its credit`,
      );
    }
    this.#inbox.push(new Uint8Array(data));
    this.#inboxBytes += data.byteLength;
    this.#wake?.();
  }

  /** Ends the connection for what the peer sent; what was sent before can still be read. */
  #refuse(code: TransportRefusal, message: string): void {
    this.#finish(new SyncError(code, message, { refusedBy: "this node" }));
    this.#socket.close(REFUSALS[code], code);
  }

  #finish(error?: SyncError): void {
    this.#end ??= { error };
    this.#opened.resolve();
    this.#wake?.();
  }
}

/** The error for the closing code of the peer. */
function closedWith(code: number): SyncError {
  const refusal = Object.hasOwn(MEANINGS, code) ? MEANINGS[code] : undefined;
  if (refusal === undefined) return lost(code > 0 ? `closing code ${code}` : "");
  const message = `the peer refused the connection: ${refusal}`;
  return new SyncError(refusal, message, { refusedBy: "peer" });
}

function lost(detail: string): SyncError {
  return new SyncError("unreachable", `the connection to the peer is lost${detail === "" ? "" : ` (${detail})`}`);
}
