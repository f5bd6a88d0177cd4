/**
 * A log on a stream: it publishes what the log has and the stream lacks, reads what the stream has and the log lacks, and
 * goes on so, over lost connections and lost messages, until it is closed.
 *
 * @module
 */

import { FileError, LogError, StreamError } from "../errors.ts";
import { lastSeq } from "../log/entries.ts";
import { type Internals, internalsOf, type OpLog } from "../oplog.ts";
import { readOptions, type Settings, type StreamOptions } from "./options.ts";
import { Positions } from "./positions.ts";
import { delay, Session, type SessionParts } from "./session.ts";
import { Counters, type StreamPhase, type StreamStatus } from "./status.ts";

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 10_000;
/** How often to look whether all is done, in milliseconds. */
const POLL_MS = 25;
/** Errors of the file after which the same can succeed. */
const PASSING: ReadonlySet<string> = new Set(["locked", "disk-full", "derived-damaged"]);

/**
 * Connects a log to a stream of NATS JetStream. Any number of nodes, each with its own log, do the same, and all have the
 * same operations then.
 *
 * What was in the stream is read before anything is published. The position in the stream is committed with the
 * operations. Lost connections are opened again; a stream that has lost messages, or was deleted and created again, is
 * read from its first message, and gets what it lacks.
 *
 * @param log The log, opened for writing. It can be used meanwhile; close the stream before it.
 * @param options Which stream, on which servers.
 * @returns Once it is connected and the stream was checked.
 * @throws {StreamError} `unreachable`; `not-allowed` when the credentials do not suffice; `no-stream` without `create`;
 * `bad-stream` when its settings do not fit, or the server has no JetStream.
 * @throws {FileError} `read-only`, `locked`; `missing-file` for a file of credentials.
 * @throws {LogError} `invalid-argument`, `closed`.
 *
 * @example
 * ```ts ignore
 * import { OpLog } from "@mnema/oplog";
 * import { stream } from "@mnema/oplog/stream";
 *
 * using log = OpLog.open("mnema.db");
 * await using team = await stream(log, { servers: "nats://127.0.0.1:4222", stream: "team", create: true });
 * await team.settled(); // the log has all that the stream had, and the stream all that the log had
 * console.log(team.status());
 * ```
 */
export async function stream(log: OpLog, options: StreamOptions): Promise<LogStream> {
  const settings = readOptions(options);
  return await connectLog(internalsOf(log), settings, options);
}

/** Makes a {@linkcode LogStream}, once it is connected. */
let connectLog: (internals: Internals, settings: Settings, options: StreamOptions) => Promise<LogStream>;

/** A log that is connected to a stream. */
export class LogStream implements AsyncDisposable {
  /** Resolves when it was closed; rejects with the error that ended it, such as `closed` when the log was closed. */
  readonly finished: Promise<void>;
  readonly #internals: Internals;
  readonly #settings: Settings;
  readonly #positions: Positions;
  readonly #counters = new Counters();
  readonly #onStatus?: (status: StreamStatus) => void;
  readonly #stop = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  #session?: Session;
  #last?: Session;
  #error?: LogError;
  #isClosed = false;
  /** The state that `onStatus` was told last. */
  #told = "";

  static {
    connectLog = async (internals, settings, options) => {
      const node = new LogStream(internals, settings, options);
      const session = await node.#openSession();
      node.#run(session).then(() => node.#end(), (error) => node.#end(error));
      return node;
    };
  }

  private constructor(internals: Internals, settings: Settings, { onStatus, signal }: StreamOptions) {
    this.#internals = internals;
    this.#settings = settings;
    this.#positions = new Positions(internals.connection, settings.stream);
    this.#onStatus = onStatus;
    this.finished = this.#ended.promise;
    this.finished.catch(() => {}); // not everyone waits for it
    if (signal?.aborted) this.#stop.abort();
    signal?.addEventListener("abort", () => void this.close(), { once: true });
  }

