/**
 * One connection to a stream, from the check of what was stored to the first failure. After a failure there is another
 * session, which begins with the same check: no state but the committed one outlives a connection.
 *
 * @module
 */

import type { ConsumerInfo, ConsumerMessages, StreamInfo } from "@nats-io/jetstream";
import { errors } from "@nats-io/transport-node";
import { StreamError } from "../errors.ts";
import type { Internals } from "../oplog.ts";
import { connect, type Link, streamError } from "./connect.ts";
import { StreamConsumer } from "./consumer.ts";
import { findLoss } from "./loss.ts";
import type { Message } from "./page.ts";
import type { Position, Positions } from "./positions.ts";
import { findLast, findPosition, openStream } from "./prepare.ts";
import { StreamPublisher } from "./publisher.ts";
import type { Settings } from "./options.ts";
import { requireUsable, type StreamWarning, warningsOf } from "./settings.ts";
import type { Counters } from "./status.ts";
import { ID_HEADER } from "./subjects.ts";

/** What a session works on. */
export interface SessionParts {
  readonly settings: Settings;
  readonly internals: Internals;
  readonly positions: Positions;
  readonly counters: Counters;
  /** Called when something is to be told. */
  onChange(): void;
}

/** Limit of the messages that are on their way at a time, in bytes, unless each is larger. */
const MAX_BYTES_ON_THEIR_WAY = 1 << 27;
const MIN_MESSAGES_ON_THEIR_WAY = 16;
const MAX_MESSAGES_ON_THEIR_WAY = 1024;
/** A consumer that nobody reads is removed by the server after so long, in nanoseconds. */
const INACTIVE_NS = 60_000_000_000;
/** How long a request for messages is open, in milliseconds. */
const EXPIRES_MS = 30_000;
/** The server keeps to no shorter interval of heartbeats, in milliseconds. */
const MIN_HEARTBEAT_MS = 500;
/** Heartbeats within the time of an answer. */
const HEARTBEATS = 2;

/** What the client notifies when it gets no more messages. */
const LOST_CONSUMER: ReadonlySet<string> = new Set(["heartbeats_missed", "consumer_not_found", "consumer_deleted"]);

/** An open session. */
export class Session {
  readonly warnings: readonly StreamWarning[];
  readonly consumer: StreamConsumer;
  readonly publisher: StreamPublisher;
  readonly #parts: SessionParts;
  readonly #link: Link;
  readonly #consumerName: string;
  /** The last message of the stream when it was opened. */
  readonly #target: number;
  /** Whether it was found to have lost messages. */
  readonly #hasLost: boolean;
  readonly #window: number;
  readonly #stop = new AbortController();
  readonly #caughtUp = Promise.withResolvers<void>();
  #isCaughtUp = false;
  #failure: unknown;

  private constructor(
    parts: SessionParts,
    link: Link,
    { info, target, hasLost }: { info: StreamInfo; target: number; hasLost: boolean },
    position: Position,
    consumer: ConsumerInfo,
  ) {
    this.#parts = parts;
    this.#target = target;
    this.#hasLost = hasLost;
    this.#link = link;
    this.#consumerName = consumer.name;
    this.warnings = warningsOf(info);
    const { settings: { stream, workers, timeoutMs }, internals, positions, counters } = parts;
    const { max_msg_size: limit } = info.config;
    const payload = link.connection.info!.max_payload;
    const maxBytes = limit > 0 ? Math.min(limit, payload) : payload;
    this.#window = Math.min(
      MAX_MESSAGES_ON_THEIR_WAY,
      Math.max(MIN_MESSAGES_ON_THEIR_WAY, Math.floor(MAX_BYTES_ON_THEIR_WAY / maxBytes)),
    );
    this.consumer = new StreamConsumer(
      {
        stream,
        ...internals,
        positions,
        counters,
        workers,
        fetch: (seq) => this.#fetch(seq),
        onCommit: () => this.#committed(),
      },
      position,
      consumer.num_pending,
    );
    this.publisher = new StreamPublisher({
      stream,
      ...internals,
      positions,
      counters,
      client: link.client,
      maxBytes,
      timeoutMs,
      position: () => this.consumer.position.seq,
      fetch: (seq) => this.#fetch(seq),
      onChange: () => parts.onChange(),
    }, this.#stop.signal);
  }

  /**
   * Connects, checks the stream, and finds where to begin.
   *
   * @throws {StreamError} `unreachable`, `not-allowed`, `no-stream`, `bad-stream`.
   */
  static async open(parts: SessionParts): Promise<Session> {
    const link = await connect(parts.settings);
    try {
      const info = await openStream(link, parts.settings);
      requireUsable(info);
      const { position, hasLost } = await findPosition(link, info, { ...parts.internals, ...parts });
      const consumer = await link.manager.consumers.add(info.config.name, {
        ack_policy: "none",
        deliver_policy: "by_start_sequence",
        opt_start_seq: position.seq + 1,
        inactive_threshold: INACTIVE_NS,
        num_replicas: 1,
        mem_storage: true,
      });
      return new Session(parts, link, { info, target: await findLast(link, info), hasLost }, position, consumer);
    } catch (error) {
      await link.connection.close();
      throw streamError(error, parts.settings);
    }
  }

