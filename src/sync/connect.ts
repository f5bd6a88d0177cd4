/**
 * A client: synchronizes a log with a peer at an address, once, or for as long as it is wanted.
 *
 * @module
 */

import { LogError, type LogErrorCode, SyncError } from "../errors.ts";
import { checkedSigner, type Signer } from "../keys/signer.ts";
import { requireCallback, requireInteger, requireObject } from "../log/entries.ts";
import type { OpLog } from "../oplog.ts";
import { authorFilter } from "./authors.ts";
import type { Channel } from "./channel.ts";
import { type CommandOptions, openCommand, parseRemoteLog } from "./command.ts";
import { completeLimits, type SessionLimits } from "./limits.ts";
import type { Direction, SyncReport, SyncStatus } from "./report.ts";
import { runSession } from "./session.ts";
import { addReports, emptyReport } from "./totals.ts";
import { openWebSocket } from "./websocket.ts";
import { pause } from "./within.ts";

/** How to synchronize with a peer. */
export interface ConnectOptions {
  /** The key of this node, which it proves to hold. */
  signer: Signer;
  /** Which operations are transferred, seen from this node: both ways by default. */
  direction?: Direction;
  /** Stays connected, passes on what either side appends, and connects again when the connection is lost. */
  follow?: boolean;
  /** Reports which side lacks how many operations, and transfers none. */
  dryRun?: boolean;
  /** The author ids of the peers that are trusted to answer at this address: any by default. */
  allow?: Iterable<string>;
  /** The author ids whose operations are accepted: everyone's, by default. */
  acceptAuthors?: Iterable<string>;
  /** The limits of each session. */
  limits?: Partial<SessionLimits>;
  /** With `follow`, the shortest and the longest time between two attempts, in milliseconds: 500 and 60,000 by default. */
  retryMs?: { min?: number; max?: number };
  /** Limit of the time to connect, in milliseconds: 30,000 by default. */
  connectTimeoutMs?: number;
  /** For `wss:`, certificates of authorities to trust, in PEM; the usual ones by default. */
  caCerts?: string[];
  /** For `ssh:`, how the remote shell is started. */
  command?: Pick<CommandOptions, "program" | "remoteProgram" | "onStderr">;
  /** Called whenever the status has changed. */
  onStatus?: (status: SyncStatus) => void;
  /** With `follow`, called when a session has ended and another one is tried after so many milliseconds. */
  onRetry?: (error: LogError | undefined, waitMs: number) => void;
  /** Ends it, as {@linkcode SyncConnection.close} does. */
  signal?: AbortSignal;
}

/** Synchronization with a peer. */
export interface SyncConnection extends AsyncDisposable {
  /** The totals of all sessions so far, and where the current one is. */
  status(): SyncStatus;
  /**
   * The totals at the end: after one session, or with `follow` after `close`. Rejects with the error that ended the session;
   * with `follow`, only with one that another attempt would meet again, such as `not-allowed`.
   */
  readonly done: Promise<SyncReport>;
  /** Ends it: a session that follows ends in good order, any other is broken off. Throws nothing. */
  close(): Promise<void>;
}

/** Errors after which another attempt can succeed. */
const TEMPORARY: ReadonlySet<LogErrorCode> = new Set(["unreachable", "busy", "idle", "rate-limited", "locked"]);
const DEFAULT_CONNECT_MS = 30_000;
const [DEFAULT_MIN_RETRY_MS, DEFAULT_MAX_RETRY_MS] = [500, 60_000];

/**
 * Whether another attempt to synchronize can succeed after an error: the peer was not reached, or had no room.
 *
 * @param error What was thrown.
 */
export function isTemporary(error: unknown): error is LogError {
  return error instanceof LogError && TEMPORARY.has(error.code);
}

