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

import { LogError, SyncError } from "../errors.ts";
import { checkedSigner, type Signer } from "../keys/signer.ts";
import { requireCallback, requireInteger, requireObject } from "../log/entries.ts";
import type { OpLog } from "../oplog.ts";
import { authorFilter } from "./authors.ts";
import { completeLimits, type SessionLimits } from "./limits.ts";
import { refuseChannel } from "./link.ts";
import { Metrics, METRICS_TYPE, type ServerTotals } from "./metrics.ts";
import type { Direction, SyncReport, SyncStatus } from "./report.ts";
import { runSession } from "./session.ts";
import { webSocketChannel } from "./websocket.ts";
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
  fetch?: (request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) => Response | Promise<Response>;
  /** Closes the server. */
  signal?: AbortSignal;
}

/** The status of a server: its open sessions, and the counts since it was started. */
export interface ServerStatus extends ServerTotals {
  /** The open sessions. */
  open: SyncStatus[];
}

/** A running server. `await using server = serve(…)` closes it at the end of the block. */
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
 * await using server = serve(there, { signer: bob, allow: [alice.author] });
 * const report = await connect(here, server.url, { signer: alice }).done;
 * assertEquals([report.sent.new, report.received.new], [1, 1]);
 * assertEquals(here.heads(), there.heads());
 * ```
 */
export function serve(log: OpLog, options: ServeOptions): SyncServer {
  return new Server(log, options);
}

class Server implements SyncServer {
  readonly address: Deno.NetAddr;
  readonly url: string;
  readonly finished: Promise<void>;
  readonly #log: OpLog;
  readonly #options: ServeOptions;
  readonly #allow?: (author: string) => boolean;
  readonly #acceptAuthor?: (author: string) => boolean;
  readonly #metrics = new Metrics();
  readonly #maxSessions: number;
  readonly #maxHandshakes: number;
  /** Ends sessions in good order. */
  readonly #ends = new AbortController();
  /** Ends every connection at once. */
  readonly #breaksOff = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #refusing = 0;
  #closing?: Promise<void>;

  constructor(log: OpLog, options: ServeOptions) {
    requireObject("options", options);
    const { signer, hostname = "127.0.0.1", port = 0, allow, cert, key, signal } = options;
    const { maxSessions = 256, maxHandshakes = 32, acceptAuthors, onStatus, onSession, fetch } = options;
    requireInteger("port", port, 0);
    requireInteger("maxSessions", maxSessions, 1);
    requireInteger("maxHandshakes", maxHandshakes, 1);
    requireCallback("onStatus", onStatus);
    requireCallback("onSession", onSession);
    requireCallback("fetch", fetch);
    completeLimits(options.limits);
    if ((cert === undefined) !== (key === undefined)) {
      throw new LogError("invalid-argument", "TLS needs both: cert, the certificate, and key, its private key");
    }
    const peers = allow && [...allow];
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
    this.#options = { ...options, signer: checkedSigner(signer) };
    this.#maxSessions = maxSessions;
    this.#maxHandshakes = maxHandshakes;
    this.#server = listen(
      { hostname, port, cert, key, signal: this.#breaksOff.signal },
      (request, info) => this.#handle(request, info),
    );
    this.address = this.#server.addr;
    const host = this.address.hostname.includes(":") ? `[${this.address.hostname}]` : this.address.hostname;
    this.url = `${cert === undefined ? "ws" : "wss"}://${host}:${this.address.port}${SYNC_PATH}`;
    this.finished = this.#server.finished.then(async () => {
      await Promise.all(this.#running);
    });
    if (signal?.aborted) this.close();
    else signal?.addEventListener("abort", () => this.close(), { once: true, signal: this.#ends.signal });
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
    if (!await within(this.#server.shutdown(), CLOSE_MS)) this.#breaksOff.abort(); // a response of `fetch` has no end
    await this.finished;
  }

  #handle(request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>): Response | Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === SYNC_PATH) return this.#connect(request);
    if (pathname !== "/health" && pathname !== "/metrics") {
      return this.#options.fetch?.(request, info) ?? text(404, "there is nothing here; sessions are on /sync\n");
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return text(405, `${pathname} is only read\n`, { allow: "GET, HEAD" });
    }
    if (pathname === "/health") return text(200, "ok\n");
    return text(200, this.#metrics.text(this.#log.lastSeq()), { "content-type": METRICS_TYPE });
  }

  /** Answers a request for a session: with an upgrade to a WebSocket where that is possible, also to refuse it. */
  #connect(request: Request): Response {
    if (request.headers.has("origin")) {
      this.#metrics.refuse("not-allowed");
      return text(403, "pages in a browser are refused here\n");
    }
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return text(426, "this is the path of a WebSocket\n", { upgrade: "websocket", connection: "upgrade" });
    }
    const isBusy = this.#ends.signal.aborted || this.#metrics.size >= this.#maxSessions ||
      this.#metrics.handshakes >= this.#maxHandshakes;
    if (isBusy) {
      this.#metrics.refuse("busy");
      if (this.#refusing >= MAX_REFUSING) return text(503, "busy\n", { "retry-after": "5" });
    }
    let upgraded: Deno.WebSocketUpgrade;
    try {
      upgraded = Deno.upgradeWebSocket(request);
    } catch (error) {
      return text(400, `${(error as Error).message}\n`); // such as a missing Sec-WebSocket-Key
    }
    const { socket, response } = upgraded;
    if (isBusy) this.#refuseBusy(socket);
    else this.#begin(socket);
    return response;
  }

  #refuseBusy(socket: WebSocket): void {
    this.#refusing++;
    refuseChannel(webSocketChannel(socket), "busy").finally(() => this.#refusing--);
  }

  #begin(socket: WebSocket): void {
    const running: Promise<void> = this.#run(socket).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Runs a session to its end. Its error ends this session only. */
  async #run(socket: WebSocket): Promise<void> {
    const { signer, direction, limits, onStatus, onSession } = this.#options;
    const counts = this.#metrics.begin();
    let failure: unknown;
    try {
      const report: SyncReport = await runSession(this.#log, webSocketChannel(socket, { limits }), {
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

/** Listens, on a port that is known when this returns. */
function listen(
  { hostname, port, cert, key, signal }: Pick<ServeOptions, "cert" | "key"> & Deno.ServeTcpOptions & {
    hostname: string;
    port: number;
  },
  handler: Deno.ServeHandler<Deno.NetAddr>,
): Deno.HttpServer<Deno.NetAddr> {
  const onListen = () => {}; // it would print
  const onError = () => text(500, "the request failed\n");
  try {
    return cert === undefined || key === undefined
      ? Deno.serve({ hostname, port, signal, onListen, onError }, handler)
      : Deno.serve({ hostname, port, signal, onListen, onError, cert, key }, handler);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const reason = error instanceof Deno.errors.AddrInUse ? "the port is in use" : (error as Error).message;
    throw new LogError("io", `the server cannot listen on ${hostname}:${port}: ${reason}`, { cause: error });
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
