/**
 * Range-based set reconciliation: two sides that hold sets of ids find out which of them each lacks, with messages whose
 * size depends on the difference. This is the Negentropy protocol, version 1; messages are equal to the byte to those of
 * other implementations. Browser compatible.
 *
 * The initiator describes all of its records as some ranges with a fingerprint each. The responder answers, of the ranges
 * in which its own fingerprint is another, with smaller ones, or with the ids of a small one; so does the initiator in
 * turn, until it has compared the ids of every range that differs. A message holds all that its answer depends on: records
 * may be added between two messages.
 *
 * @module
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { LogError, SyncError } from "../../errors.ts";
import {
  decodeRanges,
  encodeVarint,
  FINGERPRINT_BYTES,
  ID_BYTES,
  MessageWriter,
  type Range,
  VERSION,
  versionOf,
} from "./message.ts";
import { type Bound, boundBetween, compareBytes, END, type RecordStorage, type TimedId } from "./storage.ts";

/** Default limit of a message that is written, in bytes. */
export const FRAME_LIMIT: number = 128 * 1024;
/** The least limit of a message. */
export const MIN_FRAME_LIMIT = 4096;

/** Into how many ranges one is split; fewer than twice as many records are described by their ids. */
const BUCKETS = 16;
/** A Fingerprint, or an id, with a bound has at most so many bytes. */
const MAX_RANGE_BYTES = 64;
/** A message ends when less is left below its limit: enough for a last Skip and Fingerprint, as elsewhere. */
const RESERVE = 200;
/** Default limits of what one message is given. */
const MAX_RANGES = 16_384;
const MAX_HAVE = 65_536;

/** Limits of one message and of its answer. */
export interface ReconcileOptions {
  /** The limit of the answer, in bytes: at least 4,096; 128 KiB by default. A larger answer is spread over more rounds. */
  readonly frameLimit?: number;
  /** The greatest number of ranges of the message, 16,384 by default: more are refused. */
  readonly maxRanges?: number;
  /** How many ids `have` may hold, 65,536 by default: where there are more, the next rounds report them. */
  readonly maxHave?: number;
}

/** What the initiator has learned from a message. */
export interface Reconciled {
  /** The message to the responder; undefined when the reconciliation is done. */
  reply?: Uint8Array<ArrayBuffer>;
  /** Ids that the responder lacks. */
  have: Uint8Array[];
  /**
   * Ids that the initiator lacks. Where a limit spreads an answer over several rounds, an id can be reported again, and
   * when `have` is full, ids can be among these that are in the storage.
   */
  need: Uint8Array[];
}

/**
 * The first message of the initiator: about half a kilobyte with 16 ranges, seven with 256.
 *
 * @param storage The records.
 * @param frameLimit The limit of messages that will be written, in bytes.
 * @param buckets How many ranges it describes, 16 by default. More save a round where there are many records.
 * @throws {LogError} `invalid-argument` when the limit is below 4,096, or below 64 for each range.
 *
 * @example
 * ```ts
 * import { initiate, reconcile, respond } from "./negentropy.ts";
 * import { MemoryStorage } from "./memory.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const record = (n: number) => ({ timestamp: 1_700_000_000 + n, id: new Uint8Array(32).fill(n) });
 * const here = new MemoryStorage([1, 2, 3].map(record));
 * const there = new MemoryStorage([2, 3, 4].map(record));
 * const { reply, have, need } = reconcile(here, respond(there, initiate(here)));
 * assertEquals([reply, have, need], [undefined, [record(1).id], [record(4).id]]);
 * ```
 */
export function initiate(
  storage: RecordStorage,
  frameLimit: number = FRAME_LIMIT,
  buckets: number = BUCKETS,
): Uint8Array<ArrayBuffer> {
  requireFrameLimit(frameLimit, buckets * MAX_RANGE_BYTES);
  const writer = new MessageWriter();
  describe(storage, { begin: 0, end: storage.size, upper: END }, writer, buckets);
  return writer.finish();
}

