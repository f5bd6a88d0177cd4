/**
 * Incoming operations: one ingest for the whole transfer, fed with the bytes of the messages as they are. Afterwards, when
 * this node follows the peer, an ingest for what has arrived at a time, which is appended without waiting for more.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { SyncError } from "../errors.ts";
import type { Outcome } from "../ingest/ingest.ts";
import { isAuthor } from "../keys/author.ts";
import type { OpLog } from "../oplog.ts";
import { AUTHOR_LENGTH, AUTHOR_OFFSET } from "../wire/layout.ts";
import { Condition } from "./condition.ts";
import type { SessionLimits } from "./limits.ts";
import { badMessage } from "./fields.ts";
import type { Outcomes } from "./messages.ts";

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** Bytes that the ingest is given at a time: it copies them into memory that it reuses, which is not much larger. */
const CHUNK_BYTES = 1 << 16;
/** Authors whose acceptance is remembered. */
const MAX_REMEMBERED = 1024;

/** A message that the ingest has not taken in. */
interface Waiting {
  lines: Uint8Array<ArrayBuffer>;
  /** The bytes of the message and its operations, as they count for the credit. */
  bytes: number;
  operations: number;
}

/** What the intake of operations reports. */
export interface IncomingEvents {
  /** Something was taken in, or outcomes are known. */
  onChange: () => void;
  /** An operation was appended at a `seq`; they are reported in ascending order. */
  onAppended: (seq: number) => void;
  /** The ingest has failed: nothing more is taken in. */
  onFailure: (error: unknown) => void;
}

/** Takes in the operations of a peer. */
export class Incoming {
  /** Operations that have arrived. */
  operations = 0;
  /** Operations that were taken in, and are no longer in flight. */
  takenOperations = 0;
  /** Their bytes. */
  takenBytes = 0;
  /** The outcomes so far. */
  readonly outcomes: Outcomes = { new: 0, known: 0, pending: 0, refusals: {} };
  readonly #log: OpLog;
  readonly #limits: Pick<SessionLimits, "bytesInFlight" | "operationsInFlight">;
  readonly #acceptAuthor?: (author: string) => boolean;
  readonly #events: IncomingEvents;
  readonly #accepted = new Map<string, boolean>();
  readonly #waiting: Waiting[] = [];
  readonly #changed = new Condition();
  #bytes = 0;
  #isFinished = false;
  #isFollowing = false;
  /** The running ingest. */
  #ingest?: Promise<void>;

  /**
   * @param log The log.
   * @param limits What may be in flight.
   * @param acceptAuthor Whose operations are accepted; everyone's by default.
   * @param events What is reported.
   */
  constructor(
    log: OpLog,
    limits: Pick<SessionLimits, "bytesInFlight" | "operationsInFlight">,
    acceptAuthor: ((author: string) => boolean) | undefined,
    events: IncomingEvents,
  ) {
    this.#log = log;
    this.#limits = limits;
    this.#acceptAuthor = acceptAuthor;
    this.#events = events;
  }

  /**
   * Takes the lines of a message. They are appended later.
   *
   * @throws {SyncError} `bad-message`; `rate-limited` when more is in flight than the peer may send.
   */
  receive(lines: Uint8Array<ArrayBuffer>): void {
    const operations = countLines(lines);
    const { bytesInFlight, operationsInFlight } = this.#limits;
    const isAlone = this.operations === this.takenOperations; // one message is always accepted
    this.operations += operations;
    this.#bytes += lines.length;
    const isFlood = this.#bytes - this.takenBytes > bytesInFlight ||
      this.operations - this.takenOperations > operationsInFlight;
    if (isFlood && !isAlone) {
      const message = "the peer sent more operations than this node had asked for at a time; it must wait for them";
      throw new SyncError("rate-limited", message, { refusedBy: "this node" });
    }
    this.#waiting.push({ lines: this.#acceptedLines(lines), bytes: lines.length, operations });
    if (this.#ingest === undefined) {
      this.#ingest = this.#run();
      this.#ingest.catch(this.#events.onFailure);
    }
    this.#changed.notify();
  }

