/**
 * Collects messages of a stream into a block of wire texts. Those whose content the log holds already are left out before
 * anything is verified: they are compared with the log byte for byte.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { LogErrorCode } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import type { ByteBlock } from "../ingest/blocks.ts";

/** A message of a stream. */
export interface Message {
  /** Its sequence number in the stream. */
  readonly seq: number;
  /** Its payload. */
  readonly data: Uint8Array;
  /** The id that its publisher has given it; nothing is believed of it. */
  readonly id: string;
}

/** The content of a page, as the consumer needs it after the block was written. */
export interface PageContent {
  /** The sequence number of the message of each line of the block. */
  readonly lines: readonly number[];
  /** The `seq` of the operations that the log held already, in ascending order. */
  readonly known: readonly number[];
  /** The codes of messages that cannot be operations. */
  readonly refusals: readonly LogErrorCode[];
}

const MAX_MESSAGES = 512;
const MAX_BYTES = 1 << 18;
const NEWLINE = 0x0a;

const SELECT = "SELECT op_id, seq, wire FROM json_each(?) CROSS JOIN ops ON op_id = value";

/** Messages that become one block. */
export class Page {
  readonly #maxOperationBytes: number;
  #messages: Message[] = [];
  #refusals: LogErrorCode[] = [];
  #bytes = 0;

  /** @param maxOperationBytes The limit of a wire text, in bytes. */
  constructor(maxOperationBytes: number) {
    this.#maxOperationBytes = maxOperationBytes;
  }

  /** Adds a message. What cannot be a line is refused here. */
  add(message: Message): void {
    const { data } = message;
    if (data.length > this.#maxOperationBytes) this.#refusals.push("too-large");
    else if (data.length === 0 || data.includes(NEWLINE)) this.#refusals.push("bad-shape");
    else {
      this.#messages.push(message);
      this.#bytes += data.length + 1;
    }
  }

  /** Whether it has the size of a block. */
  get isFull(): boolean {
    return this.#messages.length + this.#refusals.length >= MAX_MESSAGES || this.#bytes >= MAX_BYTES;
  }

  /** Takes the messages out, as a block. */
  finish(connection: Connection): { block: ByteBlock; content: PageContent } {
    const found = findKnown(connection, this.#messages);
    const known: number[] = [];
    const rest = this.#messages.filter(({ id, data }) => {
      const row = found.get(id);
      if (row === undefined || !Buffer.from(row.wire).equals(data)) return true;
      known.push(row.seq);
      return false;
    });
    const bytes = new Uint8Array(rest.reduce((length, { data }) => length + data.length + 1, 0));
    let length = 0;
    for (const { data } of rest) {
      bytes.set(data, length);
      length += data.length;
      bytes[length++] = NEWLINE;
    }
    const content = {
      lines: rest.map(({ seq }) => seq),
      known: known.sort((a, b) => a - b),
      refusals: this.#refusals,
    };
    [this.#messages, this.#refusals, this.#bytes] = [[], [], 0];
    return { block: { bytes }, content };
  }
}

/** The rows of the log with the ids that messages have. */
function findKnown(connection: Connection, messages: readonly Message[]): Map<string, { seq: number; wire: string }> {
  const ids = messages.map(({ id }) => id).filter((id) => id !== "");
  if (ids.length === 0) return new Map();
  const rows = connection.query(SELECT).values<[string, number, string]>(JSON.stringify(ids));
  return new Map(rows.map(([opId, seq, wire]) => [opId, { seq, wire }]));
}