/**
 * Handles a message of the responder.
 *
 * @param storage The records of the initiator.
 * @param message The message.
 * @param options Limits.
 * @throws {SyncError} `bad-message`; `unsupported-version` when the responder does not speak this version.
 */
export function reconcile(storage: RecordStorage, message: Uint8Array, options: ReconcileOptions = {}): Reconciled {
  const { maxHave = MAX_HAVE } = options;
  if (versionOf(message) !== VERSION) {
    const text = "the peer speaks another version of the reconciliation; use the same version of Mnema on both sides";
    throw new SyncError("unsupported-version", text, { refusedBy: "this node" });
  }
  const [have, need]: Uint8Array[][] = [[], []];
  const answer = new Answer(storage, options);
  answer.to(message, (ids, { begin, end, upper }) => {
    if (have.length >= maxHave) return answer.endAt(begin);
    const theirs = new Map<string, Uint8Array>();
    for (const id of ids) theirs.set(keyOf(id), id);
    let stopped: { index: number; record: TimedId } | undefined;
    let index = begin;
    for (const record of storage.range(begin, end)) {
      if (!theirs.delete(keyOf(record.id))) {
        if (have.length >= maxHave) {
          stopped = { index, record };
          break;
        }
        have.push(record.id);
      }
      index++;
    }
    for (const id of theirs.values()) need.push(id.slice()); // not a view that keeps the message in memory
    answer.skip(stopped === undefined ? upper : boundAt(stopped.record));
    if (stopped !== undefined) answer.endAt(stopped.index);
  });
  const reply = answer.finish();
  return { reply: reply.length > 1 ? reply : undefined, have, need };
}

/**
 * The responder's answer to a message of the initiator.
 *
 * @param storage The records of the responder.
 * @param message The message.
 * @param options Limits.
 * @returns The answer; of one byte when nothing differs, and when the initiator speaks an unknown version.
 * @throws {SyncError} `bad-message`.
 */
export function respond(
  storage: RecordStorage,
  message: Uint8Array,
  options: ReconcileOptions = {},
): Uint8Array<ArrayBuffer> {
  const answer = new Answer(storage, options);
  if (versionOf(message) === VERSION) answer.to(message, (_, records) => answer.list(records));
  return answer.finish();
}

/** The records of a range: their indexes, and where the range ends. */
interface Records {
  readonly begin: number;
  readonly end: number;
  readonly upper: Bound;
}

/** Handles the ids that the peer holds in a range. */
type OnIds = (ids: Iterable<Uint8Array>, records: Records) => void;

/** The answer to one message. */
class Answer {
  readonly #storage: RecordStorage;
  readonly #maxBytes: number;
  readonly #maxRanges: number;
  readonly #writer = new MessageWriter();
  /** Up to where nothing remains to be said, and the message does not say so yet. */
  #skipped?: Bound;
  #hasEnded = false;

  constructor(storage: RecordStorage, { frameLimit = FRAME_LIMIT, maxRanges = MAX_RANGES }: ReconcileOptions) {
    requireFrameLimit(frameLimit);
    this.#storage = storage;
    this.#maxBytes = frameLimit - RESERVE;
    this.#maxRanges = maxRanges;
  }