  /** From now on, what has arrived is appended at once. */
  follow(): void {
    this.#isFollowing = true;
    this.#changed.notify();
  }

  /** Ends the source: what has arrived is appended, and nothing more will. */
  finish(): void {
    this.#isFinished = true;
    this.#changed.notify();
  }

  /** Resolves when everything that had arrived has its outcome; after `finish`. Rejects with what the ingest throws. */
  async settled(): Promise<void> {
    await this.#ingest;
  }

  async #run(): Promise<void> {
    const { onChange } = this.#events;
    do {
      const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
        pull: async (controller) => {
          const chunk = await this.#nextChunk();
          if (chunk === undefined) controller.close();
          else controller.enqueue(chunk);
        },
      }, { highWaterMark: 0 });
      await this.#log.ingest(source, { onOutcome: (outcome) => this.#count(outcome), onProgress: onChange });
    } while (this.#waiting.length > 0);
    this.#ingest = undefined;
    onChange();
  }

  async #nextChunk(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined) {
        if (this.#isFinished || this.#isFollowing) return undefined;
        await this.#changed.wait();
        continue;
      }
      const chunk = first.lines.subarray(0, CHUNK_BYTES);
      first.lines = first.lines.subarray(CHUNK_BYTES);
      if (first.lines.length === 0) {
        this.#waiting.shift();
        this.takenBytes += first.bytes;
        this.takenOperations += first.operations;
        this.#events.onChange();
      }
      if (chunk.length > 0) return chunk;
    }
  }

  #count(outcome: Outcome): void {
    const { outcomes } = this;
    if (outcome.status === "new") {
      outcomes.new++;
      this.#events.onAppended(outcome.seq);
    } else if (outcome.status === "known") outcomes.known++;
    else if (outcome.status === "pending" || outcome.code === "dangling-reference") outcomes.pending++;
    else outcomes.refusals[outcome.code] = (outcomes.refusals[outcome.code] ?? 0) + 1;
  }

  /** The lines without those whose author is not accepted, which are refused. */
  #acceptedLines(lines: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    if (this.#acceptAuthor === undefined) return lines;
    const accepted = new Uint8Array(lines.length);
    let length = 0;
    let refused = 0;
    for (let start = 0; start < lines.length;) {
      const end = lines.indexOf(NEWLINE, start) + 1;
      const authorAt = start + AUTHOR_OFFSET;
      const author = Buffer.from(lines.subarray(authorAt, authorAt + AUTHOR_LENGTH)).toString("latin1");
      // A text with something else there is not an operation: the ingest refuses it.
      if (!isAuthor(author) || this.#accepts(author)) {
        accepted.set(lines.subarray(start, end), length);
        length += end - start;
      } else refused++;
      start = end;
    }
    if (refused > 0) this.outcomes.refusals["not-allowed"] = (this.outcomes.refusals["not-allowed"] ?? 0) + refused;
    return accepted.subarray(0, length);
  }

  #accepts(author: string): boolean {
    let accepted = this.#accepted.get(author);
    if (accepted === undefined) {
      accepted = this.#acceptAuthor!(author);
      if (this.#accepted.size >= MAX_REMEMBERED) this.#accepted.clear();
      this.#accepted.set(author, accepted);
    }
    return accepted;
  }
}

/** The number of lines, each of which must end with a newline and have something before it: it has an outcome. */
function countLines(lines: Uint8Array): number {
  if (lines.at(-1) !== NEWLINE) throw badMessage("operations do not end with a newline");
  if (lines.includes(CARRIAGE_RETURN)) throw badMessage("operations have a carriage return");
  let count = 0;
  for (let start = 0; start < lines.length; count++) {
    const newline = lines.indexOf(NEWLINE, start);
    if (newline === start) throw badMessage("operations have an empty line");
    start = newline + 1;
  }
  return count;
}
