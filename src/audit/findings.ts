/**
 * What an audit finds, and which findings go together: one cause is told once, and what merely follows from it is not
 * told again.
 *
 * @module
 */

/** What is wrong, for programs: stable across versions. */
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

/** In which order findings of one row are told. */
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
 * Something that is not as the log left it.
 *
 * - `integrity`: the file is damaged below the level of rows. SQLite's own check says so, or rows cannot be read; a
 *   b-tree reaches a page twice; SQLite drops commits in the `-wal`, or does not come back.
 * - `schema`, `trigger`, `index`: the file is no log, or the table `ops` is not the log's; of the log's triggers and
 *   indexes, one is missing or altered; or something is in the schema, wherever it hangs, that the log did not make:
 *   `schema` for tables and views.
 * - `bad-shape`, `bad-address`, `bad-signature`: a wire text is no operation in canonical form, or not the one its id
 *   names, or not signed by its author. The first that holds.
 * - `column-differs`: beside a wire text that is as it should be, a column says something else.
 * - `forward-reference`, `dangling`: an operation follows one that stands behind it, or is not there.
 * - `seq-gap`: rows are missing before others. `removed-at-end`: rows are missing behind the last. `seq-out-of-range`:
 *   a row stands at a `seq` that was never given.
 * - `derived-differs`: a table that is derived from the log holds something else than the log says, or is not the table
 *   that the log makes.
 * - `checkpoint`: the log does not begin with what a checkpoint holds that it signed before, or that was given; a kept
 *   checkpoint is missing, is not signed, or is none; or what holds them is not the table that the log makes.
 */
export interface Finding {
  /** What is wrong. */
  kind: FindingKind;
  /** The row that it is about, or the first of them. */
  seq?: number;
  /** The operation that it is about, where its id can be read. */
  opId?: string;
  /** What is wrong, for people. It may quote what stands in the file. */
  message: string;
}

/** So many are kept. */
const KEPT = 10_000;
/** Messages quote the file, which may hold anything. */
const MAX_MESSAGE_LENGTH = 2000;
const MAX_UNCHECKED = 100;

/** Gathers findings. */
export class Findings {
  /** How many there are. */
  count = 0;
  /** What could not be looked at, and why. */
  readonly unchecked: string[] = [];
  readonly #onUnchecked?: (what: string) => void;
  readonly #kept: Finding[] = [];
  readonly #onFinding?: (finding: Finding) => void;
  #soundUpTo = Infinity;

  /**
   * @param onFinding Is told of each finding.
   * @param onUnchecked Is told of each part that is not checked.
   */
  constructor(onFinding?: (finding: Finding) => void, onUnchecked?: (what: string) => void) {
    this.#onFinding = onFinding;
    this.#onUnchecked = onUnchecked;
  }

  /** Notes one. */
  add(finding: Finding): void {
    const cut = { ...finding, message: shortened(finding.message) };
    this.count++;
    if (this.#kept.length < KEPT) this.#kept.push(cut);
    this.#onFinding?.(cut);
  }

  /** Notes what is not checked. */
  skip(what: string): void {
    if (this.unchecked.length >= MAX_UNCHECKED) return;
    const cut = shortened(what);
    this.unchecked.push(cut);
    this.#onUnchecked?.(cut);
  }

  /** Notes one after which rows, from a `seq` on, are not what they were: the first that it is about, unless told. */
  addFault(finding: Finding, from: number = finding.seq ?? -Infinity): void {
    this.#soundUpTo = Math.min(this.#soundUpTo, from - 1);
    this.add(finding);
  }

  /** Whether nothing was found in the rows up to a `seq`, so that what is derived from them can be judged. */
  areSound(seq: number): boolean {
    return seq <= this.#soundUpTo;
  }

  /** Those that are kept: what is about the file, and then by `seq`. */
  sorted(): Finding[] {
    return this.#kept.toSorted((a, b) =>
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
