/**
 * The heads: every operation that no other names in `prev`. Kept in a derived table with a watermark, the last `seq`
 * it has seen, so that asking for them costs what is new and not the whole log.
 *
 * The table also holds, with `seq` NULL, ids that were named before they arrived, as another implementation may
 * append them: when such an operation arrives it is no head.
 *
 * @module
 */

import { FileError } from "../errors.ts";
import type { Connection } from "./connection.ts";
import { lastSeq } from "./entries.ts";
import { damaged } from "./failures.ts";

/** Changes when what the table holds does: then it is rebuilt. */
const VERSION = 1;

const TABLES = `
  CREATE TABLE IF NOT EXISTS mnema_watermarks (name TEXT PRIMARY KEY, version INTEGER NOT NULL, seq INTEGER NOT NULL);
  DROP TABLE IF EXISTS mnema_heads;
  CREATE TABLE mnema_heads (op_id TEXT PRIMARY KEY, seq INTEGER);
  CREATE INDEX mnema_heads_seq ON mnema_heads(seq);`;
const COUNT_TABLES = "SELECT count(*) FROM sqlite_schema WHERE name IN ('mnema_watermarks', 'mnema_heads')";

const SELECT_WATERMARK = "SELECT version, seq FROM mnema_watermarks WHERE name = 'heads'";
const UPSERT_WATERMARK = "INSERT OR REPLACE INTO mnema_watermarks (name, version, seq) VALUES ('heads', ?, ?)";
const SELECT_NEW = "SELECT seq, op_id, json_extract(wire, '$.prev') FROM ops WHERE seq > ? ORDER BY seq LIMIT ?";

const SELECT_HEADS = "SELECT op_id FROM mnema_heads WHERE seq NOT NULL ORDER BY seq DESC LIMIT ?";
const SELECT_AWAITED = "SELECT op_id FROM mnema_heads WHERE seq IS NULL";
const DELETE_NAMED = "DELETE FROM mnema_heads WHERE op_id IN (SELECT value FROM json_each(?))";
const INSERT_AWAITED = "INSERT INTO mnema_heads (op_id, seq) SELECT value, NULL FROM json_each(?) " +
  "WHERE NOT EXISTS (SELECT 1 FROM ops WHERE op_id = value AND seq <= ?)";
const INSERT_HEADS = "INSERT INTO mnema_heads (op_id, seq) SELECT key, value FROM json_each(?) " +
  "WHERE key NOT IN (SELECT op_id FROM mnema_heads WHERE seq IS NULL)";
const DELETE_ARRIVED = "DELETE FROM mnema_heads WHERE seq IS NULL " +
  "AND EXISTS (SELECT 1 FROM ops WHERE ops.op_id = mnema_heads.op_id AND ops.seq <= ?)";

/** How many operations are held in memory before the table is brought up to them. */
const BLOCK = 4096;

/** The heads of one log. */
export class Heads {
  readonly #connection: Connection;
  #noted: Delta | undefined;

