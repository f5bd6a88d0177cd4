/**
 * A server that synchronizes a log with whoever connects: sessions over WebSockets on `/sync`, `/health` and `/metrics`,
 * and, where a handler is given, anything else on the other paths.
 *
 * Everybody who reaches the port can open a connection. So before a peer is admitted it costs a bounded amount: the number
 * of handshakes is limited, and each has little time. A page in a browser of this machine reaches the port as well: its
 * requests name their origin, and are refused.
 *
 * @module
 */

import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { LogError, SyncError } from "../errors.ts";
import { checkedSigner, type Signer } from "../keys/signer.ts";
import { requireCallback, requireInteger, requireObject } from "../log/entries.ts";
import type { OpLog } from "../oplog.ts";
import { authorFilter } from "./authors.ts";
import type { Channel } from "./channel.ts";
import { type Handler, HttpServer, type RequestInfo } from "./http.ts";
import { completeLimits, type SessionLimits } from "./limits.ts";
import { refuseChannel } from "./link.ts";
import { Metrics, METRICS_TYPE, type ServerTotals } from "./metrics.ts";
import type { Direction, SyncReport, SyncStatus } from "./report.ts";
import { runSession } from "./session.ts";
import { type Accept, webSocketAcceptor } from "./websocket.ts";
import { within } from "./within.ts";

/** What a server listens on, and who may do what. */
export interface ServeOptions {
  /** The key of this node, which it proves to hold. */
  signer: Signer;
  /** The address to listen on: `127.0.0.1` by default. Any beyond loopback needs `allow`. */
  hostname?: string;
  /** The port: a free one by default. */
  port?: number;
  /** The author ids of the peers that are admitted: all, by default, on loopback. */
  allow?: Iterable<string>;
  /** The author ids whose operations are accepted: everyone's, by default. */
  acceptAuthors?: Iterable<string>;
  /** Which operations are transferred, seen from this node: both ways by default. */
  direction?: Direction;
  /** The certificate, in PEM; with `key`, the server speaks TLS. */
  cert?: string;
  /** The private key of the certificate, in PEM. */
  key?: string;
  /** Limit of sessions at a time: 256 by default. */
  maxSessions?: number;
  /** Limit of sessions at a time whose peer is not admitted yet: 32 by default. */
  maxHandshakes?: number;
  /** The limits of each session. */
  limits?: Partial<SessionLimits>;
  /** Called whenever the status of a session has changed. */
  onStatus?: (status: SyncStatus) => void;
  /** Called at the end of each session, with the error that ended it, if any. */
  onSession?: (status: SyncStatus, error?: unknown) => void;
  /** Answers requests for other paths than those of the server. */
  fetch?: Handler;
  /** Closes the server. */
  signal?: AbortSignal;
}

/** The status of a server: its open sessions, and the counts since it was started. */
export interface ServerStatus extends ServerTotals {
  /** The open sessions. */
  open: SyncStatus[];
}

/** A running server. `await using server = await serve(…)` closes it at the end of the block. */
export interface SyncServer extends AsyncDisposable {
  /** Where it listens. */
  readonly address: Deno.NetAddr;
  /** The address for {@linkcode connect}, such as `ws://127.0.0.1:8420/sync`. */
  readonly url: string;
  /** Resolves when the server has ended. */
  readonly finished: Promise<void>;
  /** The sessions and counts. */
  status(): ServerStatus;
  /** Ends all sessions in good order, and the server. A second call waits for the same end. */
  close(): Promise<void>;
}

/** The path of the sessions. */
const SYNC_PATH = "/sync";
/** Connections that are being refused at a time; more are refused without a word. */
const MAX_REFUSING = 32;
/** Connections besides those of sessions: requests, and clients that are refused. */
const MORE_CONNECTIONS = 128;
/** How long sessions, and then responses, may take to end when the server is closed. */
const CLOSE_MS = 5_000;

/**
 * Serves a log.
 *
 * @param log The log; it must stay open until the server has ended.
 * @param options Address, peers, limits, and the handler for other paths.
 * @throws {LogError} `not-allowed` for an address beyond loopback without `allow`; `invalid-argument`; `io` when the address
 * cannot be listened on, or the certificate cannot be used.
 * @throws {Deno.errors.NotCapable} Without the permission to listen.
 *
 * @example
 * ```ts
 * import { Identity, OpLog } from "@mnema/oplog";
 * import { connect, serve } from "@mnema/oplog/sync";
 * import { assertEquals } from "@std/assert";
 *
 * using here = OpLog.open();
 * using there = OpLog.open();
 * const [alice, bob] = [Identity.generate(), Identity.generate()];
 * here.record(alice, "note", { text: "tea at four" });
 * there.record(bob, "note", { text: "moved to five" });
 *
 * await using server = await serve(there, { signer: bob, allow: [alice.author] });
 * const report = await connect(here, server.url, { signer: alice }).done;
 * assertEquals([report.sent.new, report.received.new], [1, 1]);
 * assertEquals(here.heads(), there.heads());
 * ```
 */
export async function serve(log: OpLog, options: ServeOptions): Promise<SyncServer> {
  const server = new Server(log, options);
  await server.listen();
  return server;
}

class Server implements SyncServer {
  readonly finished: Promise<void>;
  readonly #log: OpLog;
  readonly #options: ServeOptions & { hostname: string; port: number; maxSessions: number; maxHandshakes: number };
  readonly #maxMessageBytes: number;
  readonly #allow?: (author: string) => boolean;
  readonly #acceptAuthor?: (author: string) => boolean;
  readonly #metrics = new Metrics();
  readonly #ends = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #finished = Promise.withResolvers<void>();
  #server!: HttpServer;
  #accept!: Accept;
  #refusing = 0;
  #closing?: Promise<void>;

