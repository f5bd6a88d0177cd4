/**
 * Checks the rows of `ops`: each wire text is a valid operation, the columns match it, `seq` has no gaps, and everything
 * that an operation follows is before it.
 *
 * The workers of `ingest` check the wire texts, a block at a time. The columns of the operations that they confirm are
 * compared as one text; every row that fails is checked again by itself.
 *
 * @module
 */

import { MAX_OPERATION_BYTES } from "../log/writer.ts";
import type { CheckedBlock } from "../ingest/check.ts";
import type { CheckPool } from "../ingest/pool.ts";
import type { Connection } from "../sqlite/connection.ts";
import { linesOf, namesOf } from "../log/records.ts";
import { reading } from "./damage.ts";
import type { Findings } from "./findings.ts";
import { type Place, readPlaces } from "./reader.ts";
import { type Reference, References } from "./references.ts";
import { checkRow, MAX_COLUMN_BYTES } from "./row.ts";
import { checkEnds, type End, readAssigned } from "./sequence.ts";

/** The progress of an audit. */
export interface AuditProgress {
  /** How many rows were checked. */
  checked: number;
  /** How many rows there are, as far as is known. */
  total: number;
}

/** How rows are checked. */
export interface RowOptions {
  /** Checks wire texts. */
  pool: CheckPool;
  /** Whether the indexes are intact. */
  hasIndexes: boolean;
  /** Whether SQLite can read `sqlite_sequence`. */
  hasSequence: boolean;
  /** Called with the progress. */
  onProgress?: (progress: AuditProgress) => void;
  /** Aborts it. */
  signal?: AbortSignal;
}

/** Limit of a wire text that is read: SQLite stores up to a gigabyte, and to check a text takes four times its size. */
export const MAX_WIRE_BYTES: number = 64 * MAX_OPERATION_BYTES;

const BLOCK_BYTES = 1 << 18;
const BLOCK_ROWS = 512;

const TYPED = ["op_id", "type", "author"].map((name) => `length(${name}) <= ${MAX_COLUMN_BYTES} AND `).join("") +
  "typeof(op_id) = 'text' AND typeof(type) = 'text' AND typeof(author) = 'text' AND " +
  "typeof(ts) = 'integer' AND typeof(wire) = 'text'";
const LINE = "op_id || ' ' || type || ' ' || author || ' ' || ts || ' ' || length(CAST(wire AS BLOB))";
const SELECT_BLOCK = "SELECT CAST(group_concat(wire, char(10)) AS BLOB), CAST(group_concat(line, char(10)) AS BLOB) " +
  `FROM (SELECT wire, CASE WHEN ${TYPED} THEN ${LINE} ELSE '' END AS line ` +
  "FROM main.ops NOT INDEXED WHERE seq >= ?1 AND seq <= ?2 ORDER BY seq)";

/** Consecutive rows. */
interface Block {
  places: Place[];
  /** The wire texts, one a line. */
  wires: Uint8Array<ArrayBuffer>;
  /** The other columns, one row a line. */
  columns: string;
}

/**
 * Checks every row.
 *
 * @returns How many there are, and the last `seq`.
 */
export async function checkRows(
  connection: Connection,
  findings: Findings,
  options: RowOptions,
): Promise<{ operations: number; lastSeq: number }> {
  const { pool, signal, onProgress } = options;
  const check = new RowCheck(connection, findings, options.hasIndexes);
  const assigned = readAssigned(connection, options.hasSequence);
  const total = Math.min(assigned.last, assigned.seq ?? assigned.last);
  const pending: { block: Block; checked: Promise<CheckedBlock> }[] = [];
  const collect = async (left: number) => {
    while (pending.length > left) {
      const { block, checked } = pending.shift()!;
      check.take(block, await checked);
      onProgress?.({ checked: check.operations, total: Math.max(total, check.operations) });
    }
  };
  for (const stretch of readPlaces(connection, assigned.last)) {
    signal?.throwIfAborted();
    if ("said" in stretch) {
      await collect(0);
      check.skip(stretch, assigned.seq);
      continue;
    }
    for (const places of blocksOf(stretch.places)) {
      const block = readBlock(connection, places);
      if (block === undefined) {
        await collect(0);
        check.checkEach(places);
        continue;
      }
      // A rejection is handled when the block is collected.
      const checked = pool.check({ bytes: block.wires });
      checked.catch(() => {});
      pending.push({ block, checked });
      await collect(pool.depth);
      signal?.throwIfAborted();
    }
  }
  await collect(0);
  check.finish();
  checkEnds(connection, findings, assigned, check.end);
  onProgress?.({ checked: check.operations, total: check.operations });
  return { operations: check.operations, lastSeq: check.end.lastSeq };
}

/** Checks rows in `seq` order. */
class RowCheck {
  operations = 0;
  readonly end: End = { lastSeq: 0, isCut: false };
  readonly #connection: Connection;
  readonly #findings: Findings;
  readonly #references: References;
  /** The expected next `seq`. */
  #next = 1;

  constructor(connection: Connection, findings: Findings, hasIndexes: boolean) {
    this.#connection = connection;
    this.#findings = findings;
    this.#references = new References(connection, findings, hasIndexes);
  }

