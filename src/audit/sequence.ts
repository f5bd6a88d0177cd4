/**
 * Checks the end of the table: `sqlite_sequence` holds the last `seq` that was assigned, so rows that were removed at the
 * end leave a trace.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { reading } from "./damage.ts";
import type { Findings } from "./findings.ts";

const SELECT_ASSIGNED =
  "SELECT CASE typeof(seq) WHEN 'integer' THEN seq ELSE CAST(substr(CAST(seq AS BLOB), 1, 100) AS TEXT) END " +
  "FROM main.sqlite_sequence WHERE name = 'ops' LIMIT 2";
const SELECT_LAST = "SELECT max(seq) FROM main.ops NOT INDEXED";
const SELECT_BEYOND = "SELECT CAST(seq AS TEXT) FROM main.ops NOT INDEXED WHERE seq > ?1 OR seq < ?2 LIMIT 1";

/** The end of the rows that were read. */
export interface End {
  /** The greatest `seq` that was read; 0 when there is none. */
  lastSeq: number;
  /** Whether the rows after it could not be read. */
  isCut: boolean;
}

/** The end of the table in one snapshot. */
export interface Assigned {
  /** The last `seq` that was assigned; undefined when that is unknown. */
  seq: number | undefined;
  /** Why it is unknown. */
  fault?: { kind: "integrity" | "seq-out-of-range"; message: string };
  /** The last `seq` to read. */
  last: number;
}

/**
 * Reads the last `seq` in the table, and the last that was assigned: 0 when none was.
 *
 * @param connection The log's file.
 * @param hasSequence Whether SQLite can read `sqlite_sequence`.
 */
export function readAssigned(connection: Connection, hasSequence: boolean): Assigned {
  return connection.snapshot(() => {
    const last = reading(
      () => Number(connection.query(SELECT_LAST).value<[unknown]>()![0] ?? 0),
      () => Infinity, // reported where the rows are read
    );
    return { ...assignedSeq(connection, hasSequence), last: Math.min(last, Number.MAX_SAFE_INTEGER) };
  });
}

function assignedSeq(connection: Connection, hasSequence: boolean): Pick<Assigned, "seq" | "fault"> {
  if (!hasSequence) return { seq: undefined };
  const rows = reading<[unknown][] | string>(() => connection.query(SELECT_ASSIGNED).values(), (said) => said);
  if (typeof rows === "string") {
    return { seq: undefined, fault: { kind: "integrity", message: `sqlite_sequence cannot be read: ${rows}` } };
  }
  if (rows.length === 0) return { seq: 0 };
  const [[seq]] = rows;
  if (rows.length === 1 && Number.isSafeInteger(seq) && seq as number >= 0) return { seq: seq as number };
  const message = `sqlite_sequence holds ${rows.map(([seq]) => String(seq)).join(", ")} for ops`;
  return { seq: undefined, fault: { kind: "seq-out-of-range", message } };
}

/** Compares the end of the rows with the last `seq` that was assigned, and looks for rows outside the range of `seq`. */
export function checkEnds(connection: Connection, findings: Findings, { seq, fault }: Assigned, end: End): void {
  const beyond = reading(
    () => connection.query(SELECT_BEYOND).value<[string]>(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER)?.[0],
    () => undefined, // reported where the rows were read
  );
  if (beyond !== undefined) {
    findings.addFault({
      kind: "seq-out-of-range",
      message: `there is a row at seq ${beyond}, which is no safe integer`,
    });
  }
  if (seq === undefined) {
    if (fault === undefined) findings.skip("whether rows are missing at the end: sqlite_sequence cannot be read");
    else findings.addFault(fault);
  } else if (end.lastSeq > seq) {
    const message = `the last row is at seq ${end.lastSeq}, and the last that was assigned is ${seq}`;
    // Any row may be the inserted one: it may have moved the others.
    findings.addFault({ kind: "seq-out-of-range", seq: end.lastSeq, message }, -Infinity);
  } else if (end.lastSeq < seq && !end.isCut) {
    const first = end.lastSeq + 1;
    const message = seq === first
      ? `seq ${seq} was assigned, and is missing`
      : `seq ${first} to ${seq} were assigned, and are missing`;
    findings.addFault({ kind: "removed-at-end", seq: first, message });
  }
}