  /** The status: where it is, and what was counted since it was opened. Costs some reads of the file. */
  status(): StreamStatus {
    const { connection } = this.#internals;
    const session = this.#session ?? this.#last;
    const counters = this.#counters;
    const error = this.#session?.publisher.refusal ?? this.#error;
    return {
      stream: this.#settings.stream,
      server: this.#session?.server,
      phase: this.#phase(),
      position: session?.consumer.position.seq ?? 0,
      behind: session?.consumer.behind ?? 0,
      received: counters.received,
      known: counters.known,
      refused: counters.refused,
      refusals: { ...counters.refusals },
      pending: session?.consumer.pending ?? 0,
      published: counters.published,
      duplicates: counters.duplicates,
      outstanding: this.#session?.publisher.outstanding ?? 0,
      unpublished: connection.isOpen ? this.#positions.countGaps() : 0,
      unpublishable: [...session?.publisher.tooLarge ?? []],
      heldBack: session?.publisher.heldBack ?? 0,
      disconnects: counters.disconnects,
      losses: counters.losses,
      lastLoss: counters.lastLoss,
      warnings: session?.warnings ?? [],
      error: error && { code: error.code, message: error.message },
    };
  }

  /**
   * Waits until the log has all that the stream has, and the stream has all that the log had at the call, except for
   * operations that are not publishable and their descendants.
   *
   * @throws {StreamError} `unreachable` when the connection is lost meanwhile, although it is opened again; `stream-full`
   * when the stream refuses messages.
   * @throws {LogError} `closed`, or what has ended it.
   */
  async settled(): Promise<void> {
    const seq = lastSeq(this.#internals.connection);
    const { disconnects } = this.#counters;
    for (;;) {
      if (this.#isClosed) {
        await this.finished;
        throw new LogError("closed", `the stream ${this.#settings.stream} was closed before all was done`);
      }
      const refusal = this.#session?.publisher.refusal;
      if (refusal !== undefined) throw refusal;
      if (this.#counters.disconnects > disconnects && this.#error !== undefined) throw this.#error;
      if (await this.#session?.isSettled(seq)) return;
      await delay(POLL_MS, this.#stop.signal);
    }
  }

  /** Ends it: what was read is committed, and the connection is closed. A second call does nothing. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#session?.close();
    await this.finished.catch(() => {}); // an error is told by `finished` and `settled`
  }

  /** The same as {@linkcode LogStream.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #phase(): StreamPhase {
    if (this.#isClosed) return "closed";
    if (this.#session === undefined) return "waiting";
    return this.#session.isCaughtUp ? "following" : "reading";
  }

  #openSession(): Promise<Session> {
    const parts: SessionParts = {
      settings: this.#settings,
      internals: this.#internals,
      positions: this.#positions,
      counters: this.#counters,
      onChange: () => this.#tell(),
    };
    return Session.open(parts);
  }

  /** Runs one session after the other. */
  async #run(first: Session): Promise<void> {
    let session: Session | undefined = first;
    let retryMs = FIRST_RETRY_MS;
    while (!this.#stop.signal.aborted) {
      try {
        session ??= await this.#openSession();
        this.#session = session;
        this.#error = undefined;
        this.#tell();
        if (this.#stop.signal.aborted) session.close();
        await session.run();
      } catch (error) {
        if (!isPassing(error)) throw error;
        this.#error = error;
        // When somebody has rebuilt the log, it only has to be read again.
        if (session !== undefined && error.code !== "derived-damaged") this.#counters.disconnects++;
      } finally {
        if (session?.isCaughtUp) retryMs = FIRST_RETRY_MS;
        this.#last = session ?? this.#last;
        this.#session = undefined;
        session = undefined;
      }
      if (this.#stop.signal.aborted) return;
      this.#tell();
      await delay(retryMs * (0.5 + Math.random()), this.#stop.signal); // not all nodes at once
      retryMs = Math.min(2 * retryMs, MAX_RETRY_MS);
    }
  }

  #end(error?: unknown): void {
    this.#isClosed = true;
    if (error instanceof LogError) this.#error = error;
    this.#tell();
    if (error === undefined) this.#ended.resolve();
    else this.#ended.reject(error);
  }

  /** Calls `onStatus` when something has changed that a person wants to know. */
  #tell(): void {
    if (this.#onStatus === undefined) return;
    const session = this.#session ?? this.#last;
    const { refused, losses, disconnects } = this.#counters;
    const refusal = this.#session?.publisher.refusal?.message;
    const state = [this.#phase(), refused, losses, disconnects, refusal, session?.publisher.tooLarge.length].join();
    if (state === this.#told) return;
    this.#told = state;
    this.#onStatus(this.status());
  }
}

/** Whether the same can succeed later. */
function isPassing(error: unknown): error is LogError {
  return error instanceof StreamError || (error instanceof FileError && PASSING.has(error.code));
}
