/**
 * Server-sent events: tells open pages that the log, or what the server does with it, has changed. A page then loads its
 * parts again: an event carries nothing but the state, the last `seq` and a count of other changes.
 *
 * @module
 */

import type { Changes } from "../log/changes.ts";

/** Limit of open streams: each costs memory, and a browser opens one for a page. */
const MAX_STREAMS = 32;
/** The least time between two events, in milliseconds: an import commits many times a second. */
const INTERVAL_MS = 500;
/** A comment so often keeps the connection, and shows when the page was closed. */
const KEEP_ALIVE_MS = 15_000;

const utf8 = new TextEncoder();

/** The open streams of one site. */
export class Hub {
  readonly #changes: Changes;
  readonly #lastSeq: () => number;
  readonly #streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
  readonly #ends = new AbortController();
  #isWatching = false;
  /** How many changes there were that are not in the log. */
  #others = 0;

  /**
   * @param changes Reports that the file may have changed.
   * @param lastSeq Reads the last `seq`.
   */
  constructor(changes: Changes, lastSeq: () => number) {
    this.#changes = changes;
    this.#lastSeq = lastSeq;
  }

  /** How many streams are open. */
  get size(): number {
    return this.#streams.size;
  }

  /** What a page is made from, if it is read before: an event of the same state brings nothing new. */
  get state(): string {
    return `${this.#lastSeq()}.${this.#others}`;
  }

  /** Something has changed that is not in the log, such as the progress of an audit. */
  notify(): void {
    this.#others++;
    if (this.#isWatching) this.#changes.notify();
  }

  /** A new stream of events; undefined when too many are open. */
  open(): ReadableStream<Uint8Array> | undefined {
    if (this.#streams.size >= MAX_STREAMS || this.#ends.signal.aborted) return undefined;
    let stream: ReadableStreamDefaultController<Uint8Array>;
    return new ReadableStream({
      start: (controller) => {
        stream = controller;
        this.#streams.add(controller);
        controller.enqueue(utf8.encode(`retry: 2000\n${eventOf(this.state)}`));
        if (!this.#isWatching) this.#watch();
      },
      cancel: () => void this.#streams.delete(stream),
    }, { highWaterMark: 4 });
  }

  /** Ends all streams. */
  close(): void {
    this.#ends.abort();
    for (const stream of this.#streams) stream.close();
    this.#streams.clear();
  }

  /** Sends events while there are streams. */
  async #watch(): Promise<void> {
    this.#isWatching = true;
    using _ = this.#changes.watch();
    let seen = this.state;
    let sentAt = performance.now();
    while (this.#streams.size > 0 && !this.#ends.signal.aborted) {
      const { version } = this.#changes;
      const { state } = this;
      if (state !== seen) {
        seen = state;
        sentAt = performance.now();
        this.#send(eventOf(state));
        await pause(INTERVAL_MS, this.#ends.signal);
      } else if (performance.now() - sentAt > KEEP_ALIVE_MS) {
        sentAt = performance.now();
        this.#send(":\n\n");
      } else await this.#changes.after(version, this.#ends.signal);
    }
    this.#isWatching = false;
  }

  /** Sends to all who read; who does not is given up, so that nothing piles up. */
  #send(text: string): void {
    const bytes = utf8.encode(text);
    for (const stream of this.#streams) {
      if ((stream.desiredSize ?? 0) > 0) stream.enqueue(bytes);
      else {
        this.#streams.delete(stream);
        stream.close();
      }
    }
  }
}

function eventOf(state: string): string {
  return `event: change\ndata: ${state}\n\n`;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const end = () => resolve();
  signal.addEventListener("abort", end);
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
}