  /** @param connection The log's file. */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * The ids of the heads, newest first.
   *
   * @param limit At most so many.
   */
  newest(limit: number): string[] {
    if (!this.#connection.readonly && !this.#isCurrent()) this.tryCatchUp();
    return this.#connection.snapshot(() => this.#isCurrent() ? this.#select(limit) : this.#merge().slice(0, limit));
  }

  /** Whether something was noted that the table does not have yet. */
  get hasNoted(): boolean {
    return this.#noted !== undefined;
  }

  /** Takes note of an operation that was appended. */
  note(seq: number, opId: string, prev: readonly string[]): void {
    if (this.#noted?.last !== seq - 1) this.#noted = new Delta(seq - 1);
    this.#noted.add(seq, opId, prev);
  }

  /** Whether so much was noted that the table should be brought up, with the transaction that appends or after it. */
  get isBehind(): boolean {
    return this.#noted !== undefined && this.#noted.size >= BLOCK;
  }

  /** Forgets what was noted: the transaction is rolled back. */
  forget(): void {
    this.#noted = undefined;
  }

  /** Brings the table up in a transaction of its own; when that cannot be, whoever asks for the heads next does it. */
  tryCatchUp(): void {
    try {
      this.#connection.transaction(() => this.catchUp());
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
    }
  }

  /** Brings the table up to the end of the log, inside a transaction. */
  catchUp(): void {
    const noted = this.#noted;
    this.#noted = undefined;
    let seen = this.#watermark();
    const last = lastSeq(this.#connection);
    if (seen === last) return;
    if (seen === 0) this.#connection.execute(TABLES);
    while (seen < last) {
      // What was noted is all that is new, unless somebody else has appended.
      const delta = noted?.after === seen && noted.last === last ? noted : this.#read(seen, BLOCK);
      this.#apply(delta);
      seen = delta.last;
    }
    this.#connection.query(UPSERT_WATERMARK).run(VERSION, last);
  }

  #apply(delta: Delta): void {
    const named = JSON.stringify([...delta.named]);
    this.#connection.query(DELETE_NAMED).run(named);
    this.#connection.query(INSERT_HEADS).run(JSON.stringify(Object.fromEntries(delta.added)));
    this.#connection.query(DELETE_ARRIVED).run(delta.last);
    this.#connection.query(INSERT_AWAITED).run(named, delta.last);
  }

  #isCurrent(): boolean {
    return this.#watermark() === lastSeq(this.#connection);
  }

  #select(limit: number): string[] {
    return this.#watermark() === 0 ? [] : this.#ids(SELECT_HEADS, limit);
  }

  /** What the table would hold if it were brought up to the end of the log: newest first. */
  #merge(): string[] {
    const seen = this.#watermark();
    const delta = this.#read(seen, -1);
    const [awaited, heads] = seen === 0 ? [[], []] : [this.#ids(SELECT_AWAITED), this.#ids(SELECT_HEADS, -1)];
    const known = new Set(awaited);
    return [
      ...[...delta.added.keys()].filter((opId) => !known.has(opId)).reverse(),
      ...heads.filter((opId) => !delta.named.has(opId)),
    ];
  }

  #ids(sql: string, ...parameters: number[]): string[] {
    return this.#connection.query(sql).values<[string]>(...parameters).map(([opId]) => opId);
  }

  #read(after: number, limit: number): Delta {
    const delta = new Delta(after);
    for (const [seq, opId, prev] of this.#connection.query(SELECT_NEW).values<[number, string, string]>(after, limit)) {
      delta.add(seq, opId, parsePrev(prev) ?? this.#refuse(seq));
    }
    return delta;
  }

  #refuse(seq: number): never {
    throw damaged(this.#connection.path, `what stands at seq ${seq} is no operation`);
  }

  /** The last `seq` the table has seen; 0 when the table must be made anew. */
  #watermark(): number {
    if (!this.#tablesExist()) return 0;
    const [version, seq] = this.#connection.query(SELECT_WATERMARK).value<[number, number]>() ?? [VERSION, 0];
    return version === VERSION && seq <= lastSeq(this.#connection) ? seq : 0;
  }

  #tablesExist(): boolean {
    return this.#connection.query(COUNT_TABLES).value<[number]>()![0] === 2;
  }
}

function parsePrev(text: string | null): string[] | undefined {
  // SQLite gives an array as JSON, a string as it is, and null where there is no such field.
  if (text === null || !String(text).startsWith("[")) return undefined;
  return JSON.parse(text);
}

/** What a run of operations changes. */
class Delta {
  /** The `seq` before the first of them. */
  readonly after: number;
  /** The `seq` of the last of them. */
  last: number;
  /** The heads among them, with their `seq`, oldest first. */
  readonly added = new Map<string, number>();
  /** What they name that is not among those before it. */
  readonly named = new Set<string>();
  readonly #ids = new Set<string>();

  constructor(after: number) {
    this.after = this.last = after;
  }

  get size(): number {
    return this.last - this.after;
  }

  add(seq: number, opId: string, prev: readonly string[]): void {
    this.last = seq;
    for (const id of prev) {
      if (this.#ids.has(id)) this.added.delete(id);
      else this.named.add(id);
    }
    this.#ids.add(opId);
    if (!this.named.has(opId)) this.added.set(opId, seq);
  }
}