  /** Answers the ranges of a message in their order, as many as fit. */
  to(message: Uint8Array, onIds: OnIds): void {
    let begin = 0;
    let skipped: Bound | undefined;
    for (const range of decodeRanges(message, this.#maxRanges)) {
      if (range.mode === "skip") {
        this.skip(skipped = range.upper);
        continue; // its end is only searched for when another range begins there
      }
      if (skipped !== undefined) begin = this.#indexOf(skipped, begin);
      skipped = undefined;
      const records = { begin, end: this.#indexOf(range.upper, begin), upper: range.upper };
      this.#answerTo(range, records, onIds);
      if (this.#hasEnded) return;
      begin = records.end;
    }
  }

  #answerTo(range: Exclude<Range, { mode: "skip" }>, records: Records, onIds: OnIds): void {
    if (range.mode === "ids") return onIds(idsOf(range.ids), records);
    const own = fingerprintOf(this.#storage, records.begin, records.end);
    if (compareBytes(own, range.fingerprint) === 0) return this.skip(range.upper);
    const [undo, skipped] = [this.#writer.mark(), this.#skipped];
    this.#writeSkip();
    describe(this.#storage, records, this.#writer);
    if (!this.#isFull) return;
    undo();
    this.#skipped = skipped;
    this.endAt(records.begin);
  }

  /** Nothing remains to be said up to a bound. */
  skip(upper: Bound): void {
    this.#skipped = upper;
  }

  /** Adds the ids of records, as many as fit. */
  list({ begin, end, upper }: Records): void {
    const before = this.#writer.length;
    this.#writeSkip();
    const ids: Uint8Array[] = [];
    for (const record of this.#storage.range(begin, end)) {
      if (before + ids.length * ID_BYTES > this.#maxBytes) {
        this.#writer.ids(boundAt(record), ids);
        return this.endAt(begin + ids.length);
      }
      ids.push(record.id);
    }
    this.#writer.ids(upper, ids);
    if (this.#isFull && upper !== END) this.endAt(end);
  }

  /** Ends the message with a fingerprint of all that remains: the records from an index on. */
  endAt(begin: number): void {
    this.#writeSkip();
    this.#writer.fingerprint(END, fingerprintOf(this.#storage, begin, this.#storage.size));
    this.#hasEnded = true;
  }

  /** The message. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#writer.finish();
  }

  get #isFull(): boolean {
    return this.#writer.length > this.#maxBytes;
  }

  #indexOf(bound: Bound, from: number): number {
    return bound === END ? this.#storage.size : this.#storage.lowerBound(bound, from);
  }

  #writeSkip(): void {
    if (this.#skipped !== undefined) this.#writer.skip(this.#skipped);
    this.#skipped = undefined;
  }
}

/** Describes records: a few by their ids, many as ranges with fingerprints. */
function describe(
  storage: RecordStorage,
  { begin, end, upper }: Records,
  writer: MessageWriter,
  buckets: number = BUCKETS,
): void {
  const count = end - begin;
  if (count < 2 * buckets) {
    writer.ids(upper, Array.from(storage.range(begin, end), ({ id }) => id));
    return;
  }
  const larger = count % buckets; // so many have one record more
  for (let bucket = 0, from = begin; bucket < buckets; bucket++) {
    const to = from + Math.floor(count / buckets) + (bucket < larger ? 1 : 0);
    const bound = to === end ? upper : boundBetween(storage.at(to - 1), storage.at(to));
    writer.fingerprint(bound, fingerprintOf(storage, from, to));
    from = to;
  }
}

/** The first 16 bytes of SHA-256(sum of the ids ‖ varint of how many). */
function fingerprintOf(storage: RecordStorage, begin: number, end: number): Uint8Array {
  return sha256.create().update(storage.sum(begin, end)).update(encodeVarint(end - begin)).digest()
    .subarray(0, FINGERPRINT_BYTES);
}

function boundAt({ timestamp, id }: TimedId): Bound {
  return { timestamp, prefix: id };
}

/** A text of one character for each byte. */
function keyOf(id: Uint8Array): string {
  return String.fromCharCode(...id);
}

function* idsOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += ID_BYTES) yield bytes.subarray(at, at + ID_BYTES);
}

function requireFrameLimit(frameLimit: number, needed = 0): void {
  const least = Math.max(MIN_FRAME_LIMIT, needed);
  if (frameLimit >= least) return;
  throw new LogError("invalid-argument", `the limit of a message must be at least ${least} bytes`);
}
