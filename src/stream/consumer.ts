/**
 * Reads a stream into the log. Messages go through the same checks as any operation that others made; the position in
 * the stream is committed with the operations. An operation that comes before a parent waits in memory; the stored
 * position names its message, from which it is fetched again after a restart.
 *
 * @module
 */

import type { JsMsg } from "@nats-io/jetstream";
import { StreamError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { seqOf } from "../log/entries.ts";
import type { Writer } from "../log/writer.ts";
import type { Block, ByteBlock } from "../ingest/blocks.ts";
import { ingestBlocks, type Written } from "../ingest/ingest.ts";
import { type Message, Page, type PageContent } from "./page.ts";
import { MAX_WAITING, type Position, type Positions } from "./positions.ts";
import type { Counters } from "./status.ts";
import { ID_HEADER } from "./subjects.ts";

const NANOSECONDS_IN_MILLISECOND = 1_000_000n;

/** How long a page without anything new waits for the next message before it is committed, in milliseconds. */
const KNOWN_DELAY_MS = 20;

/** What the consumer works on. */
export interface ConsumerParts {
  readonly stream: string;
  readonly connection: Connection;
  readonly writer: Writer;
  readonly positions: Positions;
  readonly counters: Counters;
  readonly workers: number;
  /** A message by its sequence number; undefined when the stream has none. */
  fetch(seq: number): Promise<Message | undefined>;
  /** Called after every commit. */
  onCommit(): void;
}

/** A page that is being checked, and the position after it. */
interface PageInProgress extends PageContent {
  readonly end?: { readonly seq: number; readonly stamp: string; readonly pending: number };
}

/** Reads one stream, from a position on, over one connection. */
export class StreamConsumer {
  readonly #parts: ConsumerParts;
  readonly #page: Page;
  readonly #pages: PageInProgress[] = [];
  /** The message of each pending operation, by its position in the ingest. */
  #waiting = new Map<number, number>();
  /** The messages of operations that waited before, and that are not decided again yet. */
  readonly #undecided: Set<number>;
  #lines = 0;
  #position: Position;
  #behind: number;

  /**
   * @param parts What it works on.
   * @param position Where to begin.
   * @param behind How many messages are after that.
   */
  constructor(parts: ConsumerParts, position: Position, behind: number) {
    this.#parts = parts;
    this.#page = new Page(parts.writer.maxOperationBytes);
    this.#position = position;
    this.#undecided = new Set(position.waiting);
    this.#behind = behind;
  }

  /** The committed position. */
  get position(): Position {
    return this.#position;
  }

  /** How many messages were not read at the last commit. */
  get behind(): number {
    return this.#behind;
  }

  /** How many operations wait for a parent. */
  get pending(): number {
    return this.#waiting.size + this.#undecided.size;
  }

  /** Reads messages until they end. */
  async run(messages: AsyncIterable<JsMsg>): Promise<void> {
    await ingestBlocks(this.#parts.writer, this.#blocks(messages), {
      order: "any",
      maxWaiting: MAX_WAITING,
      workers: this.#parts.workers,
      inTransaction: (written) => this.#commit(written),
      onProgress: () => this.#parts.onCommit(),
    });
  }

  async *#blocks(messages: AsyncIterable<JsMsg>): AsyncGenerator<Block | undefined> {
    for (const seq of this.#position.waiting) {
      const message = await this.#parts.fetch(seq);
      if (message === undefined) this.#undecided.delete(seq);
      else this.#page.add(message);
      if (this.#page.isFull) yield this.#close();
    }
    yield this.#close();
    yield undefined;
    const iterator = messages[Symbol.asyncIterator]();
    try {
      let delivered = 0;
      for (let next = iterator.next();;) {
        const { value: message, done } = await next;
        if (done) return;
        const { streamSequence: seq, deliverySequence, pending } = message.info;
        if (deliverySequence !== ++delivered) throw this.#gap();
        this.#page.add({ seq, data: message.data, id: message.headers?.get(ID_HEADER) ?? "" });
        next = iterator.next();
        next.catch(() => {}); // thrown when its turn comes
        if (!this.#page.isFull && pending > 0) continue;
        const block = this.#close({ seq, stamp: stampOf(message), pending });
        const isNew = block.bytes.length > 0;
        yield block;
        // Nothing more is there: append what has arrived. What this node published comes back one by one: it can wait.
        if (pending === 0 && (isNew || await isLate(next))) yield undefined;
      }
    } finally {
      iterator.return?.(undefined)?.catch(() => {});
    }
  }

  #close(end?: PageInProgress["end"]): ByteBlock {
    const { block, content } = this.#page.finish(this.#parts.connection);
    this.#pages.push({ ...content, end });
    return block;
  }

  #gap(): StreamError {
    const { stream } = this.#parts;
    return new StreamError("unreachable", stream, `messages of the stream ${stream} were lost on their way`);
  }

  /** Moves the position. Inside the transaction that has appended the operations. */
  #commit({ blocks, firstSeq, appended, known, refusals, pending }: Written): void {
    const { connection, positions, counters } = this.#parts;
    const messageOf = new Map(this.#waiting);
    let { seq, stamp } = this.#position;
    for (const page of this.#pages.splice(0, blocks)) {
      for (const line of page.lines) {
        messageOf.set(++this.#lines, line);
        this.#undecided.delete(line);
      }
      for (const code of page.refusals) counters.refuse(code);
      markAll(positions, page.known);
      counters.known += page.known.length;
      if (page.end !== undefined) ({ seq, stamp, pending: this.#behind } = page.end);
    }
    for (const { code } of refusals) counters.refuse(code);
    if (appended > 0) positions.mark(firstSeq, firstSeq + appended - 1);
    counters.received += appended;
    markAll(positions, known.map((opId) => seqOf(connection, opId)!).sort((a, b) => a - b));
    counters.known += known.length;
    this.#waiting = new Map(pending.map((position) => [position, messageOf.get(position)!]));
    const waiting = [...this.#undecided, ...this.#waiting.values()];
    this.#position = { created: this.#position.created, seq, stamp, waiting };
    positions.move(this.#position);
  }
}

/** Whether the next message does not come soon. */
async function isLate(next: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => timer = setTimeout(resolve, KNOWN_DELAY_MS, true));
  const isLate = await Promise.race([next.then(() => false, () => true), late]);
  clearTimeout(timer);
  return isLate;
}

/** Records operations, by their `seq` in ascending order. */
function markAll(positions: Positions, seqs: readonly number[]): void {
  for (let i = 0; i < seqs.length;) {
    const first = seqs[i];
    let last = first;
    while (++i < seqs.length && seqs[i] <= last + 1) last = seqs[i];
    positions.mark(first, last);
  }
}

/** Identifies a message beside its sequence number: the millisecond at which the server stored it. */
function stampOf(message: JsMsg): string {
  return String(message.timestampNanos / NANOSECONDS_IN_MILLISECOND);
}
