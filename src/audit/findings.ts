/**
 * The findings of an audit. Each root cause is reported once; its consequences are suppressed.
 *
 * @module
 */

/** The kind of a finding: stable across versions. */
export type FindingKind =
  | "integrity"
  | "schema"
  | "trigger"
  | "index"
  | "bad-shape"
  | "bad-address"
  | "bad-signature"
  | "column-differs"
  | "forward-reference"
  | "dangling"
  | "seq-gap"
  | "removed-at-end"
  | "seq-out-of-range"
  | "derived-differs"
  | "checkpoint";

/** The order of findings about one row. */
const ORDER: readonly FindingKind[] = [
  "integrity",
  "schema",
  "trigger",
  "index",
  "bad-shape",
  "bad-address",
  "bad-signature",
  "column-differs",
  "forward-reference",
  "dangling",
  "seq-gap",
  "removed-at-end",
  "seq-out-of-range",
  "derived-differs",
  "checkpoint",
];

/**
 * A difference between the file and what the log would have written.
 *
 * - `integrity`: the file is damaged below the level of rows. SQLite's integrity check reports it, or rows cannot be read;
 *   a b-tree reaches a page twice; SQLite drops commits in the `-wal`, or does not terminate.
 * - `schema`, `trigger`, `index`: the file is not a log, or `ops` has an unexpected schema; a trigger or index of the log
 *   is missing or altered; or there is a schema object that the log did not create: `schema` for tables and views.
 * - `bad-shape`, `bad-address`, `bad-signature`: a wire text is not an operation in canonical form, or not the content of
 *   its id, or not signed by its author. The first that holds.
 * - `column-differs`: a column differs from a valid wire text.
 * - `forward-reference`, `dangling`: an operation follows one that comes after it, or is missing.
 * - `seq-gap`: rows are missing before others. `removed-at-end`: rows are missing after the last. `seq-out-of-range`: a
 *   row has a `seq` that was never assigned.
 * - `derived-differs`: a derived table differs from what the log derives, or has an unexpected schema.
 * - `checkpoint`: the log contradicts a stored or given checkpoint; a stored checkpoint is missing, malformed or not
 *   signed; or their table has an unexpected schema.
 */
export interface Finding {
  /** The kind. */
  kind: FindingKind;
  /** The row that it is about, or the first of them. */
  seq?: number;
  /** The operation that it is about, where its id can be read. */
  opId?: string;
  /** A sentence for people. It may quote the content of the file. */
  message: string;
}

/** Limit of the findings in a report. */
const MAX_FINDINGS = 10_000;
/** Messages quote the file, which may contain anything. */
const MAX_MESSAGE_LENGTH = 2000;
const MAX_UNCHECKED = 100;

/** Collects findings. */
export class Findings {
  /** How many there are. */
  count = 0;
  /** What was not checked, and why. */
  readonly unchecked: string[] = [];
  readonly #onUnchecked?: (what: string) => void;
  readonly #first: Finding[] = [];
  readonly #onFinding?: (finding: Finding) => void;
  #soundUpTo = Infinity;

  /**
   * @param onFinding Called with each finding.
   * @param onUnchecked Called with each part that is not checked.
   */
  constructor(onFinding?: (finding: Finding) => void, onUnchecked?: (what: string) => void) {
    this.#onFinding = onFinding;
    this.#onUnchecked = onUnchecked;
  }

  /** Adds a finding. */
  add(finding: Finding): void {
    const cut = { ...finding, message: shortened(finding.message) };
    this.count++;
    if (this.#first.length < MAX_FINDINGS) this.#first.push(cut);
    this.#onFinding?.(cut);
  }

  /** Adds a part that is not checked, and why. */
  skip(what: string): void {
    if (this.unchecked.length >= MAX_UNCHECKED) return;
    const cut = shortened(what);
    this.unchecked.push(cut);
    this.#onUnchecked?.(cut);
  }

  /** Adds a finding that makes the rows from a `seq` on faulty: by default from the row that it is about. */
  addFault(finding: Finding, from: number = finding.seq ?? -Infinity): void {
    this.#soundUpTo = Math.min(this.#soundUpTo, from - 1);
    this.add(finding);
  }

  /** Whether no fault was found in the rows up to a `seq`, so that what is derived from them can be checked. */
  areSound(seq: number): boolean {
    return seq <= this.#soundUpTo;
  }

  /** The findings up to the limit: those about the whole file, then the others by `seq`. */
  sorted(): Finding[] {
    return this.#first.toSorted((a, b) =>
      (a.seq ?? Number.MIN_SAFE_INTEGER) - (b.seq ?? Number.MIN_SAFE_INTEGER) ||
      ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) ||
      Number(a.message > b.message) - Number(a.message < b.message)
    );
  }
}

function shortened(message: string): string {
  if (message.length <= MAX_MESSAGE_LENGTH) return message;
  return `${message.slice(0, MAX_MESSAGE_LENGTH).toWellFormed()}… and so on`;
}
