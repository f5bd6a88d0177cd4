/**
 * Publishes what the log has and the stream lacks, in `seq` order. An acknowledgement alone is not trusted: an operation
 * counts as published once the consumer has read it in the stream. So a stream that loses what it acknowledged, or that
 * takes an operation for a duplicate of a message with a false id, gets it again.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { JetStreamApiError, type JetStreamClient, type PubAck } from "@nats-io/jetstream";
import { StreamError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import type { Changes } from "../log/changes.ts";
import { lastSeq } from "../log/entries.ts";
import { damaged } from "../sqlite/failures.ts";
import { readTexts, type StoredText } from "../derived/batch.ts";
import { readLink } from "../wire/layout.ts";
import type { Message } from "./page.ts";
import type { Positions } from "./positions.ts";
import type { Counters } from "./status.ts";
import { ID_HEADER, subjectOf } from "./subjects.ts";

/** Limit of operations that are sent and not acknowledged. */
const MAX_OUTSTANDING = 256;
/** Limit of their wire texts together, in UTF-16 code units; one larger text is sent alone. */
const MAX_OUTSTANDING_LENGTH = 1 << 23;
/** Limit of operations that are acknowledged and were not read in the stream yet. */
const MAX_UNCONFIRMED = 20_000;
/** Limit of operations that are held back; publishing ends when it is reached. */
const MAX_HELD_BACK = 100_000;
/** How many operations that are not publishable are reported. */
const MAX_REPORTED = 1000;
/** How long to wait before a message that the stream has refused is sent again, in milliseconds. */
const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 10_000;
/** The bytes of a message besides its payload: `NATS/1.0`, the header with the id, and line ends. */
const HEADER_BYTES = "NATS/1.0\r\n\r\n".length + ID_HEADER.length + ": \r\n".length;

const utf8 = new TextEncoder();

/** What the publisher works on. */
export interface PublisherParts {
  readonly stream: string;
  readonly connection: Connection;
  readonly changes: Changes;
  readonly positions: Positions;
  readonly counters: Counters;
  readonly client: JetStreamClient;
  /** The largest message that the server and the stream take, with its header, in bytes. */
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** The last message that was read. */
  position(): number;
  /** A message by its sequence number; undefined when the stream has none. */
  fetch(seq: number): Promise<Message | undefined>;
  /** Called when something is to be told. */
  onChange(): void;
}

/** Publishes over one connection. */
export class StreamPublisher {
  readonly #parts: PublisherParts;
  /** The last `seq` that was sent, or was found in the stream, or is held back. */
  #cursor = 0;
  #outstanding = 0;
  #outstandingLength = 0;
  /** The sequence numbers that acknowledgements have named, by the `seq` of the operation. */
  readonly #unconfirmed = new Map<number, number>();
  /** Operations to be sent again: those that the stream refused, and those that it does not have. */
  readonly #again = new Map<number, { withId: boolean }>();
  /** The operations that are not publishable, and those that follow them. */
  readonly #held = new Set<string>();
  readonly #tooLarge: { opId: string; bytes: number }[] = [];
  #tooLargeCount = 0;
  #refusal?: StreamError;
  #retryMs = FIRST_RETRY_MS;
  #wake = Promise.withResolvers<void>();
  readonly #failure = Promise.withResolvers<never>();

  readonly #signal: AbortSignal;

  /**
   * @param parts What it works on.
   * @param signal Ends it.
   */
  constructor(parts: PublisherParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
    this.#failure.promise.catch(() => {}); // it may come when nobody waits
  }

  /** Operations that are sent and not acknowledged. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** The first operations that are too large. */
  get tooLarge(): readonly { opId: string; bytes: number }[] {
    return this.#tooLarge;
  }

  /** How many operations are held back because they follow one that is too large. */
  get heldBack(): number {
    return this.#held.size - this.#tooLargeCount;
  }

  /** Why the stream refuses messages, while it does. */
  get refusal(): StreamError | undefined {
    return this.#refusal;
  }

