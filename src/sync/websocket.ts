/**
 * Connects to the WebSocket (RFC 6455) of a server.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { SyncError } from "../errors.ts";
import type { Channel } from "./channel.ts";
import { completeLimits, type SessionLimits } from "./limits.ts";
import { acceptOf, SocketChannel } from "./socket_channel.ts";

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
const KEY_BYTES = 16;
const HTTPS_PORT = 443;

/**
 * Connects to a server.
 *
 * @param url The address, `ws:` or `wss:`.
 * @param options Limits, authorities, and the signal that ends the attempt.
 * @throws {SyncError} `unreachable`; `not-allowed` or `busy` when the server answers with such a status.
 * @throws What the signal aborts with.
 * @throws {Deno.errors.NotCapable} Without the permission to connect.
 */
export async function openWebSocket(url: URL, options: WebSocketOptions = {}): Promise<Channel> {
  const { caCerts, signal } = options;
  const { maxMessageBytes } = completeLimits(options.limits);
  signal?.throwIfAborted();
  const key = Buffer.from(crypto.getRandomValues(new Uint8Array(KEY_BYTES))).toString("base64");
  const opened = Promise.withResolvers<Channel>();
  const unreachable = (why: string) => new SyncError("unreachable", `${url.host} cannot be reached: ${why}`);
  let connection: Duplex | undefined;
  try {
    if (url.protocol === "wss:") connection = await connectTls(url, caCerts, signal);
  } catch (error) {
    if (signal?.aborted || error instanceof Deno.errors.NotCapable) throw error;
    throw unreachable((error as Error).message);
  }
  const request = requestUpgrade(url, key, connection);
  request.on("error", (error) => {
    const { cause = error } = error;
    opened.reject(cause instanceof Deno.errors.NotCapable ? cause : unreachable(error.message));
  });
  request.on("response", ({ statusCode = 0 }: IncomingMessage) => {
    const refusal = STATUS[statusCode];
    const why = `it answers with status ${statusCode} instead of a WebSocket`;
    opened.reject(
      refusal === undefined
        ? unreachable(why)
        : new SyncError(refusal, `${url.host} refuses: ${why}`, { refusedBy: "peer" }),
    );
    request.destroy();
  });
  request.on("upgrade", ({ headers }: IncomingMessage, socket: Socket, head: Uint8Array) => {
    if (headers["sec-websocket-accept"] === acceptOf(key)) {
      opened.resolve(new SocketChannel(socket, "client", head, maxMessageBytes));
    } else {
      socket.destroy();
      opened.reject(unreachable("what answers is not a WebSocket"));
    }
  });
  const abort = () => opened.reject(signal?.reason);
  signal?.addEventListener("abort", abort);
  request.end();
  try {
    return await opened.promise;
  } catch (error) {
    request.destroy();
    connection?.destroy();
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** The request for an upgrade, which is not sent yet. */
function requestUpgrade({ hostname, port, pathname, search }: URL, key: string, connection?: Duplex): ClientRequest {
  return httpRequest({
    host: plainHost(hostname),
    port: port === "" ? undefined : Number(port),
    path: pathname + search,
    headers: {
      "Connection": "Upgrade",
      "Upgrade": "websocket",
      "Sec-WebSocket-Key": key,
      "Sec-WebSocket-Version": "13",
    },
    ...connection === undefined ? {} : { createConnection: () => connection },
  });
}

/** A connection with TLS. It is Deno's own: node:https needs a permission more to find the usual authorities. */
async function connectTls(
  { hostname, port }: URL,
  caCerts: readonly string[] = [],
  signal?: AbortSignal,
): Promise<Duplex> {
  const connecting = Deno.connectTls({
    hostname: plainHost(hostname),
    port: port === "" ? HTTPS_PORT : Number(port),
    caCerts: [...caCerts],
    alpnProtocols: ["http/1.1"],
  });
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    const { readable, writable } = await Promise.race([connecting, aborted]);
    return Duplex.fromWeb({ readable, writable });
  } catch (error) {
    connecting.then((late) => late.close(), () => {});
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

function plainHost(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}
