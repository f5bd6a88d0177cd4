/**
 * Reads claims and their status from the derived tables.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { decodeBody, PARTS_PER_MILLION } from "../wire/bodies.ts";
import { isOpId } from "../wire/ids.ts";
import { opIdAt } from "../log/entries.ts";
import { derivedDamaged, derivedIntegers, derivedRow, derivedRows } from "../derived/damage.ts";
import { decodeStored } from "../derived/read.ts";
import type { Claim, ClaimStatus } from "./claim.ts";
import { keyText, Standing, Support } from "./encoding.ts";

const SELECT_CLAIMS = "SELECT claim.seq, claim.depth, support, via, standing, cause, " +
  "iif(grouped.id = keyed.winner, NULL, keyed.latest), ops.wire FROM json_each(?) AS wanted " +
  "JOIN mnema_claims AS claim ON claim.seq = wanted.value JOIN mnema_values AS grouped ON grouped.id = claim.value " +
  "JOIN mnema_keys AS keyed ON keyed.id = grouped.key JOIN ops ON ops.seq = claim.seq ORDER BY wanted.key";
const SELECT_CURRENT = "SELECT latest FROM mnema_keys WHERE key = ?";
const SELECT_LATEST =
  "SELECT claim.seq FROM mnema_keys AS keyed JOIN mnema_values AS grouped ON grouped.key = keyed.id " +
  "JOIN mnema_claims AS claim ON claim.value = grouped.id WHERE keyed.key = ? ORDER BY depth DESC, op_id DESC LIMIT 1";
const SELECT_LAST_ABOUT = "WITH keyed (id) AS (SELECT id FROM mnema_keys WHERE key = ?) " +
  "SELECT op_id FROM (SELECT op_id FROM mnema_rules JOIN keyed ON key = keyed.id " +
  "ORDER BY depth DESC, op_id DESC LIMIT 1) UNION SELECT op_id FROM (SELECT claim.op_id FROM keyed " +
  "JOIN mnema_values AS grouped ON grouped.key = keyed.id JOIN mnema_claims AS claim ON claim.value = grouped.id " +
  "ORDER BY depth DESC, claim.op_id DESC LIMIT ?)";
const SELECT_FALL = "SELECT via, standing, cause FROM mnema_claims AS claim " +
  "JOIN mnema_values AS grouped ON grouped.id = claim.value WHERE seq = ?";

// A claim of a group without a verdict is invalidated by an input.
const SELECT_STEPS = `WITH RECURSIVE step (seq) AS (SELECT ?1 UNION SELECT via FROM step
  CROSS JOIN mnema_claims AS claim ON claim.seq = step.seq
  CROSS JOIN mnema_values AS grouped ON grouped.id = claim.value
  WHERE standing = ${Standing.upheld} AND via NOT NULL LIMIT ?2) SELECT group_concat(seq) FROM step`;
/** How many steps of a path are read at once. */
const [FIRST_STEPS, MAX_STEPS] = [16, 4096];

/** The types of the columns of SELECT_CLAIMS. The wire text is checked when it is decoded. */
const COLUMNS = ["integer", "integer", "integer", "integer?", "integer", "integer?", "integer?", "any"] as const;
const PAGE = 256;

/** The `seq` of the current claim of a key: the last active one; undefined when none is active. */
export function selectCurrent(connection: Connection, key: string): number | undefined {
  return derivedRow(connection, SELECT_CURRENT, ["integer?"], keyText(key))?.[0] ?? undefined;
}

/** The `seq` of the last claim of a key in replay order, of any status; undefined when it has none. */
export function selectLatest(connection: Connection, key: string): number | undefined {
  return derivedRow(connection, SELECT_LATEST, ["integer"], keyText(key))?.[0];
}

/** The ids of the last rule of a key and of its last claims, at most `limit` of them. */
export function selectLastAbout(connection: Connection, key: string, limit: number): string[] {
  return derivedRows(connection, SELECT_LAST_ABOUT, ["text"], keyText(key), limit).map(([opId]) => opId);
}

/** Why a claim fell: by the `seq` of a fallen input, or of a refute or correction. */
type FallStep = { via: number; cause: null } | { via: null; cause: number };

/** Reads claims. */
export class ClaimReader {
  readonly #connection: Connection;
  /** Root causes of fallen claims, by `seq`: many claims have the same one. */
  readonly #causes = new Map<number, number>();
  readonly #opIds = new Map<number, string>();

  /** @param connection The log's file; claims must be caught up. */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Claims by their `seq`, in the given order. */
  *read(seqs: Float64Array): Generator<Claim> {
    for (let at = 0; at < seqs.length; at += PAGE) {
      this.#causes.clear(); // the tables may have changed since the last page
      const page = [...seqs.subarray(at, at + PAGE)];
      yield* this.#connection.snapshot(() => this.#page(page));
    }
  }

  /** A claim by its `seq`; undefined when there is none. */
  one(seq: number): Claim | undefined {
    return this.#page([seq])[0];
  }

