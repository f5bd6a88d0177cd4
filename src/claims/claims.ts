/**
 * Claims: what is held to be so, where each stands, why, and taking them back.
 *
 * @module
 */

import { LogError, NotFoundError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { requireObject, requireText, seqOf } from "../log/entries.ts";
import { isBody, MAX_SUMMARY, PARTS_PER_MILLION } from "../wire/bodies.ts";
import { isOpId } from "../wire/ids.ts";
import type { Signer } from "../keys/signer.ts";
import { MAX_PREV, Operation, type OperationDraft } from "../wire/operation.ts";
import type { CanonicalObject, CanonicalValue } from "../wire/value.ts";
import type { Projections } from "../derived/engine.ts";
import type { Claim, ClaimFilter, Explanation } from "./claim.ts";
import { FallPaths, FallRecord } from "./cascade.ts";
import { explain } from "./explain.ts";
import { checkFilter, ClaimReader, selectClaims, selectCurrent, selectLastAbout, selectLatest } from "./read.ts";
import { isEffective } from "./rules.ts";
import { ClaimsRun } from "./catch_up.ts";
import { claims } from "./tables.ts";

/** What is asserted. */
export interface ClaimDraft {
  /** What it is about: 1 to 512 characters. */
  key: string;
  /** What is claimed of it: anything that has a canonical encoding. */
  value: CanonicalValue;
  /** How sure, in parts per million: 1,000,000 by default. */
  confidencePpm?: number;
  /** What derived it; by default it was asserted by hand. */
  deriver?: { id: string; version: string };
  /** The ids of the evidence and the claims it was derived from. They may come later. */
  inputs?: readonly string[];
  /** Unix milliseconds; now by default. */
  ts?: number;
}

/** Why, and when. */
export interface RulingOptions {
  /** Why: 1 to 512 characters. */
  reason?: string;
  /** Unix milliseconds; now by default. */
  ts?: number;
}

/** What a refute or a correction did. */
export interface Cascade {
  /** The refute or correction. */
  op: Operation;
  /** A `claim.invalidate` for each claim that fell with it. */
  invalidations: Operation[];
  /**
   * Whether it took effect. It follows what is deepest in the log, and so comes after every other refute and correction
   * of its key; where one that is kept beside the log comes later all the same, that one lifts it.
   */
  effective: boolean;
}

/** How claims append, which is the log's own way. */
export interface Recorder {
  /** Creates, signs and appends an operation. */
  record(
    signer: Signer,
    type: string,
    body: OperationDraft["body"],
    options?: Pick<OperationDraft, "prev" | "ts">,
  ): Operation;
  /** Appends operations that were just created, each of which follows the one before it; inside a transaction. */
  appendNew(ops: readonly Operation[]): void;
  /** The heads, and of more than `limit` the deepest. */
  heads(limit: number): string[];
  /** Runs work as one transaction. */
  transaction<T>(work: () => T): T;
}

const BY_HAND = { id: "hand", version: "1" };
const MAX_CHAIN = 4096;
/** At most so many claims of its key are named by an operation that cannot follow every head. */
const MAX_ABOUT = MAX_PREV / 2;
/** Operations appended with one statement: a statement inside a transaction costs what was changed in it before. */
const RECORDED_TOGETHER = 1024;

/**
 * The claims of a log. State is kept in tables beside the log, and brought up before it is read. Where these are damaged,
 * what reads them throws a `FileError` with the code `derived-damaged`, and `OpLog.rebuild` makes them anew.
 *
 * @example
 * ```ts
 * import { Identity, OpLog } from "@mnema/oplog";
 * import { assertEquals } from "@std/assert";
 *
 * using log = OpLog.open();
 * const alice = Identity.generate();
 * const seen = log.record(alice, "evidence.add", { source: "shop", kind: "receipt", content: { item: "green tea" } });
 * const likes = log.claims.assert(alice, {
 *   key: "drink.favourite",
 *   value: "green tea",
 *   confidencePpm: 820_000,
 *   deriver: { id: "taste", version: "2.1" },
 *   inputs: [seen.opId],
 * });
 * assertEquals(log.claims.current("drink.favourite")?.value, "green tea");
 *
 * log.claims.correct(alice, "drink.favourite", "coffee");
 * assertEquals(log.claims.get(likes.opId).status, "corrected");
 * assertEquals(log.claims.current("drink.favourite")?.value, "coffee");
 * ```
 */
export class Claims {
  readonly #connection: Connection;
  readonly #projections: Projections;
  readonly #recorder: Recorder;

  /** Made by the log: see `OpLog.claims`. */
  constructor(connection: Connection, projections: Projections, recorder: Recorder) {
    this.#connection = connection;
    this.#projections = projections;
    this.#recorder = recorder;
  }

  /**
   * The claims that meet a filter, sorted by key, then in the order of replay. Each is as it stands when it is read.
   *
   * @param filter Which claims; all of them without it.
   * @throws {LogError} `invalid-argument`.
   */
  query(filter: ClaimFilter = {}): IteratorObject<Claim> {
    requireObject("a filter", filter);
    checkFilter(filter);
    const isEmpty = this.#prepare() === 0;
    const seqs = isEmpty ? new Float64Array() : selectClaims(this.#connection, filter);
    return new ClaimReader(this.#connection).read(seqs);
  }

  /**
   * A claim by its id.
   *
   * @param opId A whole id.
   * @throws {NotFoundError} When the log does not hold it.
   * @throws {LogError} `not-a-claim` when it is something else.
   */
  get(opId: string): Claim {
    return this.#find(opId, ({ claim }) => claim);
  }

  /**
   * What holds for a key: of its active claims the one that comes last; undefined when none is active.
   *
   * @param key What it is about.
   * @throws {LogError} `invalid-argument` when the key is no text.
   */
  current(key: string): Claim | undefined {
    return this.#ofKey(key, selectCurrent);
  }

  /**
   * What was claimed of a key last: of all its claims, whatever their status, the one that comes last in the order of
   * replay; undefined when nothing is claimed of it.
   *
   * @param key What it is about.
   * @throws {LogError} `invalid-argument` when the key is no text.
   */
  latest(key: string): Claim | undefined {
    return this.#ofKey(key, selectLatest);
  }

  /**
   * Why a claim is believed, or is not: what it was derived from, down to the evidence, and what felled it.
   *
   * @param idOrKey A whole id of a claim; or a key, of which the claim that holds is explained, or else the latest.
   * @throws {LogError} `not-found` when nothing is claimed of the key, `invalid-argument`; for an id as
   * {@linkcode Claims.get}.
   */
  explain(idOrKey: string): Explanation {
    requireText("what is to be explained", idOrKey);
    if (isOpId(idOrKey)) return this.#find(idOrKey, ({ claim, seq }) => explain(this.#connection, claim, seq));
    const explanation = this.#snapshot(() => {
      const seq = selectCurrent(this.#connection, idOrKey) ?? selectLatest(this.#connection, idOrKey);
      if (seq === undefined) return undefined;
      return explain(this.#connection, new ClaimReader(this.#connection).named(seq), seq);
    });
    if (explanation !== undefined) return explanation;
    throw new LogError("not-found", `nothing is claimed of the key ${JSON.stringify(idOrKey)}`);
  }

  /**
   * Asserts a claim: signs and appends a `claim.assert`, which comes after every claim of its key in the order of replay.
   * It is not active, as its status says, where a refute or a correction of its key covers it, or an input is missing or
   * fell.
   *
   * @param signer Who asserts it.
   * @param draft What.
   * @throws {OperationError} `bad-body`, `bad-shape`, with the `path` of the field at fault.
   */
  assert(signer: Signer, draft: ClaimDraft): Operation {
    requireObject("a claim", draft);
    const { key, value, confidencePpm = PARTS_PER_MILLION, deriver = BY_HAND, inputs = [], ts } = draft;
    const body = { key, value, confidence_ppm: confidencePpm, deriver, inputs };
    return this.#recorder.transaction(() => this.#recordAbout(key, signer, "claim.assert", body, ts));
  }

  /**
   * Refutes a value of a key, or whatever is claimed of it, and records what falls with that: one transaction.
   *
   * @param signer Who refutes it.
   * @param key What it is about.
   * @param options The refuted value, without which the whole key is refuted; why; when.
   * @throws {OperationError} `bad-body`, `bad-shape`, with the `path` of the field at fault.
   */
  refute(signer: Signer, key: string, options: RulingOptions & { value?: CanonicalValue } = {}): Cascade {
    requireObject("options", options);
    const { value, reason, ts } = options;
    const scope = value === undefined ? "key" : "value";
    return this.#rule(key, signer, "claim.refute", withoutUndefined({ key, scope, value, reason }), ts);
  }

  /**
   * Gives a key the user's own value, and records what falls with that: one transaction.
   *
   * @param signer Who corrects it.
   * @param key What it is about.
   * @param value What is so.
   * @param options Why; when.
   * @throws {OperationError} `bad-body`, `bad-shape`, with the `path` of the field at fault.
   */
  correct(signer: Signer, key: string, value: CanonicalValue, options: RulingOptions = {}): Cascade {
    requireObject("options", options);
    const { reason, ts } = options;
    return this.#rule(key, signer, "claim.correct", withoutUndefined({ key, value, reason }), ts);
  }

  /**
   * Keeps an explanation: signs and appends an `explanation.record` with a text, cut where it is too long, and the
   * operations it is about, at most the first 4,096.
   *
   * @param signer Who keeps it.
   * @param explanation What {@linkcode Claims.explain} gave.
   * @param summary It in words, such as the lines of `formatTree`: at most 8,192 characters are kept.
   * @throws {LogError} `invalid-argument`.
   */
  record(signer: Signer, explanation: Explanation, summary: string): Operation {
    requireObject("an explanation", explanation);
    requireText("a summary", summary);
    const text = [...summary];
    if (text.length > MAX_SUMMARY) summary = text.slice(0, MAX_SUMMARY - 1).join("") + "…";
    const chain = explanation.nodes.slice(0, MAX_CHAIN).map(({ opId }) => opId);
    const claim = explanation.claim.opId;
    return this.#recorder.record(signer, "explanation.record", { claim, summary, chain });
  }

  #prepare(): number {
    return this.#projections.prepare(claims);
  }

  /** Reads claims as all of them stand at one moment, whatever others write meanwhile; undefined in an empty log. */
  #snapshot<T>(read: () => T): T | undefined {
    return this.#prepare() === 0 ? undefined : this.#connection.snapshot(read);
  }

  #ofKey(key: string, select: typeof selectCurrent): Claim | undefined {
    requireText("a key", key);
    return this.#snapshot(() => {
      const seq = select(this.#connection, key);
      return seq === undefined ? undefined : new ClaimReader(this.#connection).named(seq);
    });
  }

  /** Uses a claim by its id. */
  #find<T>(opId: string, use: (found: { claim: Claim; seq: number }) => T): T {
    requireText("an id", opId);
    this.#prepare();
    return this.#connection.snapshot(() => {
      const seq = seqOf(this.#connection, opId);
      if (seq === undefined) throw new NotFoundError(opId);
      const claim = new ClaimReader(this.#connection).one(seq);
      if (claim === undefined) throw new LogError("not-a-claim", `operation ${opId} is no claim`);
      return use({ claim, seq });
    });
  }

  #rule(
    key: string,
    signer: Signer,
    type: string,
    body: OperationDraft["body"],
    ts: number | undefined,
  ): Cascade {
    return this.#recorder.transaction(() => {
      this.#prepare();
      const op = this.#recordAbout(key, signer, type, body, ts);
      const record = new FallRecord();
      this.#projections.prepare({ ...claims, start: (connection) => new ClaimsRun(connection, record) });
      const effective = isEffective(this.#connection, seqOf(this.#connection, op.opId)!);
      const invalidations = this.#recordFalls(signer, op, record.fallen(), ts);
      return { op, invalidations, effective };
    });
  }

  /** Records what is to come after all that is said of a key. */
  #recordAbout(
    key: string,
    signer: Signer,
    type: string,
    body: OperationDraft["body"],
    ts: number | undefined,
  ): Operation {
    const heads = this.#recorder.heads(MAX_PREV + 1);
    if (heads.length <= MAX_PREV || !isBody(type, body as CanonicalObject) || !key.isWellFormed()) {
      return this.#recorder.record(signer, type, body, { ts }); // which refuses a body that is none
    }
    // To follow one of the deepest heads is to come after everything. What it is about is named besides, for those who
    // look at what it follows.
    this.#prepare();
    const about = selectLastAbout(this.#connection, key, MAX_ABOUT);
    const deepest = this.#recorder.heads(MAX_PREV - about.length);
    return this.#recorder.record(signer, type, body, { ts, prev: [...new Set([...about, ...deepest])].sort() });
  }

  /** Records that claims fell with an operation: one `claim.invalidate` behind the other. */
  #recordFalls(signer: Signer, { opId: cause }: Operation, fallen: readonly number[], ts?: number): Operation[] {
    const paths = new FallPaths(this.#connection, fallen);
    const invalidations: Operation[] = [];
    let last = cause;
    for (let at = 0; at < fallen.length; at += RECORDED_TOGETHER) {
      const ops = fallen.slice(at, at + RECORDED_TOGETHER).map((seq) => {
        const body = { claim: paths.opId(seq), cause, path: paths.to(seq) };
        const draft = { type: "claim.invalidate", body, prev: [last], ts };
        const op = this.#connection.callOut("a signer", () => Operation.create(draft, signer));
        last = op.opId;
        return op;
      });
      this.#recorder.appendNew(ops);
      for (const op of ops) invalidations.push(op);
    }
    return invalidations;
  }
}

function withoutUndefined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
