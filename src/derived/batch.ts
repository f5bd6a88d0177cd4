/**
 * A run of operations that projections take in, read once for all of them.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { damaged } from "../sqlite/failures.ts";
import { HASH_BYTES } from "../bytes.ts";
import { readLink } from "../wire/layout.ts";
import { textLeafHash } from "../log/leaf.ts";
import { decodeStored } from "./read.ts";

/** An operation's place among the others. */
export interface Link {
  /** Its place in the log. */
  seq: number;
  /** Its id. */
  opId: string;
  /** What it follows. */
  prev: readonly string[];
}

/** An operation as it is stored. */
export interface StoredText {
  /** Its place in the log. */
  seq: number;
  /** Its type, as the row has it. */
  type: string;
  /** Its wire text. */
  wire: string;
}

const SELECT = "SELECT seq, type, wire FROM ops WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?";

const MAX_ROWS = 8192;
/** In UTF-16 units. */
const MAX_LENGTH = 1 << 23;
/** Few enough that what is read ahead stays small where each operation is as large as it may be. */
const PAGE_ROWS = 64;

/** A run of operations: those after one `seq`, up to another. */
export class Batch {
  /** The `seq` before the first of them. */
  readonly after: number;
  /** The `seq` of the last of them. */
  readonly last: number;
  readonly #connection: Connection;
  readonly #texts?: readonly StoredText[];
  readonly #leaves?: Uint8Array;
  #links?: readonly Link[];

  private constructor(
    connection: Connection,
    range: { after: number; last: number },
    known: { texts?: readonly StoredText[]; links?: readonly Link[]; leaves?: Uint8Array },
  ) {
    this.#connection = connection;
    this.after = range.after;
    this.last = range.last;
    this.#texts = known.texts;
    this.#links = known.links;
    this.#leaves = known.leaves;
  }

  /**
   * Reads operations: some thousands, or some megabytes of text.
   *
   * @param connection The log's file.
   * @param after The `seq` before the first of them.
   * @param upTo The greatest `seq` that may be among them.
   */
  static read(connection: Connection, after: number, upTo: number): Batch {
    const texts: StoredText[] = [];
    let length = 0;
    for (const text of readTexts(connection, { after, last: upTo })) {
      texts.push(text);
      length += text.wire.length;
      if (texts.length >= MAX_ROWS || length >= MAX_LENGTH) {
        return new Batch(connection, { after, last: text.seq }, { texts });
      }
    }
    return new Batch(connection, { after, last: upTo }, { texts });
  }

  /** Operations that were appended here, one behind the other, and their leaf hashes. */
  static noted(connection: Connection, links: readonly Link[], leaves: Uint8Array): Batch {
    const range = { after: links[0].seq - 1, last: links[links.length - 1].seq };
    return new Batch(connection, range, { links, leaves });
  }

  /** Those after a `seq`. */
  since(after: number): Batch {
    return new Batch(this.#connection, { after, last: this.last }, {
      texts: this.#texts?.filter(({ seq }) => seq > after),
      links: this.#links?.filter(({ seq }) => seq > after),
      leaves: this.#leaves?.subarray((after - this.after) * HASH_BYTES), // noted operations stand one behind the other
    });
  }

  /** The same operations in parts, of each of which the texts may be in memory at once. */
  *parts(): Generator<Batch> {
    if (this.#texts !== undefined) return yield this;
    for (let { after } = this; after < this.last;) {
      const part = Batch.read(this.#connection, after, this.last);
      yield part;
      after = part.last;
    }
  }

  /** How they hang together. */
  links(): readonly Link[] {
    return this.#links ??= [...this.texts()].map((text) => linkOf(this.#connection.path, text));
  }

  /** Their leaf hashes. */
  *leaves(): Generator<Uint8Array> {
    if (this.#leaves !== undefined) {
      for (let at = 0; at < (this.last - this.after) * HASH_BYTES; at += HASH_BYTES) {
        yield this.#leaves.subarray(at, at + HASH_BYTES);
      }
    } else for (const { wire } of this.texts()) yield textLeafHash(wire);
  }

  /** Their wire texts. */
  texts(): Iterable<StoredText> {
    return this.#texts ?? readTexts(this.#connection, this);
  }
}

/** Reads the wire texts of a range, in pages. */
export function* readTexts(
  connection: Connection,
  { after, last }: { after: number; last: number },
): Generator<StoredText> {
  const query = connection.query(SELECT);
  for (;;) {
    const page = query.values<[number, string, string]>(after, last, PAGE_ROWS);
    for (const [seq, type, wire] of page) {
      if (typeof wire !== "string") throw damaged(connection.path, `what stands at seq ${seq} is no text`);
      yield { seq, type, wire };
    }
    if (page.length < PAGE_ROWS) return;
    after = page[page.length - 1][0];
  }
}

function linkOf(path: string, { seq, wire }: StoredText): Link {
  // A text of another layout is odd, or damaged.
  const { opId, prev } = readLink(wire) ?? decodeStored(path, seq, wire);
  return { seq, opId, prev };
}
