/**
 * Claims: what is held to be so, where each stands, why, and taking them back.
 *
 * @module
 */

import { LogError, NotFoundError } from "../../errors.ts";
import type { Connection } from "../../log/connection.ts";
import { requireObject, requireText, seqOf } from "../../log/entries.ts";
import { MAX_SUMMARY, PARTS_PER_MILLION } from "../../wire/bodies.ts";
import { isOpId } from "../../wire/ids.ts";
import type { Signer } from "../../wire/identity.ts";
import type { Operation, OperationDraft } from "../../wire/operation.ts";
import type { CanonicalValue } from "../../wire/value.ts";
import type { Projections } from "../projections.ts";
import type { Claim, ClaimFilter, Explanation } from "./claim.ts";
import { FallPaths, FallRecord } from "./cascade.ts";
import { explain } from "./explain.ts";
import { checkFilter, ClaimReader, selectClaims, selectCurrent, selectLatest } from "./read.ts";
import { ClaimsRun } from "./run.ts";
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
  /** Runs work as one transaction. */
  transaction<T>(work: () => T): T;
}

const BY_HAND = { id: "hand", version: "1" };
const MAX_CHAIN = 4096;

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
   * Asserts a claim: signs and appends a `claim.assert`.
   *
   * @param signer Who asserts it.
   * @param draft What.
   * @throws {OperationError} `bad-body`, `bad-shape`, with the `path` of the field at fault.
   */
  assert(signer: Signer, draft: ClaimDraft): Operation {
    requireObject("a claim", draft);
    const { key, value, confidencePpm = PARTS_PER_MILLION, deriver = BY_HAND, inputs = [], ts } = draft;
    const body = { key, value, confidence_ppm: confidencePpm, deriver, inputs };
    return this.#recorder.record(signer, "claim.assert", body, { ts });
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
    return this.#rule(signer, "claim.refute", withoutUndefined({ key, scope, value, reason }), ts);
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
    return this.#rule(signer, "claim.correct", withoutUndefined({ key, value, reason }), ts);
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

  #rule(signer: Signer, type: string, body: OperationDraft["body"], ts: number | undefined): Cascade {
    return this.#recorder.transaction(() => {
      this.#prepare();
      const op = this.#recorder.record(signer, type, body, { ts });
      const record = new FallRecord();
      this.#projections.prepare({ ...claims, start: (connection) => new ClaimsRun(connection, record) });
      const reader = new ClaimReader(this.#connection);
      const paths = new FallPaths(reader);
      let last = op.opId;
      const invalidations: Operation[] = [];
      for (const seq of record.fallen()) {
        const body = { claim: reader.opId(seq), cause: op.opId, path: paths.to(seq).map((at) => reader.opId(at)) };
        const invalidation = this.#recorder.record(signer, "claim.invalidate", body, { ts, prev: [last] });
        last = invalidation.opId;
        invalidations.push(invalidation);
      }
      return { op, invalidations };
    });
  }
}

function withoutUndefined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
