/**
 * The cascade of a refute or a correction: the claims that fall with it, and their paths.
 *
 * A claim falls when it becomes refuted, corrected or invalidated.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { derivedDamaged } from "../derived/damage.ts";
import { isOpId } from "../wire/ids.ts";
import { ClaimReader } from "./read.ts";

/** Maximum length of a path: all paths along a chain together would otherwise take the square of its length. */
const MAX_PATH = 32;

/** Records the claims that fall, and that rise again, during a catch-up. */
export class FallRecord {
  readonly #before = new Map<number, boolean>();
  readonly #now = new Map<number, boolean>();

  /** Records that the claim at a `seq` fell, or rose again. */
  add(seq: number, fell: boolean): void {
    if (!this.#before.has(seq)) this.#before.set(seq, !fell);
    this.#now.set(seq, fell);
  }

  /** The `seq` of the claims that have fallen since the start, in order. */
  fallen(): number[] {
    return [...this.#now].filter(([seq, fell]) => fell && !this.#before.get(seq)).map(([seq]) => seq)
      .sort((a, b) => a - b);
  }
}

/** A path that may be cut: its first and its last operations. */
interface CutPath {
  head: readonly string[];
  tail: readonly string[];
}

/** Why a claim fell: by the `seq` of a fallen input (`via`), or of a refute or correction (`cause`). */
type Step = { opId: string; via: number | null; cause: number };

const SELECT_STEPS = "SELECT seq, op_id, iif(standing = 0, via, NULL), cause FROM json_each(?) AS wanted " +
  "CROSS JOIN mnema_claims AS claim ON claim.seq = wanted.value " +
  "CROSS JOIN mnema_values AS grouped ON grouped.id = claim.value";

/** Finds the paths along which claims fell. Common parts are computed once. */
export class FallPaths {
  readonly #connection: Connection;
  readonly #reader: ClaimReader;
  readonly #steps: ReadonlyMap<number, Step>;
  readonly #paths = new Map<number, CutPath>();

  /**
   * @param connection The log's file; claims must be caught up.
   * @param fallen The `seq` of the claims that fell.
   */
  constructor(connection: Connection, fallen: readonly number[]) {
    this.#connection = connection;
    this.#reader = new ClaimReader(connection);
    this.#steps = new Map(
      connection.query(SELECT_STEPS).values<[number, string, number | null, number]>(JSON.stringify(fallen))
        .map(([seq, opId, via, cause]) => [seq, { opId, via, cause }]),
    );
    for (const [seq, { opId }] of this.#steps) {
      if (!isOpId(opId)) throw derivedDamaged(connection, `the id of the claim at seq ${seq} is none`);
    }
  }

  /** The ids on the path to the claim at a `seq`: at most 32, the first and the last half of a longer path. */
  to(seq: number): string[] {
    const below = new Set<number>();
    let at: number | null = seq;
    let path: CutPath | undefined;
    while (at !== null && path === undefined) {
      path = this.#paths.get(at);
      if (path !== undefined) break;
      this.#reader.visit(below, at);
      const { via, cause }: Step = this.#step(at);
      if (via === null) path = { head: [this.#reader.opId(cause)], tail: [] };
      at = via;
    }
    for (const claim of [...below].reverse()) this.#paths.set(claim, path = extended(path!, this.opId(claim)));
    return [...path!.head, ...path!.tail];
  }

  /** The id of a claim that fell. */
  opId(seq: number): string {
    return this.#step(seq).opId;
  }

  #step(seq: number): Step {
    const step = this.#steps.get(seq);
    if (step === undefined) throw derivedDamaged(this.#connection, `the claim at seq ${seq} has no cause`);
    return step;
  }
}

function extended({ head, tail }: CutPath, claim: string): CutPath {
  if (head.length < MAX_PATH / 2) return { head: [...head, claim], tail };
  return { head, tail: [...tail.length < MAX_PATH / 2 ? tail : tail.slice(1), claim] };
}