/**
 * Synchronizes with a peer.
 *
 * @param log The log; it must stay open until `done` is settled.
 * @param address `ws://` or `wss://` with the path of the server, `/sync` by default; or `ssh://[user@]host[:port]/path` of
 * a log on another machine.
 * @param options The key, what is transferred, and how long.
 * @throws {LogError} `invalid-argument`.
 *
 * @example One session
 * ```ts
 * import { Identity, OpLog } from "@mnema/oplog";
 * import { connect, serve } from "@mnema/oplog/sync";
 * import { assertEquals } from "@std/assert";
 *
 * using here = OpLog.open();
 * using there = OpLog.open();
 * await using server = await serve(there, { signer: Identity.generate() });
 * const alice = Identity.generate();
 * here.record(alice, "note", { text: "tea at four" });
 * const { sent } = await connect(here, server.url, { signer: alice }).done;
 * assertEquals([sent.new, there.heads()], [1, here.heads()]);
 * ```
 *
 * @example Follow until it is closed
 * ```ts
 * import { Identity, OpLog } from "@mnema/oplog";
 * import { connect, serve } from "@mnema/oplog/sync";
 *
 * using here = OpLog.open();
 * using there = OpLog.open();
 * await using server = await serve(there, { signer: Identity.generate() });
 * const alice = Identity.generate();
 * await using connection = connect(here, server.url, { signer: alice, follow: true });
 * const op = here.record(alice, "note", { text: "tea at four" });
 * for await (const entry of there.follow({ sinceSeq: 0 })) if (entry.op.opId === op.opId) break; // it has arrived
 * console.log(connection.status().phase);
 * ```
 */
export function connect(log: OpLog, address: string | URL, options: ConnectOptions): SyncConnection {
  return new Connection(log, address, options);
}

class Connection implements SyncConnection {
  readonly done: Promise<SyncReport>;
  readonly #log: OpLog;
  readonly #options: ConnectOptions;
  readonly #open: (signal: AbortSignal) => Promise<Channel>;
  readonly #allow?: (author: string) => boolean;
  readonly #acceptAuthor?: (author: string) => boolean;
  readonly #retry: { min: number; max: number };
  readonly #ends = new AbortController();
  /** The totals of the sessions that have ended. */
  #ended: SyncReport = emptyReport();
  #status: SyncStatus = { ...emptyReport(), phase: "connecting", behind: 0 };

  constructor(log: OpLog, address: string | URL, options: ConnectOptions) {
    requireObject("options", options);
    const { signer, allow, acceptAuthors, limits, retryMs = {}, onStatus, onRetry, signal } = options;
    const { min = DEFAULT_MIN_RETRY_MS, max = Math.max(min, DEFAULT_MAX_RETRY_MS) } = retryMs;
    requireInteger("retryMs.min", min, 1);
    requireInteger("retryMs.max", max, min);
    requireInteger("connectTimeoutMs", options.connectTimeoutMs ?? DEFAULT_CONNECT_MS, 1);
    requireCallback("onStatus", onStatus);
    requireCallback("onRetry", onRetry);
    completeLimits(limits);
    if (options.follow && options.dryRun) {
      throw new LogError("invalid-argument", "follow and dryRun exclude each other");
    }
    this.#log = log;
    this.#options = { ...options, signer: checkedSigner(signer) };
    this.#open = opener(String(address), options);
    this.#allow = authorFilter("allow", allow);
    this.#acceptAuthor = authorFilter("acceptAuthors", acceptAuthors);
    this.#retry = { min, max };
    const abort = () => this.#ends.abort(signal?.reason);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true, signal: this.#ends.signal });
    this.done = this.#run();
    this.done.catch(() => {}); // a caller that only closes it need not await it
  }

  status(): SyncStatus {
    return this.#status;
  }

