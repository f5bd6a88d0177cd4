/**
 * What falls with a refute or a correction.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { derivedDamaged } from "../derived/damage.ts";
import { ClaimReader } from "./read.ts";

/** A longer path is recorded by its ends: the paths along a chain would take the square of its length. */
const MAX_PATH = 32;

/** Keeps which claims fell and which rose while state was brought up. */
export class FallRecord {
  readonly #before = new Map<number, boolean>();
  readonly #now = new Map<number, boolean>();

  /** Notes that the claim at a `seq` fell, or that it rose again. */
  note(seq: number, fell: boolean): void {
    if (!this.#before.has(seq)) this.#before.set(seq, !fell);
    this.#now.set(seq, fell);
  }

  /** The `seq` of the claims that stood and have fallen, in that order. */
  fallen(): number[] {
    return [...this.#now].filter(([seq, fell]) => fell && !this.#before.get(seq)).map(([seq]) => seq)
      .sort((a, b) => a - b);
  }
}

/** A path by its first and its last operations, which is all of it where it is short. */
interface Ends {
  head: readonly string[];
  tail: readonly string[];
}

/** How a claim fell: with an input, or by itself, by an operation. */
type Step = { opId: string; via: number | null; cause: number };

const SELECT_STEPS = "SELECT seq, op_id, iif(standing = 0, via, NULL), cause FROM json_each(?) AS wanted " +
  "CROSS JOIN mnema_claims AS claim ON claim.seq = wanted.value " +
  "CROSS JOIN mnema_values AS grouped ON grouped.id = claim.value";

/** The paths along which claims fell, each found once. */
export class FallPaths {
  readonly #connection: Connection;
  readonly #reader: ClaimReader;
  readonly #steps: ReadonlyMap<number, Step>;
  readonly #ends = new Map<number, Ends>();

  /**
   * @param connection The log's file; claims must have been brought up.
   * @param fallen The `seq` of the claims that fell, which are read together.
   */
  constructor(connection: Connection, fallen: readonly number[]) {
    this.#connection = connection;
    this.#reader = new ClaimReader(connection);
    this.#steps = new Map(
      connection.query(SELECT_STEPS).values<[number, string, number | null, number]>(JSON.stringify(fallen))
        .map(([seq, opId, via, cause]) => [seq, { opId, via, cause }]),
    );
  }

  /** The ids of the path to the claim at a `seq`, at most 32: the first and the last half of a longer one. */
  to(seq: number): string[] {
    const below = new Set<number>();
    let at: number | null = seq;
    let ends: Ends | undefined;
    while (at !== null && ends === undefined) {
      ends = this.#ends.get(at);
      if (ends !== undefined) break;
      this.#reader.visit(below, at);
      const { via, cause }: Step = this.#step(at);
      if (via === null) ends = { head: [this.#reader.opId(cause)], tail: [] };
      at = via;
    }
    for (const claim of [...below].reverse()) this.#ends.set(claim, ends = extended(ends!, this.opId(claim)));
    return [...ends!.head, ...ends!.tail];
  }

  /** The id of a claim that fell. */
  opId(seq: number): string {
    return this.#step(seq).opId;
  }

  #step(seq: number): Step {
    const step = this.#steps.get(seq);
    if (step === undefined) throw derivedDamaged(this.#connection, `the claim at seq ${seq} has not fallen`);
    return step;
  }
}

function extended({ head, tail }: Ends, claim: string): Ends {
  if (head.length < MAX_PATH / 2) return { head: [...head, claim], tail };
  return { head, tail: [...tail.length < MAX_PATH / 2 ? tail : tail.slice(1), claim] };
}
