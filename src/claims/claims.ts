/**
 * Claims: status, explanation, assertion, refutation, correction.
 *
 * @module
 */

import { LogError, NotFoundError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { lastSeq, requireInteger, requireObject, requireText, seqOf } from "../log/entries.ts";
import { decodeBody, MAX_SUMMARY, PARTS_PER_MILLION } from "../wire/bodies.ts";
import { isOpId } from "../wire/ids.ts";
import type { Signer } from "../keys/signer.ts";
import { MAX_PREV } from "../wire/envelope.ts";
import { Operation, type OperationDraft } from "../wire/operation.ts";
import type { CanonicalObject, CanonicalValue } from "../wire/value.ts";
import type { Projections } from "../derived/engine.ts";
import type { Cascade, CascadePreview, Claim, ClaimFilter, ClaimStats, Explanation, Ruling } from "./claim.ts";
import { FallPaths, FallRecord } from "./cascade.ts";
import { explain } from "./explain.ts";
import { checkFilter, countClaims, selectClaims } from "./query.ts";
import { ClaimReader, selectCurrent, selectLastAbout, selectLatest } from "./read.ts";
import { selectFalling } from "./preview.ts";
import { isEffective } from "./rules.ts";
import { ClaimsRun } from "./catch_up.ts";
import { claims } from "./tables.ts";

/** Input of {@linkcode Claims.assert}. */
export interface ClaimDraft {
  /** The subject: 1 to 512 characters. */
  key: string;
  /** The value: anything that has a canonical encoding. */
  value: CanonicalValue;
  /** The confidence, in parts per million; default 1,000,000. */
  confidencePpm?: number;
  /** The program that derived it; by default it is asserted by hand. */
  deriver?: { id: string; version: string };
  /** The ids of the evidence and claims it was derived from. They may be appended later. Default: none. */
  inputs?: readonly string[];
  /** Unix milliseconds; default now. */
  ts?: number;
}

/** Options of refutes and corrections. */
export interface RulingOptions {
  /** Why: 1 to 512 characters. */
  reason?: string;
  /** Unix milliseconds; default now. */
  ts?: number;
}

/** The functions of the log by which claims append. */
export interface Recorder {
  /** Creates, signs and appends an operation. */
  record(
    signer: Signer,
    type: string,
    body: OperationDraft["body"],
    options?: Pick<OperationDraft, "prev" | "ts">,
  ): Operation;
  /** Appends operations that were just created, each of which follows the one before. Inside a transaction. */
  appendNew(ops: readonly Operation[]): void;
  /** The ids of the heads: at most `limit`, the deepest. */
  heads(limit: number): string[];
  /** Runs a function as one transaction. */
  transaction<T>(work: () => T): T;
}

const BY_HAND = { id: "hand", version: "1" };
/** Maximum number of operations in an `explanation.record`. */
const MAX_CHAIN = 4096;
/** Maximum number of claims of its key that an operation names when there are more heads than it can follow. */
const MAX_ABOUT = MAX_PREV / 2;
/** The counts of an empty log. */
const NO_CLAIMS: ClaimStats = {
  claims: 0,
  keys: 0,
  statuses: { active: 0, superseded: 0, pending: 0, invalidated: 0, corrected: 0, refuted: 0 },
};
/** Default limit of the claims of a preview. */
const MAX_PREVIEWED = 100;
/** Operations per statement: each statement inside a transaction costs time in proportion to the changes before it. */
const CHUNK = 1024;

/**
 * The claims of a log. Their status is stored in derived tables, which are caught up before they are read. If they are
 * damaged, methods that read them throw a `FileError` with the code `derived-damaged`; `OpLog.rebuild` rebuilds them.
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
   * The claims that match a filter, in its order: by key, then in replay order, unless it names another. Which they are is
   * decided at the call; the status of each is that at the time when it is read from the iterator.
   *
   * @param filter The filter; by default all claims match.
   * @throws {LogError} `invalid-argument`; with `after`, the errors of {@linkcode Claims.get}.
   *
   * @example A page, and the next one
   * ```ts
   * import { Identity, OpLog } from "@mnema/oplog";
   * import { assertEquals } from "@std/assert";
   *
   * using log = OpLog.open();
   * const alice = Identity.generate();
   * for (const key of ["drink.cold", "drink.hot", "food"]) log.claims.assert(alice, { key, value: "Tea" });
   *
   * const filter = { valueContains: "tea", order: "newest", limit: 2 } as const;
   * const page = [...log.claims.query(filter)];
   * assertEquals(page.map(({ key }) => key), ["food", "drink.hot"]);
   * const next = [...log.claims.query({ ...filter, after: page[1].opId })];
   * assertEquals(next.map(({ key }) => key), ["drink.cold"]);
   * ```
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
   * @param opId The whole id.
   * @throws {NotFoundError} When it is not in the log.
   * @throws {LogError} `not-a-claim` when it is another operation.
   */
  get(opId: string): Claim {
    return this.#find(opId, ({ claim }) => claim);
  }

  /**
   * The current claim of a key: its last active claim in replay order; undefined when none is active.
   *
   * @param key The key.
   * @throws {LogError} `invalid-argument` when the key is not a string.
   */
  current(key: string): Claim | undefined {
    return this.#ofKey(key, selectCurrent);
  }

  /**
   * The latest claim of a key: its last claim in replay order, of any status; undefined when it has none.
   *
   * @param key The key.
   * @throws {LogError} `invalid-argument` when the key is not a string.
   */
  latest(key: string): Claim | undefined {
    return this.#ofKey(key, selectLatest);
  }

  /**
   * Counts claims by their status. Costs a look at the tables of every claim, not at the operations.
   */
  stats(): ClaimStats {
    return this.#snapshot(() => countClaims(this.#connection)) ?? NO_CLAIMS;
  }

  /**
   * Explains a claim: its inputs, down to the evidence, and the cause of its status.
   *
   * @param idOrKey The whole id of a claim; or a key, whose current claim is explained, or else the latest.
   * @param options `limit`: at most so many nodes, those nearest to the claim, and of its fall's path at most so many ids;
   * what is left out is counted. No limit by default.
   * @throws {LogError} `not-found` when the key has no claims, `invalid-argument`; for an id the errors of
   * {@linkcode Claims.get}.
   */
  explain(idOrKey: string, options: { limit?: number } = {}): Explanation {
    requireText("the id or key to explain", idOrKey);
    requireObject("options", options);
    const { limit } = options;
    if (limit !== undefined) requireInteger("limit", limit, 1);
    if (isOpId(idOrKey)) return this.#find(idOrKey, ({ claim, seq }) => explain(this.#connection, claim, seq, limit));
    const explanation = this.#snapshot(() => {
      const seq = selectCurrent(this.#connection, idOrKey) ?? selectLatest(this.#connection, idOrKey);
      if (seq === undefined) return undefined;
      return explain(this.#connection, new ClaimReader(this.#connection).named(seq), seq, limit);
    });
    if (explanation !== undefined) return explanation;
    throw new LogError("not-found", `nothing is claimed of the key ${JSON.stringify(idOrKey)}`);
  }

  /**
   * Asserts a claim: signs and appends a `claim.assert`, which is after every claim of its key in replay order. It is not
   * active if a refute or a correction of its key applies to it, or an input is missing, refuted, corrected or invalidated.
   *
   * @param signer The author.
   * @param draft The claim.
   * @throws {OperationError} `bad-body`, `bad-shape`, with the `path` of the field at fault.
   */
  assert(signer: Signer, draft: ClaimDraft): Operation {
    requireObject("a claim", draft);
    const { key, value, confidencePpm = PARTS_PER_MILLION, deriver = BY_HAND, inputs = [], ts } = draft;
    const body = { key, value, confidence_ppm: confidencePpm, deriver, inputs };
    return this.#recorder.transaction(() => this.#recordAbout(key, signer, "claim.assert", body, ts));
  }

  /**
   * Refutes a value of a key, or all of its values, and records the claims that fall with it, in one transaction.
   *
   * @param signer The author.
   * @param key The key.
   * @param options The refuted value, by default all values of the key; the reason; the time.
   * @throws {OperationError} `bad-body`, `bad-shape`, with the `path` of the field at fault.
   */
  refute(signer: Signer, key: string, options: RulingOptions & { value?: CanonicalValue } = {}): Cascade {
    requireObject("options", options);
    const { value, reason, ts } = options;
    const scope = value === undefined ? "key" : "value";
    return this.#rule(key, signer, "claim.refute", withoutUndefined({ key, scope, value, reason }), ts);
  }

  /**
   * Gives a key the user's own value, and records the claims that fall with it, in one transaction.
   *
   * @param signer The author.
   * @param key The key.
   * @param value The correct value.
   * @param options The reason; the time.
   * @throws {OperationError} `bad-body`, `bad-shape`, with the `path` of the field at fault.
   */
  correct(signer: Signer, key: string, value: CanonicalValue, options: RulingOptions = {}): Cascade {
    requireObject("options", options);
    const { reason, ts } = options;
    return this.#rule(key, signer, "claim.correct", withoutUndefined({ key, value, reason }), ts);
  }

  /**
   * The claims that a refute or a correction would fell, if it were made now. Writes nothing.
   *
   * @param ruling The refute or the correction.
   * @param options `limit`: the most claims to return; 100 by default. All are counted.
   * @throws {LogError} `invalid-argument`.
   * @throws {CanonicalError} For a key or a value without a canonical encoding.
   *
   * @example
   * ```ts
   * import { Identity, OpLog } from "@mnema/oplog";
   * import { assertEquals } from "@std/assert";
   *
   * using log = OpLog.open();
   * const alice = Identity.generate();
   * const tea = log.claims.assert(alice, { key: "drink", value: "tea" });
   * log.claims.assert(alice, { key: "cup", value: "small", inputs: [tea.opId] });
   *
   * const { count, claims } = log.claims.preview({ type: "refute", key: "drink", value: "tea" });
   * assertEquals([count, claims.map(({ key }) => key)], [2, ["drink", "cup"]]);
   * ```
   */
  preview(ruling: Ruling, options: { limit?: number } = {}): CascadePreview {
    requireObject("a ruling", ruling);
    requireObject("options", options);
    const { type, key } = ruling;
    const { limit = MAX_PREVIEWED } = options;
    requireInteger("limit", limit, 0);
    requireText("a key", key);
    if (type !== "refute" && !(type === "correct" && ruling.value !== undefined)) {
      throw new LogError("invalid-argument", 'a ruling is a "refute", or a "correct" with a value');
    }
    return this.#snapshot(() => {
      const falling = selectFalling(this.#connection, ruling);
      const shown = Float64Array.from(falling.slice(0, limit));
      return { count: falling.length, claims: [...new ClaimReader(this.#connection).read(shown)] };
    }) ?? { count: 0, claims: [] };
  }

  /**
   * Records an explanation: signs and appends an `explanation.record` with its text and the ids of its operations, at most
   * the first 4,096.
   *
   * @param signer The author.
   * @param explanation A result of {@linkcode Claims.explain}.
   * @param summary Its text, such as the lines of `formatTree`. Cut after 8,192 characters.
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

  /** Reads within one snapshot of the file, whatever other processes write meanwhile; undefined in an empty log. */
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

  /** Finds a claim by its id, and uses it within one snapshot. */
  #find<T>(opId: string, use: (found: { claim: Claim; seq: number }) => T): T {
    requireText("an id", opId);
    const isEmpty = this.#prepare() === 0;
    return this.#connection.snapshot(() => {
      const seq = seqOf(this.#connection, opId);
      if (seq === undefined) throw new NotFoundError(opId);
      const claim = isEmpty ? undefined : new ClaimReader(this.#connection).one(seq);
      if (claim === undefined) throw new LogError("not-a-claim", `operation ${opId} is not a claim`);
      return use({ claim, seq });
    });
  }

  #rule(
    key: string,
    signer: Signer,
    type: string,
    body: CanonicalObject,
    ts: number | undefined,
  ): Cascade {
    return this.#recorder.transaction(() => {
      this.#prepare();
      const op = this.#recordAbout(key, signer, type, body, ts);
      const record = new FallRecord();
      this.#projections.prepare({ ...claims, start: (connection) => new ClaimsRun(connection, record) });
      const effective = isEffective(this.#connection, lastSeq(this.#connection)); // a damaged index may not find its id
      const invalidations = this.#recordFalls(signer, op, record.fallen(), ts);
      return { op, invalidations, effective };
    });
  }

  /** Records an operation that is after all claims, refutes and corrections of its key in replay order. */
  #recordAbout(
    key: string,
    signer: Signer,
    type: string,
    body: CanonicalObject,
    ts: number | undefined,
  ): Operation {
    const heads = this.#recorder.heads(MAX_PREV + 1);
    if (heads.length <= MAX_PREV || decodeBody(type, body) === undefined || !key.isWellFormed()) {
      return this.#recorder.record(signer, type, body, { ts }); // which refuses an invalid body
    }
    // Following one of the deepest heads is enough to be after everything. Claims of the key are named too, for readers who
    // look at `prev`.
    this.#prepare();
    const about = selectLastAbout(this.#connection, key, MAX_ABOUT);
    const deepest = this.#recorder.heads(MAX_PREV - about.length);
    return this.#recorder.record(signer, type, body, { ts, prev: [...new Set([...about, ...deepest])].sort() });
  }

  /** Records the claims that fell with an operation: a chain of `claim.invalidate`. */
  #recordFalls(signer: Signer, { opId: cause }: Operation, fallen: readonly number[], ts?: number): Operation[] {
    const paths = new FallPaths(this.#connection, fallen);
    const invalidations: Operation[] = [];
    let last = cause;
    for (let at = 0; at < fallen.length; at += CHUNK) {
      const ops = fallen.slice(at, at + CHUNK).map((seq) => {
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

function withoutUndefined(fields: Record<string, CanonicalValue | undefined>): CanonicalObject {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) => value === undefined ? [] : [[key, value]]),
  );
}