  async close(): Promise<void> {
    this.#ends.abort(new LogError("closed", "the connection was closed"));
    await this.done.catch(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<SyncReport> {
    const { follow = false, onRetry } = this.#options;
    const { signal } = this.#ends;
    let failures = 0;
    while (true) {
      let error: LogError | undefined;
      let wasAdmitted = false;
      try {
        this.#update({ ...emptyReport(this.#ended.peer), phase: "connecting", behind: 0 });
        const report = await this.#session((phase) => wasAdmitted ||= phase === "follow");
        this.#ended = addReports(this.#ended, report);
      } catch (thrown) {
        if (!follow || !(isTemporary(thrown) || signal.aborted)) {
          this.#setPhase("failed");
          throw thrown;
        }
        const { phase: _, behind: __, ...soFar } = this.#status;
        this.#ended = soFar; // what has arrived stays
        if (!signal.aborted) error = thrown as LogError;
      }
      if (!follow || signal.aborted) {
        this.#status = { ...this.#ended, phase: "done", behind: 0 };
        this.#options.onStatus?.(this.#status);
        return this.#ended;
      }
      failures = wasAdmitted ? 1 : failures + 1;
      const wait = retryDelay(failures, this.#retry);
      this.#setPhase("waiting");
      onRetry?.(error, wait);
      await pause(wait, signal);
      if (signal.aborted) {
        this.#setPhase("done");
        return this.#ended;
      }
    }
  }

  async #session(onPhase: (phase: SyncStatus["phase"]) => void): Promise<SyncReport> {
    const { signer, direction, follow, dryRun, limits, connectTimeoutMs = DEFAULT_CONNECT_MS } = this.#options;
    const { signal } = this.#ends;
    const timeout = new AbortController();
    const timer = setTimeout(
      () => timeout.abort(new SyncError("unreachable", `the peer has not answered within ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    let channel: Channel;
    try {
      channel = await this.#open(AbortSignal.any([signal, timeout.signal]));
    } finally {
      clearTimeout(timer);
    }
    return await runSession(this.#log, channel, {
      signer,
      role: "initiator",
      direction,
      follow,
      dryRun,
      allow: this.#allow,
      acceptAuthor: this.#acceptAuthor,
      limits,
      signal,
      onStatus: (status) => {
        onPhase(status.phase);
        this.#update(status);
      },
    });
  }

  /** Reports the status of the current session, added to those that have ended. */
  #update({ phase, behind, ...report }: SyncStatus): void {
    // The end of one session is not the end of all.
    const isOver = phase === "done" || phase === "failed";
    const shown = isOver ? this.#status.phase : phase;
    this.#status = { ...addReports(this.#ended, report), phase: shown, behind };
    this.#options.onStatus?.(this.#status);
  }

  #setPhase(phase: SyncStatus["phase"]): void {
    this.#status = { ...this.#status, phase };
    this.#options.onStatus?.(this.#status);
  }
}

/** How channels to an address are opened. */
function opener(address: string, options: ConnectOptions): (signal: AbortSignal) => Promise<Channel> {
  const { limits, caCerts, command } = options;
  if (address.startsWith("ssh:")) {
    const remote = parseRemoteLog(address);
    return (signal) => Promise.resolve().then(() => openCommand(remote, { ...command, limits, signal }));
  }
  const url = URL.parse(address);
  if (url?.protocol !== "ws:" && url?.protocol !== "wss:") {
    throw new LogError(
      "invalid-argument",
      `${JSON.stringify(address)} is not an address that begins with ws://, wss:// \
or ssh://`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new LogError("invalid-argument", "an address has no user and password: a node proves who it is with its key");
  }
  if (url.hash !== "") throw new LogError("invalid-argument", "an address of a server has no #");
  if (url.pathname === "/") url.pathname = "/sync";
  return (signal) => openWebSocket(url, { limits, caCerts, signal });
}

/**
 * The time before the next attempt: it doubles with each failure up to a limit, and a random half of it spreads the attempts
 * of many clients of one server that was restarted.
 */
export function retryDelay(failures: number, { min, max }: { min: number; max: number }): number {
  const longest = Math.min(max, min * 2 ** Math.min(failures - 1, 30));
  return Math.round(longest / 2 + Math.random() * longest / 2);
}
