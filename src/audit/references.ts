/**
 * Checks references: whether each `prev` comes before the operation that names it.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { namedOutside } from "../log/entries.ts";
import type { Findings } from "./findings.ts";

/** An operation, and what it follows. */
export interface Reference {
  /** Its `seq`. */
  seq: number;
  /** Its id. */
  opId: string;
  /** What it follows. */
  prev: readonly string[];
}

// Answered by the index alone.
const SELECT_NOT_BEFORE = "SELECT value FROM json_each(?1) " +
  "WHERE NOT EXISTS (SELECT 1 FROM main.ops WHERE op_id = value AND seq < ?2)";
const SELECT_SEQ = "SELECT seq FROM main.ops WHERE op_id = ?";

/** Limit of missing ids that are remembered because they may come later; more are reported as dangling at once. */
const MAX_AWAITED = 100_000;

/**
 * Checks references, in the order of `seq`.
 *
 * Missing rows are reported where they are missing, and references to them are suppressed: a missing id is reported only
 * when there are more such ids than rows missing before it.
 */
export class References {
  readonly #connection: Connection;
  readonly #findings: Findings;
  /** Every id so far, where the index is not intact. */
  readonly #seen?: Set<string>;
  /** Ids of rows that were changed. */
  readonly #aliases = new Set<string>();
  /** How many rows are missing before the next one. */
  #lost = 0;
  /** Missing ids that missing rows explain. */
  readonly #explained = new Set<string>();
  /** Ids that have not come yet, with the operations that name them. */
  readonly #awaited = new Map<string, Reference[]>();

  /**
   * @param connection The log's file.
   * @param findings Takes what is found.
   * @param hasIndex Whether the index on ids is intact: else all ids are held in memory.
   */
  constructor(connection: Connection, findings: Findings, hasIndex: boolean) {
    this.#connection = connection;
    this.#findings = findings;
    if (!hasIndex) this.#seen = new Set();
  }

  /** Records missing or unreadable rows. */
  lose(rows: number): void {
    this.#lost += rows;
  }

  /** Records a changed row, and the ids by which others may refer to it. */
  addAliases(seq: number, ids: readonly string[]): void {
    for (const id of ids) {
      this.#aliases.add(id);
      this.#arrive(id, seq);
    }
  }

  /** Checks consecutive operations. */
  check(rows: readonly Reference[]): void {
    if (rows.length === 0) return;
    const absent = this.#notBefore(rows);
    const here = new Set<string>();
    for (const row of rows) {
      for (const id of row.prev) if (absent.has(id) && !here.has(id) && !this.#aliases.has(id)) this.#await(id, row);
      here.add(row.opId);
      this.#seen?.add(row.opId);
      if (this.#awaited.size > 0) this.#arrive(row.opId, row.seq);
    }
  }

  /** At the end of the log: reports ids that have not come. */
  finish(): void {
    const dangling = new Map<Reference, string[]>();
    for (const [id, rows] of this.#awaited) {
      for (const row of rows) dangling.set(row, [...dangling.get(row) ?? [], id]);
    }
    for (const [row, ids] of [...dangling].sort(([a], [b]) => a.seq - b.seq)) this.#reportDangling(row, ids);
  }

  /** The ids that the rows name and that do not come before all of them. */
  #notBefore(rows: readonly Reference[]): Set<string> {
    const named = namedOutside(rows);
    if (named.size === 0) return named;
    if (this.#seen !== undefined) return named.difference(this.#seen);
    const ids = this.#connection.query(SELECT_NOT_BEFORE).values<[string]>(JSON.stringify([...named]), rows[0].seq);
    return new Set(ids.map(([id]) => id));
  }

  #await(id: string, row: Reference): void {
    if (this.#seen === undefined) {
      const [seq] = this.#connection.query(SELECT_SEQ).value<[number]>(id) ?? [];
      if (seq !== undefined) return this.#reportForward(row, id, seq);
    }
    if (!this.#explained.has(id) && this.#explained.size < this.#lost) this.#explained.add(id);
    if (this.#explained.has(id)) return;
    const rows = this.#awaited.get(id);
    if (rows !== undefined) rows.push(row);
    else if (this.#awaited.size < MAX_AWAITED) this.#awaited.set(id, [row]);
    else this.#reportDangling(row, [id]);
  }

  #arrive(id: string, seq: number): void {
    const rows = this.#awaited.get(id);
    if (rows === undefined) return;
    this.#awaited.delete(id);
    for (const row of rows) this.#reportForward(row, id, seq);
  }

  #reportDangling({ seq, opId }: Reference, ids: string[]): void {
    const message = `operation ${opId} follows ${ids.sort().join(", ")}, which the log does not hold`;
    this.#findings.addFault({ kind: "dangling", seq, opId, message });
  }

  #reportForward({ seq, opId }: Reference, id: string, at: number): void {
    const message = `operation ${opId} follows ${id}, which comes after it, at seq ${at}`;
    this.#findings.addFault({ kind: "forward-reference", seq, opId, message });
  }
}