  /** A claim by its `seq`, which must be one: it comes from the tables. */
  named(seq: number): Claim {
    const claim = this.one(seq);
    if (claim === undefined) throw derivedDamaged(this.#connection, `there is no claim at seq ${seq}`);
    return claim;
  }

  /** The path by which a claim fell, as `seq`: the refute or correction, then each claim up to the claim itself. */
  path(seq: number): number[] {
    const backwards = new Set<number>();
    let last = seq;
    for (const at of this.#steps(seq)) {
      this.visit(backwards, at);
      last = at;
    }
    this.visit(backwards, this.#end(last));
    return [...backwards].reverse();
  }

  /** The id of the operation at a `seq`. */
  opId(seq: number | null): string {
    let opId = this.#opIds.get(seq!);
    if (opId !== undefined) return opId;
    opId = opIdAt(this.#connection, seq);
    if (typeof opId !== "string" || !isOpId(opId)) {
      throw derivedDamaged(this.#connection, `there is no operation with an id at seq ${seq}`);
    }
    this.#opIds.set(seq!, opId);
    return opId;
  }

  /** Why the claim at a `seq` fell. */
  fall(seq: number): FallStep {
    const row = derivedRow(this.#connection, SELECT_FALL, ["integer?", "integer", "integer?"], seq);
    if (row !== undefined) {
      const [via, standing, cause] = row;
      if (standing === Standing.upheld) { if (via !== null) return { via, cause: null }; }
      else if (cause !== null) return { via: null, cause };
    }
    throw derivedDamaged(this.#connection, `the claim at seq ${seq} has no cause`);
  }

  #page(seqs: number[]): Claim[] {
    return derivedRows(this.#connection, SELECT_CLAIMS, COLUMNS, JSON.stringify(seqs))
      .map(([seq, depth, support, via, standing, cause, later, wire]) => {
        const { opId, author, ts, type, body } = decodeStored(this.#connection.path, seq, wire);
        const status = statusOf(standing, support, later !== null);
        const known = decodeBody(type, body);
        if (status === undefined || (known?.type !== "claim.assert" && known?.type !== "claim.correct")) {
          throw derivedDamaged(this.#connection, `the row of seq ${seq} is not that of a claim`);
        }
        const base = { opId, author, ts, depth, status, ...this.#reason(status, { seq, via, cause, later }) };
        if (known.type === "claim.correct") {
          const { key, value } = known.body;
          return { ...base, kind: "correct", key, value, confidencePpm: PARTS_PER_MILLION, inputs: [] };
        }
        const { key, value, confidence_ppm, deriver, inputs } = known.body;
        return { ...base, kind: "assert", key, value, confidencePpm: confidence_ppm, deriver, inputs };
      });
  }

  #reason(
    status: ClaimStatus,
    at: { seq: number; via: number | null; cause: number | null; later: number | null },
  ): Pick<Claim, "cause" | "via"> {
    switch (status) {
      case "refuted":
      case "corrected":
        return { cause: this.opId(at.cause) };
      case "superseded":
        return { cause: this.opId(at.later) };
      case "invalidated":
        return { cause: this.opId(this.#rootCause(at.seq)), via: this.opId(at.via) };
      default:
        return {};
    }
  }

  #rootCause(seq: number): number {
    const passed = new Set<number>();
    let cause: number | undefined;
    let last = seq;
    for (const at of this.#steps(seq)) {
      cause = this.#causes.get(at);
      if (cause !== undefined) break;
      this.visit(passed, at);
      last = at;
    }
    cause ??= this.#end(last);
    for (const at of passed) this.#causes.set(at, cause);
    return cause;
  }

  /** The claim at a `seq`, the input that invalidates it, the input that invalidates that, and so on. */
  *#steps(seq: number): Generator<number> {
    for (let limit = FIRST_STEPS, isWhole = false; !isWhole; limit = Math.min(2 * limit, MAX_STEPS)) {
      const [list] = this.#connection.query(SELECT_STEPS).value<[unknown]>(seq, limit)!;
      const steps = derivedIntegers(this.#connection, list);
      isWhole = steps.length < limit;
      yield* isWhole ? steps : steps.slice(0, -1);
      seq = steps[steps.length - 1];
    }
  }

  /** The `seq` of the refute or correction that felled the last claim of a path. */
  #end(last: number): number {
    const { via, cause } = this.fall(last);
    // The steps end before one that they have already been at.
    if (via !== null) throw derivedDamaged(this.#connection, `the claim at seq ${last} is invalidated by itself`);
    return cause;
  }

  /** Adds a claim to a path, and refuses a cycle, which would never end. */
  visit(path: Set<number>, seq: number): void {
    if (path.has(seq)) throw derivedDamaged(this.#connection, `the claim at seq ${seq} is invalidated by itself`);
    path.add(seq);
  }
}

/** The status that follows from the tables; undefined for values that catch-up never writes. */
function statusOf(standing: number, support: number, isSuperseded: boolean): ClaimStatus | undefined {
  if (standing === Standing.refuted) return "refuted";
  if (standing === Standing.corrected) return "corrected";
  if (standing !== Standing.upheld) return undefined;
  if (support === Support.invalidated) return "invalidated";
  if (support === Support.pending) return "pending";
  if (support !== Support.sound) return undefined;
  return isSuperseded ? "superseded" : "active";
}
