/**
 * A batch of operations that projections apply, read once for all of them.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { HASH_BYTES } from "../bytes.ts";
import { readLink } from "../wire/layout.ts";
import { textLeafHash } from "../log/leaf.ts";
import { readRows } from "../log/pager.ts";
import type { Buffered, Link } from "./buffer.ts";
import { decodeStored } from "./read.ts";

/** A row of the log. */
export interface StoredText {
  /** Its place in the log. */
  seq: number;
  /** The type of the operation, as the row has it. */
  type: string;
  /** Its wire text. */
  wire: string;
}

const SELECT = "SELECT seq, wire, type FROM ops WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3";

/** Limits of a batch that is read: operations, and UTF-16 code units of wire text. */
const MAX_ROWS = 8192;
const MAX_LENGTH = 1 << 23;

/** The operations after one `seq`, up to another. */
export class Batch {
  /** The `seq` before the first. */
  readonly after: number;
  /** The last `seq`. */
  readonly last: number;
  readonly #connection: Connection;
  readonly #texts?: readonly StoredText[];
  readonly #buffered?: Buffered;
  #links?: readonly Link[];

  private constructor(
    connection: Connection,
    range: { after: number; last: number },
    operations: { texts?: readonly StoredText[]; buffered?: Buffered },
  ) {
    this.#connection = connection;
    this.after = range.after;
    this.last = range.last;
    this.#texts = operations.texts;
    this.#buffered = operations.buffered;
    this.#links = operations.buffered?.links;
  }

  /**
   * Reads operations: some thousands, or some megabytes of text.
   *
   * @param connection The log's file.
   * @param after The `seq` before the first.
   * @param upTo The greatest possible `seq`.
   */
  static read(connection: Connection, after: number, upTo: number): Batch {
    const texts: StoredText[] = [];
    let length = 0;
    for (const text of readTexts(connection, { after, last: upTo }, MAX_ROWS)) {
      texts.push(text);
      length += text.wire.length;
      if (texts.length >= MAX_ROWS || length >= MAX_LENGTH) {
        return new Batch(connection, { after, last: text.seq }, { texts });
      }
    }
    return new Batch(connection, { after, last: upTo }, { texts });
  }

  /** A batch of which nothing has been read. */
  static unread(connection: Connection, range: { after: number; last: number }): Batch {
    return new Batch(connection, range, {});
  }

  /** A batch of operations that are in memory. */
  static buffered(connection: Connection, buffered: Buffered): Batch {
    const { links } = buffered;
    return new Batch(connection, { after: links[0].seq - 1, last: links[links.length - 1].seq }, { buffered });
  }

  /** The part of the batch after a `seq`. */
  since(after: number): Batch {
    const start = after - this.after; // buffered operations have consecutive seq
    return new Batch(this.#connection, { after, last: this.last }, {
      texts: this.#texts?.filter(({ seq }) => seq > after),
      buffered: this.#buffered && {
        links: this.#buffered.links.slice(start),
        leaves: this.#buffered.leaves.subarray(start * HASH_BYTES),
      },
    });
  }

  /** The same operations in parts whose texts fit into memory. */
  *parts(): Generator<Batch> {
    if (this.#texts !== undefined) return yield this;
    for (let { after } = this; after < this.last;) {
      const part = Batch.read(this.#connection, after, this.last);
      yield part;
      after = part.last;
    }
  }

  /** What each operation follows. */
  links(): readonly Link[] {
    return this.#links ??= [...this.texts()].map((text) => linkOf(this.#connection.path, text));
  }

  /** The leaf hashes. */
  *leaves(): Generator<Uint8Array> {
    const leaves = this.#buffered?.leaves;
    if (leaves === undefined) {
      for (const { wire } of this.texts()) yield textLeafHash(wire);
    } else for (let at = 0; at < leaves.length; at += HASH_BYTES) yield leaves.subarray(at, at + HASH_BYTES);
  }

  /** The rows. */
  texts(): Iterable<StoredText> {
    return this.#texts ?? readTexts(this.#connection, this);
  }
}

/** Reads the rows after one `seq`, up to another, in pages. */
export function readTexts(
  connection: Connection,
  { after, last }: { after: number; last: number },
  limit?: number,
): Generator<StoredText> {
  return readRows<[number, string, string], StoredText>(
    connection,
    { sql: SELECT, limit },
    [{ after, upTo: last }],
    ([seq, wire, type]) => ({ seq, type, wire }),
  );
}

function linkOf(path: string, { seq, wire }: StoredText): Link {
  // A text of another layout is unusual, or damaged.
  const { opId, prev } = readLink(wire) ?? decodeStored(path, seq, wire);
  return { seq, opId, prev };
}