  /** The host and the port of the server. */
  get server(): string {
    return this.#link.connection.getServer();
  }

  /** Whether what was in the stream at the start was read. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /** Reads and publishes until {@linkcode Session.close}, or the first failure, which it throws. */
  async run(): Promise<void> {
    const { connection, client } = this.#link;
    const { settings } = this.#parts;
    const { signal } = this.#stop;
    const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    if (signal.aborted) return await connection.close();
    let reading: Promise<void> | undefined;
    let publishing: Promise<void> | undefined;
    let messages: ConsumerMessages | undefined;
    try {
      const consumer = await client.consumers.get(settings.stream, this.#consumerName);
      messages = await consumer.consume({
        max_messages: this.#window,
        expires: EXPIRES_MS,
        idle_heartbeat: Math.max(MIN_HEARTBEAT_MS, Math.floor(settings.timeoutMs / HEARTBEATS)),
        abort_on_missing_resource: true,
      });
      if (this.consumer.position.seq >= this.#target) this.#catchUp();
      reading = this.consumer.run(messages);
      publishing = this.#publish(stopped);
      const all = [reading, publishing, this.#checkAgain(), this.#watchErrors(), this.#watchConsumer(messages)];
      const lost = connection.closed().then((error) => {
        throw error ?? new errors.ClosedConnectionError();
      });
      await Promise.race([...all, lost, stopped]);
      if (!signal.aborted) throw new errors.ClosedConnectionError();
    } catch (error) {
      if (!signal.aborted) this.#failure = streamError(error, settings);
    } finally {
      this.#stop.abort();
      messages?.stop(); // its end is not awaited: where reading has failed, nobody iterates to the end
      await connection.close();
      await Promise.allSettled([reading, publishing]);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Publishes, once what was in the stream is read. */
  async #publish(stopped: Promise<void>): Promise<void> {
    await Promise.race([this.#caughtUp.promise, stopped]);
    // All nodes have noticed the same loss: those that wait longer find again in the stream what others have published.
    if (this.#hasLost) await delay(Math.random() * this.#parts.settings.checkMs, this.#stop.signal);
    await this.publisher.run();
  }

  /** Ends {@linkcode Session.run}. What was read is committed. */
  close(): void {
    this.#stop.abort();
  }

  /**
   * Whether all messages of the stream are read, and the operations up to a `seq` are in it.
   *
   * @throws {StreamError} When it cannot be asked.
   */
  async isSettled(seq: number): Promise<boolean> {
    if (!this.#isCaughtUp || !this.publisher.isDone(seq)) return false;
    const { settings } = this.#parts;
    try {
      const info = await this.#link.manager.streams.info(settings.stream);
      return this.consumer.position.seq >= await findLast(this.#link, info);
    } catch (error) {
      if (this.#stop.signal.aborted) return false; // why it ends is told by its run
      throw streamError(error, settings);
    }
  }

  #committed(): void {
    if (this.consumer.position.seq >= this.#target) this.#catchUp();
    this.publisher.confirm();
    this.#parts.onChange();
  }

  #catchUp(): void {
    if (this.#isCaughtUp) return;
    this.#isCaughtUp = true;
    this.#caughtUp.resolve();
    this.#parts.onChange();
  }

  async #fetch(seq: number): Promise<Message | undefined> {
    const message = await this.#link.manager.streams.getMessage(this.#parts.settings.stream, { seq });
    return message === null ? undefined : { seq, data: message.data, id: message.header.get(ID_HEADER) };
  }

  /** Checks from time to time that the stream still has what was read. */
  async #checkAgain(): Promise<void> {
    const { settings: { stream, checkMs } } = this.#parts;
    const { signal } = this.#stop;
    for (;;) {
      await delay(checkMs, signal);
      if (signal.aborted) return;
      const { position } = this.consumer;
      const info = await this.#link.manager.streams.info(stream);
      if (await findLoss(this.#link.manager, info, position) === undefined) continue;
      throw new StreamError("unreachable", stream, `the stream ${stream} lost messages; it is read again`);
    }
  }

  /** Ends with an error when the consumer is gone, such as with its server while the connection is to another. */
  async #watchConsumer(messages: ConsumerMessages): Promise<void> {
    const { signal } = this.#stop;
    for await (const { type } of messages.status()) {
      if (!LOST_CONSUMER.has(type) || signal.aborted) continue;
      const { stream } = this.#parts.settings;
      throw new StreamError("unreachable", stream, `the server that delivers the stream ${stream} does not answer`);
    }
    await new Promise<void>((resolve) =>
      signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve())
    );
  }

  /** Ends with an error when the server forbids something: it does not answer what it forbids. */
  async #watchErrors(): Promise<void> {
    for await (const status of this.#link.connection.status()) {
      if (status.type === "error") throw status.error;
    }
  }
}

/** Resolves after some time, or when the signal aborts. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