  /** Whether all operations up to a `seq` are in the stream, except for those that are held back. */
  isDone(seq: number): boolean {
    const hasSeen = this.#cursor >= seq || this.#held.size >= MAX_HELD_BACK;
    return hasSeen && this.#outstanding === 0 && this.#unconfirmed.size === 0 && this.#again.size === 0;
  }

  /**
   * Publishes until the signal aborts.
   *
   * @throws {StreamError} When an acknowledgement does not come.
   */
  async run(): Promise<void> {
    const { changes } = this.#parts;
    const signal = this.#signal;
    using _ = changes.watch();
    const stop = () => this.#wake.resolve();
    signal.addEventListener("abort", stop);
    try {
      while (!signal.aborted) {
        const { version } = changes;
        this.#wake = Promise.withResolvers();
        await this.#sendAgain();
        if (this.#refusal === undefined) await this.#sendNew();
        if (this.#again.size > 0 && this.#refusal === undefined) continue;
        const waiting = this.#refusal === undefined ? changes.after(version, signal) : this.#pause();
        await Promise.race([waiting, this.#wake.promise, this.#failure.promise]);
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** Confirms what the consumer has read, up to its position, and finds what should have been there and was not. */
  confirm(): void {
    const { positions } = this.#parts;
    const read = this.#parts.position();
    let range = { after: 0, upTo: 0 };
    for (const [seq, message] of this.#unconfirmed) {
      if (message > read) break; // acknowledgements come nearly in order
      this.#unconfirmed.delete(seq);
      if (seq <= range.after || seq > range.upTo) range = positions.rangeOf(seq) ?? { after: seq, upTo: seq };
      // What is at that place has another content: without an id it is no duplicate.
      if (seq <= range.after) this.#again.set(seq, { withId: false });
    }
    this.#wake.resolve();
  }

  /** Waits before a refused message is sent again. */
  #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#retryMs);
    this.#retryMs = Math.min(2 * this.#retryMs, MAX_RETRY_MS);
    this.#signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
    return promise;
  }

  /** Sends what was refused or is missing; while the stream refuses messages, one, to see whether it still does. */
  async #sendAgain(): Promise<void> {
    const isTrial = this.#refusal !== undefined;
    for (const [seq, { withId }] of [...this.#again].sort(([a], [b]) => a - b)) {
      if (this.#signal.aborted) return;
      await this.#room();
      if (this.#signal.aborted) return;
      this.#again.delete(seq);
      for (const text of readTexts(this.#parts.connection, { after: seq - 1, last: seq })) this.#send(text, withId);
      if (isTrial) {
        await this.#until(() => this.#outstanding === 0);
        if (this.#again.has(seq)) return;
        this.#refusal = undefined;
        this.#retryMs = FIRST_RETRY_MS;
        this.#parts.onChange();
      }
    }
  }

  /** Sends what was not sent over this connection and was not read in the stream. */
  async #sendNew(): Promise<void> {
    const { connection, positions } = this.#parts;
    for (;;) {
      // While a long transaction runs on this connection, what it has inserted may still be rolled back.
      const last = connection.isHeld ? this.#cursor : lastSeq(connection);
      const gap = positions.nextGap(this.#cursor, last);
      if (gap === undefined) {
        this.#cursor = Math.max(this.#cursor, last);
        return;
      }
      for (const text of readTexts(connection, { after: gap.after, last: gap.upTo })) {
        if (this.#signal.aborted || this.#refusal !== undefined) return;
        if (this.#held.size >= MAX_HELD_BACK) return;
        if (this.#isPublishable(text)) {
          if (this.#isFull(text.wire)) await this.#room();
          if (this.#signal.aborted || this.#refusal !== undefined) return;
          this.#send(text, true);
        }
        this.#cursor = text.seq;
      }
      this.#cursor = gap.upTo;
    }
  }

  /** Whether the server takes an operation, and all that it follows; else it is held back. */
  #isPublishable({ seq, wire }: StoredText): boolean {
    const link = readLink(wire);
    if (link === undefined) {
      throw damaged(this.#parts.connection.path, `the wire text at seq ${seq} has another layout`);
    }
    const { opId, prev } = link;
    const { maxBytes } = this.#parts;
    const header = HEADER_BYTES + opId.length;
    const bytes = header + (header + wire.length * 3 > maxBytes ? utf8.encode(wire).length : wire.length);
    if (bytes > maxBytes) {
      this.#tooLargeCount++;
      if (this.#tooLarge.length < MAX_REPORTED) this.#tooLarge.push({ opId, bytes });
    } else if (!prev.some((id) => this.#held.has(id))) return true;
    this.#held.add(opId);
    this.#parts.onChange();
    return false;
  }

  /** Whether a wire text must wait until others are acknowledged. */
  #isFull(wire: string): boolean {
    return this.#outstanding >= MAX_OUTSTANDING || this.#unconfirmed.size >= MAX_UNCONFIRMED ||
      (this.#outstanding > 0 && this.#outstandingLength + wire.length > MAX_OUTSTANDING_LENGTH);
  }

  /** Waits until half of what may be outstanding is acknowledged: many messages in one write cost less than many writes. */
  #room(): Promise<void> {
    return this.#until(() =>
      2 * this.#outstanding <= MAX_OUTSTANDING && 2 * this.#outstandingLength <= MAX_OUTSTANDING_LENGTH &&
      this.#unconfirmed.size < MAX_UNCONFIRMED
    );
  }

  /** Sends a message. Without an `await` between them, the client writes many at once. */
  #send({ seq, wire }: StoredText, withId: boolean): void {
    const { client, stream, timeoutMs } = this.#parts;
    this.#outstanding++;
    this.#outstandingLength += wire.length;
    const id = withId ? { msgID: readLink(wire)!.opId } : {};
    client.publish(subjectOf(stream, wire), wire, { ...id, timeout: timeoutMs })
      .then((ack) => this.#acknowledged({ seq, wire }, ack))
      .catch((error) => this.#failed(seq, withId, error))
      .finally(() => {
        this.#outstanding--;
        this.#outstandingLength -= wire.length;
        this.#wake.resolve();
      });
  }

  async #acknowledged({ seq, wire }: Pick<StoredText, "seq" | "wire">, ack: PubAck): Promise<void> {
    const { stream, counters } = this.#parts;
    if (ack.stream !== stream) {
      const message = `operations for ${stream} went into the stream ${ack.stream}, which has the same subjects`;
      throw new StreamError("bad-stream", stream, `${message}; remove them from one of the two`);
    }
    if (ack.duplicate) {
      counters.duplicates++;
      // The server knows the id of a message that it may have lost, and that may have had another content.
      const message = await this.#parts.fetch(ack.seq);
      if (message === undefined || !Buffer.from(wire).equals(message.data)) {
        this.#again.set(seq, { withId: false });
        return;
      }
    }
    counters.published++;
    this.#unconfirmed.set(seq, ack.seq);
    if (ack.seq <= this.#parts.position()) this.confirm();
  }

  /** A message that the stream refuses is sent again later; after any other failure, the connection is given up. */
  #failed(seq: number, withId: boolean, error: unknown): void {
    if (!(error instanceof JetStreamApiError)) return this.#failure.reject(error);
    const { stream } = this.#parts;
    this.#again.set(seq, { withId });
    if (this.#refusal !== undefined) return;
    const message = `the stream ${stream} refuses messages: ${error.message}; raise its limits`;
    this.#refusal = new StreamError("stream-full", stream, message, { cause: error });
    this.#parts.onChange();
  }

  /** Waits until a condition holds, or the signal aborts. The condition changes when a message is acknowledged or read. */
  async #until(condition: () => boolean): Promise<void> {
    while (!this.#signal.aborted && !condition()) {
      this.#wake = Promise.withResolvers();
      await Promise.race([this.#wake.promise, this.#failure.promise]);
    }
  }
}