  /** Takes a block whose wire texts were checked. */
  take({ places, columns }: Block, checked: CheckedBlock): void {
    const confirmed = this.#confirmed(places, columns, checked);
    const { opIds, prevs } = namesOf(checked);
    let run: Reference[] = [];
    places.forEach((place, i) => {
      const at = confirmed[i];
      if (at !== undefined && place.seq === this.#next) {
        this.#pass(place);
        run.push({ seq: place.seq, opId: opIds[at], prev: prevs[at] });
        return;
      }
      this.#references.check(run);
      run = [];
      this.#pass(place);
      if (at === undefined) this.#checkRow(place);
      else run.push({ seq: place.seq, opId: opIds[at], prev: prevs[at] });
    });
    this.#references.check(run);
  }

  /** Checks rows one by one. */
  checkEach(places: readonly Place[]): void {
    for (const place of places) {
      this.#pass(place);
      this.#checkRow(place);
    }
  }

  /** Skips rows that cannot be read. */
  skip({ from, to, said }: { from: number; to: number | undefined; said: string }, given: number | undefined): void {
    const first = Math.max(from, this.#next);
    const last = to ?? given;
    const rows = last === undefined || last <= first ? `seq ${first}` : `seq ${first} to ${last}`;
    const message = `${rows}${last === undefined ? " and what follows" : ""} cannot be read: ${said}`;
    this.#findings.addFault({ kind: "integrity", seq: first, message });
    this.#references.lose(to === undefined ? Infinity : to - first + 1);
    this.#next = Math.max(this.#next, (to ?? first) + 1);
    this.end.isCut = to === undefined;
    if (to !== undefined) this.end.lastSeq = Math.max(this.end.lastSeq, to);
  }

  /** At the end of the table. */
  finish(): void {
    this.#references.finish();
  }

  /** For each row its index in the checked table, or undefined. */
  #confirmed(places: Place[], columns: string, checked: CheckedBlock): (number | undefined)[] {
    const confirmed = new Array<number | undefined>(places.length).fill(undefined);
    if (checked.positions !== places.length) return confirmed; // a wire text has a line break, which no operation has
    const expected = linesOf(checked);
    if (expected.length === places.length && columns === expected.join("\n")) return confirmed.map((_, i) => i);
    const found = columns.split("\n");
    if (found.length !== places.length) return confirmed;
    checked.at.forEach((position, i) => {
      if (found[position - 1] === expected[i]) confirmed[position - 1] = i;
    });
    return confirmed;
  }

  /** Goes on to a row, and reports a gap before it. */
  #pass({ seq }: Place): void {
    this.operations++;
    if (seq < 1) {
      this.#findings.addFault({
        kind: "seq-out-of-range",
        seq,
        message: `there is a row at seq ${seq}; the first is 1`,
      });
      return;
    }
    if (seq > this.#next) {
      const missing = seq - 1 === this.#next ? `seq ${this.#next} is` : `seq ${this.#next} to ${seq - 1} are`;
      this.#findings.addFault({ kind: "seq-gap", seq: this.#next, message: `${missing} missing` });
      this.#references.lose(seq - this.#next);
    }
    this.#next = seq + 1;
    this.end.lastSeq = seq;
    this.end.isCut = false;
  }

  #checkRow({ seq, bytes }: Place): void {
    if (bytes > MAX_WIRE_BYTES) {
      const message = `the wire text has ${bytes} bytes, and more than ${MAX_WIRE_BYTES} are not read`;
      this.#findings.addFault({ kind: "bad-shape", seq, message });
      return this.#references.lose(1);
    }
    const { finding, op, ids } = checkRow(this.#connection, seq);
    if (finding !== undefined) {
      this.#findings.addFault(finding);
      this.#references.addAliases(seq, ids);
      if (ids.length === 0) this.#references.lose(1);
    }
    if (op !== undefined) this.#references.check([{ seq, opId: op.opId, prev: op.prev }]);
  }
}

/** Splits rows into blocks of a limited size; a larger row is a block by itself. */
function* blocksOf(places: readonly Place[]): Generator<Place[]> {
  let block: Place[] = [];
  let bytes = 0;
  for (const place of places) {
    if (block.length > 0 && (block.length === BLOCK_ROWS || bytes + place.bytes > BLOCK_BYTES)) {
      yield block;
      block = [];
      bytes = 0;
    }
    block.push(place);
    bytes += place.bytes + 1;
  }
  if (block.length > 0) yield block;
}

/** Reads the rows of a block; undefined when they must be checked one by one. */
function readBlock(connection: Connection, places: Place[]): Block | undefined {
  if (places.some(({ bytes }) => bytes > MAX_WIRE_BYTES)) return undefined;
  const [first, last] = [places[0].seq, places[places.length - 1].seq];
  type Row = [Uint8Array<ArrayBuffer> | null, Uint8Array | null];
  const row = reading(() => connection.query(SELECT_BLOCK).value<Row>(first, last), () => undefined);
  if (row === undefined || row[0] === null || row[1] === null) return undefined;
  const [wires, columns] = row;
  return { places, wires, columns: decoder.decode(columns) };
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
