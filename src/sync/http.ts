/**
 * An HTTP server whose requests are answered by a function from `Request` to `Response`, and whose upgrades hand over their
 * socket: what `Deno.serve` does not.
 *
 * @module
 */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { Readable } from "node:stream";
import { LogError } from "../errors.ts";
import { within } from "./within.ts";

/** What a handler is told about a request. */
export interface RequestInfo {
  /** The address of the client. */
  remoteAddr: Deno.NetAddr;
}

/** Answers a request. */
export type Handler = (request: Request, info: RequestInfo) => Response | Promise<Response>;

/** What a server does. */
export interface HttpOptions {
  hostname: string;
  port: number;
  /** The certificate and its key, in PEM: for TLS. */
  cert?: string;
  key?: string;
  /** Limit of connections at a time. */
  maxConnections: number;
  /** Answers requests. */
  handler: Handler;
  /** Receives the socket of a request to upgrade; it answers it. */
  onUpgrade: (request: IncomingMessage, socket: Socket, head: Uint8Array) => void;
}

/** A connection without a byte in either direction is closed after this time, unless it was upgraded. */
const IDLE_MS = 120_000;

/** A listening server. */
export class HttpServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #options: HttpOptions;

  private constructor(options: HttpOptions) {
    const { cert, key, maxConnections, onUpgrade } = options;
    this.#options = options;
    this.#server = cert === undefined ? createServer() : createTlsServer({ cert, key });
    const event = cert === undefined ? "connection" : "secureConnection";
    this.#server.on(event, (socket: Socket) => {
      if (this.#sockets.size >= maxConnections) return void socket.destroy();
      this.#sockets.add(socket);
      socket.setTimeout(IDLE_MS, () => socket.destroy());
      socket.on("error", () => {}); // the connection is closed, and whoever uses it learns that
      socket.on("close", () => this.#sockets.delete(socket));
    });
    this.#server.on("request", (request, response) => void this.#answer(request, response));
    this.#server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Uint8Array) => {
      socket.setTimeout(0);
      onUpgrade(request, socket, head);
    });
    this.#server.on("close", () => this.#closed.resolve());
  }

  /**
   * Listens.
   *
   * @throws {LogError} `io` when the address cannot be listened on, or the certificate cannot be used.
   * @throws {Deno.errors.NotCapable} Without the permission to listen.
   */
  static async listen(options: HttpOptions): Promise<HttpServer> {
    const { hostname, port, cert, key } = options;
    if (cert !== undefined && key !== undefined) requireCertificate(cert, key);
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    requireNet(`${host}:${port}`);
    try {
      const server = new HttpServer(options);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      server.#server.once("error", reject);
      server.#server.listen(port, hostname, resolve);
      await promise;
      return server;
    } catch (error) {
      const { code, message } = error as Error & { code?: string };
      const reason = code === "EADDRINUSE" ? "the port is in use" : message;
      throw new LogError("io", `the server cannot listen on ${host}:${port}: ${reason}`, { cause: error });
    }
  }

  /** Where it listens. */
  get address(): Deno.NetAddr {
    const { address, port } = this.#server.address() as AddressInfo;
    return { transport: "tcp", hostname: address, port };
  }

  /** Resolves when the server is closed, and every connection. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Stops listening; connections that are still open after a time are broken off. */
  async close(ms: number): Promise<void> {
    this.#server.close();
    this.#server.closeIdleConnections();
    if (await within(this.#closed.promise, ms)) return;
    for (const socket of this.#sockets) socket.destroy();
    await within(this.#closed.promise, ms);
    this.#closed.resolve();
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const gone = new AbortController();
    outgoing.on("close", () => gone.abort());
    let response: Response;
    try {
      response = await this.#options.handler(requestOf(incoming, this.#options, gone.signal), infoOf(incoming));
    } catch {
      response = new Response("the request failed\n", { status: 500 });
    }
    try {
      await write(response, incoming.method === "HEAD", outgoing);
    } catch {
      outgoing.destroy(); // the client is gone, or the body has failed
    }
  }
}

function requestOf(incoming: IncomingMessage, { cert }: HttpOptions, signal: AbortSignal): Request {
  const { method = "GET", headers: { host = "localhost" } } = incoming;
  const url = new URL(incoming.url ?? "/", `${cert === undefined ? "http" : "https"}://${host}`);
  const headers = new Headers();
  for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
    headers.append(incoming.rawHeaders[i], incoming.rawHeaders[i + 1]);
  }
  const body = method === "GET" || method === "HEAD"
    ? undefined
    : Readable.toWeb(incoming) as ReadableStream<Uint8Array<ArrayBuffer>>;
  return new Request(url, { method, headers, body, signal });
}

function infoOf({ socket }: IncomingMessage): RequestInfo {
  return { remoteAddr: { transport: "tcp", hostname: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 } };
}

async function write({ status, headers, body }: Response, isHead: boolean, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(status, [...headers].flat());
  if (isHead) await body?.cancel();
  else if (body !== null) {
    const reader = body.getReader();
    const cancel = () => void reader.cancel().catch(() => {});
    outgoing.on("close", cancel);
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (outgoing.write(part.value) || outgoing.destroyed) continue;
      await new Promise<void>((resolve) => {
        outgoing.once("drain", resolve);
        outgoing.once("close", resolve);
      });
    }
  }
  outgoing.end();
}

/** Refuses what each handshake would fail with. */
function requireCertificate(cert: string, key: string): void {
  try {
    if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return;
  } catch (error) {
    const message = `the certificate and its key must be PEM: ${(error as Error).message}`;
    throw new LogError("invalid-argument", message, { cause: error });
  }
  throw new LogError("invalid-argument", "the key is not that of the certificate; give both files of one pair");
}

function requireNet(host: string): void {
  const { state } = Deno.permissions.requestSync({ name: "net", host });
  if (state !== "granted") {
    throw new Deno.errors.NotCapable(`Requires net access to "${host}", run again with the --allow-net flag`);
  }
}