  constructor(log: OpLog, options: ServeOptions) {
    requireObject("options", options);
    const { hostname = "127.0.0.1", port = 0, maxSessions = 256, maxHandshakes = 32 } = options;
    const { allow, acceptAuthors, cert, key } = options;
    requireInteger("port", port, 0);
    requireInteger("maxSessions", maxSessions, 1);
    requireInteger("maxHandshakes", maxHandshakes, 1);
    requireCallback("onStatus", options.onStatus);
    requireCallback("onSession", options.onSession);
    requireCallback("fetch", options.fetch);
    if ((cert === undefined) !== (key === undefined)) {
      throw new LogError("invalid-argument", "TLS needs both: cert, the certificate, and key, its private key");
    }
    const peers = allow === undefined || typeof allow === "string" ? allow : [...allow];
    this.#allow = authorFilter("allow", peers);
    this.#acceptAuthor = authorFilter("acceptAuthors", acceptAuthors);
    if (!isLoopback(hostname) && (peers === undefined || peers.length === 0)) {
      throw new LogError(
        "not-allowed",
        `a server on ${hostname} is reached from other machines; name the peers that it admits with allow, or listen on \
127.0.0.1`,
      );
    }
    this.#log = log;
    this.#maxMessageBytes = completeLimits(options.limits).maxMessageBytes;
    this.#options = { ...options, signer: checkedSigner(options.signer), hostname, port, maxSessions, maxHandshakes };
    this.finished = this.#finished.promise;
  }

  /** Listens, and closes when the signal aborts. */
  async listen(): Promise<void> {
    const { hostname, port, cert, key, maxSessions, signal } = this.#options;
    this.#accept = await webSocketAcceptor(this.#maxMessageBytes);
    this.#server = await HttpServer.listen({
      hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
      port,
      cert,
      key,
      maxConnections: maxSessions + MORE_CONNECTIONS,
      handler: (request, info) => this.#answer(request, info),
      onUpgrade: (request, socket, head) => this.#upgrade(request, socket, head),
    });
    if (signal?.aborted) this.close();
    else signal?.addEventListener("abort", () => this.close(), { once: true, signal: this.#ends.signal });
  }

  get address(): Deno.NetAddr {
    return this.#server.address;
  }

  get url(): string {
    const { hostname, port } = this.address;
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    return `${this.#options.cert === undefined ? "ws" : "wss"}://${host}:${port}${SYNC_PATH}`;
  }

  status(): ServerStatus {
    return { open: this.#metrics.sessions(), ...this.#metrics.totals() };
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#ends.abort(new SyncError("unreachable", "the server is closed", { refusedBy: "this node" }));
    await within(Promise.all(this.#running), CLOSE_MS); // new ones are refused meanwhile
    await this.#server.close(CLOSE_MS);
    await Promise.all(this.#running);
    this.#finished.resolve();
  }

  /** Answers a request that is not for a WebSocket. */
  #answer(request: Request, info: RequestInfo): Response | Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === SYNC_PATH) {
      return text(426, "this is the path of a WebSocket\n", { upgrade: "websocket", connection: "upgrade" });
    }
    if (pathname !== "/health" && pathname !== "/metrics") {
      return this.#options.fetch?.(request, info) ?? text(404, "there is nothing here; sessions are on /sync\n");
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return text(405, `${pathname} is only read\n`, { allow: "GET, HEAD" });
    }
    if (pathname === "/health") return text(200, "ok\n");
    return text(200, this.#metrics.text(this.#log.lastSeq()), { "content-type": METRICS_TYPE });
  }

  /** Begins a session on an upgraded request, or refuses it. */
  #upgrade(request: IncomingMessage, socket: Socket, head: Uint8Array): void {
    const { url = "", headers } = request;
    socket.on("error", () => {}); // the session reports it
    const refuse = (status: string) => void socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
    if (url.split("?", 1)[0] !== SYNC_PATH) return refuse("404 Not Found");
    if (headers.origin !== undefined) { // a page in a browser
      this.#metrics.refuse("not-allowed");
      return refuse("403 Forbidden");
    }
    const { maxSessions, maxHandshakes } = this.#options;
    const isBusy = this.#ends.signal.aborted || this.#metrics.size >= maxSessions ||
      this.#metrics.handshakes >= maxHandshakes;
    if (isBusy) this.#metrics.refuse("busy");
    if (isBusy && this.#refusing >= MAX_REFUSING) return refuse("503 Service Unavailable");
    this.#accept(request, socket, head, (channel) => {
      if (!isBusy) return this.#begin(channel);
      this.#refusing++;
      refuseChannel(channel, "busy").finally(() => this.#refusing--);
    });
  }

  #begin(channel: Channel): void {
    const running: Promise<void> = this.#run(channel).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Runs a session to its end. Its error ends this session only. */
  async #run(channel: Channel): Promise<void> {
    const { signer, direction, limits, onStatus, onSession } = this.#options;
    const counts = this.#metrics.begin();
    let failure: unknown;
    try {
      const report: SyncReport = await runSession(this.#log, channel, {
        signer,
        role: "responder",
        direction,
        allow: this.#allow,
        acceptAuthor: this.#acceptAuthor,
        limits,
        onStatus: (status) => {
          counts.status = status;
          onStatus?.(status);
        },
        signal: this.#ends.signal,
      });
      counts.status = { ...counts.status, ...report };
    } catch (error) {
      failure = error;
      this.#metrics.refuse(error instanceof LogError ? error.code : "io");
    }
    this.#metrics.end(counts);
    onSession?.(counts.status, failure);
  }
}

/** Whether an address to listen on is reached from this machine only. */
function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || hostname === "[::1]" ||
    /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

function text(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers } });
}
