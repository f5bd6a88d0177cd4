/**
 * The two ends of a WebSocket: a client connects, a server accepts.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { rootCertificates } from "node:tls";
import { SyncError } from "../errors.ts";
import type { Channel } from "./channel.ts";
import { completeLimits, type SessionLimits } from "./limits.ts";
import { SETTINGS, WebSocketChannel } from "./websocket_channel.ts";

/** How a connection is made. */
export interface WebSocketOptions {
  /** The limits of the session: a larger message ends the connection. */
  limits?: Partial<SessionLimits>;
  /** Certificates of authorities to trust, in PEM; the usual ones by default. */
  caCerts?: readonly string[];
  /** Ends the attempt to connect. */
  signal?: AbortSignal;
}

/** What the status of a response that is no upgrade means. */
const STATUS: Partial<Record<number, "not-allowed" | "busy">> = { 401: "not-allowed", 403: "not-allowed", 503: "busy" };

/**
 * Connects to a server.
 *
 * @param url The address, `ws:` or `wss:`.
 * @param options Limits, authorities, and the signal that ends the attempt.
 * @throws {SyncError} `unreachable`; `not-allowed` or `busy` when the server answers with such a status.
 * @throws What the signal aborts with.
 * @throws {Deno.errors.NotCapable} Without the permission to connect, or to read the variables in `websocket_env.ts`.
 */
export async function openWebSocket(url: URL, options: WebSocketOptions = {}): Promise<Channel> {
  const { caCerts, signal } = options;
  const { maxMessageBytes } = completeLimits(options.limits);
  signal?.throwIfAborted();
  const { WebSocket } = await import("./ws.ts");
  // Named also where they are the usual ones: to find them by itself, the runtime needs a permission more.
  const ca = url.protocol === "wss:" ? [...caCerts ?? rootCertificates] : undefined;
  const socket = new WebSocket(url, { ...SETTINGS, maxPayload: maxMessageBytes, ca });
  const opened = Promise.withResolvers<Channel>();
  const unreachable = (why: string) => new SyncError("unreachable", `${url.host} cannot be reached: ${why}`);
  // Made at once: a message may come with the response.
  const channel = new WebSocketChannel(socket, maxMessageBytes);
  socket.on("open", () => opened.resolve(channel));
  socket.on("error", (error) => {
    const { cause = error } = error;
    opened.reject(cause instanceof Deno.errors.NotCapable ? cause : unreachable(error.message));
  });
  socket.on("unexpected-response", (request, { statusCode = 0 }) => {
    const refusal = STATUS[statusCode];
    const why = `it answers with status ${statusCode} instead of a WebSocket`;
    opened.reject(
      refusal === undefined
        ? unreachable(why)
        : new SyncError(refusal, `${url.host} refuses: ${why}`, { refusedBy: "peer" }),
    );
    request.destroy();
  });
  const abort = () => opened.reject(signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    return await opened.promise;
  } catch (error) {
    socket.terminate();
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** Accepts a request for a WebSocket, or answers why not. */
export type Accept = (
  request: IncomingMessage,
  socket: Socket,
  head: Uint8Array,
  use: (channel: Channel) => void,
) => void;

/**
 * Accepts WebSockets on the sockets of upgraded requests.
 *
 * @param maxMessageBytes Limit of a received message, in bytes.
 */
export async function webSocketAcceptor(maxMessageBytes: number): Promise<Accept> {
  const { WebSocketServer } = await import("./ws.ts");
  const server = new WebSocketServer({
    ...SETTINGS,
    noServer: true,
    clientTracking: false,
    maxPayload: maxMessageBytes,
  });
  return (request, socket, head, use) =>
    server.handleUpgrade(request, socket, Buffer.from(head), (accepted) => {
      use(new WebSocketChannel(accepted, maxMessageBytes));
    });
}
