/**
 * The two ends of a WebSocket: a client connects, a server accepts.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { ReadableStream as NodeReadable } from "node:stream/web";
import { SyncError } from "../errors.ts";
import type { Channel } from "./channel.ts";
import { completeLimits, type SessionLimits } from "./limits.ts";
import { SETTINGS, WebSocketChannel } from "./websocket_channel.ts";

/** How a connection is made. */
export interface WebSocketOptions {
  /** The limits of the session: a larger message ends the connection. */
  limits?: Partial<SessionLimits>;
  /** Certificates of authorities to trust as well, in PEM. */
  caCerts?: readonly string[];
  /** Ends the attempt to connect. */
  signal?: AbortSignal;
}

/** What the status of a response that is no upgrade means. */
const STATUS: Partial<Record<number, "not-allowed" | "busy">> = { 401: "not-allowed", 403: "not-allowed", 503: "busy" };
const HTTPS_PORT = 443;

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
  const opened = Promise.withResolvers<Channel>();
  const unreachable = (why: string) => new SyncError("unreachable", `${url.host} cannot be reached: ${why}`);
  let connection: Duplex | undefined;
  try {
    if (url.protocol === "wss:") connection = await connectTls(url, caCerts, signal);
  } catch (error) {
    if (signal?.aborted || error instanceof Deno.errors.NotCapable) throw error;
    throw unreachable((error as Error).message);
  }
  const socket = new WebSocket(connection === undefined ? url : plain(url), {
    ...SETTINGS,
    maxPayload: maxMessageBytes,
    ...connection === undefined ? {} : { createConnection: () => connection },
  });
  const channel = new WebSocketChannel(socket, maxMessageBytes); // at once: a message may come with the response
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
    connection?.destroy();
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

/** A connection with TLS. It is Deno's own: node:https needs a permission more to find the usual authorities. */
async function connectTls(
  { hostname, port }: URL,
  caCerts: readonly string[] = [],
  signal?: AbortSignal,
): Promise<Duplex> {
  const connecting = Deno.connectTls({
    hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? HTTPS_PORT : Number(port),
    caCerts: [...caCerts],
    alpnProtocols: ["http/1.1"],
  });
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    const { readable, writable } = await Promise.race([connecting, aborted]);
    return Duplex.fromWeb({ readable: readable as NodeReadable, writable });
  } catch (error) {
    connecting.then((late) => late.close(), () => {});
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** The same address without TLS, which the connection has already. */
function plain(url: URL): URL {
  const { port } = url;
  const address = new URL(url.href.replace(/^wss:/, "ws:"));
  if (port === "") address.port = String(HTTPS_PORT);
  return address;
}
