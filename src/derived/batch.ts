/**
 * A batch of operations that projections apply, read once for all of them.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { readLink } from "../wire/layout.ts";
import type { Appended } from "../log/appended.ts";
import { textLeafHash } from "../log/leaf.ts";
import { readRows } from "../log/pager.ts";
import { decodeStored } from "./read.ts";

/** What an operation follows. */
export type Link = Pick<Appended, "seq" | "opId" | "prev">;

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
  readonly #appended?: readonly Appended[];
  #links?: readonly Link[];

  private constructor(
    connection: Connection,
    range: { after: number; last: number },
    operations: { texts?: readonly StoredText[]; appended?: readonly Appended[] },
  ) {
    this.#connection = connection;
    this.after = range.after;
    this.last = range.last;
    this.#texts = operations.texts;
    this.#appended = operations.appended;
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

  /** A batch of operations that are in memory. */
  static buffered(connection: Connection, appended: readonly Appended[]): Batch {
    const range = { after: appended[0].seq - 1, last: appended[appended.length - 1].seq };
    return new Batch(connection, range, { appended });
  }

  /** The part of the batch after a `seq`. */
  since(after: number): Batch {
    return new Batch(this.#connection, { after, last: this.last }, {
      texts: this.#texts?.filter(({ seq }) => seq > after),
      appended: this.#appended?.filter(({ seq }) => seq > after),
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
    return this.#links ??= this.#appended ?? [...this.texts()].map((text) => linkOf(this.#connection.path, text));
  }

  /** The leaf hashes. */
  *leaves(): Generator<Uint8Array> {
    if (this.#appended !== undefined) { for (const { leaf } of this.#appended) yield leaf; }
    else for (const { wire } of this.texts()) yield textLeafHash(wire);
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
