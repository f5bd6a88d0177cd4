/**
 * Claims, their status, and their explanation: the public types.
 *
 * @module
 */

import type { Operation } from "../wire/operation.ts";
import type { CanonicalObject, CanonicalValue } from "../wire/value.ts";

/**
 * The status of a claim. Where several apply, it is the last of them in this list:
 *
 * - `active`: none of the others.
 * - `superseded`: a later claim gives its key another value.
 * - `pending`: an input, at any distance, is not in the log yet.
 * - `invalidated`: an input, at any distance, was refuted or corrected.
 * - `corrected`: the user has given its key another value.
 * - `refuted`: the user has refuted its key, or its value.
 */
export type ClaimStatus = "active" | "superseded" | "pending" | "invalidated" | "corrected" | "refuted";

/** The meaning of each status, as a phrase for people. */
export const STATUSES: Readonly<Record<ClaimStatus, string>> = {
  active: "nothing speaks against it",
  superseded: "a later claim gives the key another value",
  pending: "something it was derived from is not in the log yet",
  invalidated: "something it was derived from was refuted or corrected",
  corrected: "the user has given the key another value",
  refuted: "the user says that it is not so",
};

/** A `claim.assert`, or a `claim.correct`, which is a claim by its author with full confidence. */
export interface Claim {
  /** The id of the operation. */
  readonly opId: string;
  /** Its type: an assert, derived or by hand, or the user's correction. */
  readonly kind: "assert" | "correct";
  /** Its subject. */
  readonly key: string;
  /** The claimed value. */
  readonly value: CanonicalValue;
  /** Its confidence, in parts per million. */
  readonly confidencePpm: number;
  /** The author's id. */
  readonly author: string;
  /** The time by the author's clock, in Unix milliseconds. */
  readonly ts: number;
  /** Its depth in the graph of operations. */
  readonly depth: number;
  /** The program that derived it; undefined for a correction. */
  readonly deriver?: { readonly id: string; readonly version: string };
  /** The ids of the evidence and claims it was derived from. */
  readonly inputs: readonly string[];
  /** Its status. */
  readonly status: ClaimStatus;
  /**
   * The id of the operation that caused the status. `refuted`, `corrected`, `invalidated`: the refute or correction, which
   * for an invalidated claim is of an input at some distance. `superseded`: the later claim.
   */
  readonly cause?: string;
  /** `invalidated`: the id of the direct input that is refuted, corrected or invalidated. */
  readonly via?: string;
}

/** A piece of evidence. */
export interface Evidence {
  /** The id of the operation. */
  readonly opId: string;
  /** The author's id. */
  readonly author: string;
  /** The time by the author's clock, in Unix milliseconds. */
  readonly ts: number;
  /** Where it was observed. */
  readonly source: string;
  /** The kind of observation. */
  readonly kind: string;
  /** The observed data. */
  readonly content: CanonicalObject;
  /** Its reference in the source. */
  readonly ref?: string;
}

/** One operation of an explanation. */
export type ExplanationNode =
  | { readonly is: "claim"; readonly opId: string; readonly claim: Claim }
  | { readonly is: "evidence"; readonly opId: string; readonly evidence: Evidence }
  /** An operation that is neither evidence nor a claim. */
  | { readonly is: "other"; readonly opId: string; readonly type: string; readonly author: string; readonly ts: number }
  /** An input that is not in the log. */
  | { readonly is: "missing"; readonly opId: string };

/** Why a claim is refuted, corrected or invalidated: the refute or correction, and its path to the claim. */
export interface Fall {
  /** The id of the refute or correction. */
  readonly opId: string;
  /** Its type. */
  readonly type: "claim.refute" | "claim.correct";
  /** The author's id. */
  readonly author: string;
  /** The time by the author's clock, in Unix milliseconds. */
  readonly ts: number;
  /** Its key. */
  readonly key: string;
  /** The refuted value, or the correct one; undefined for a refute of a whole key. */
  readonly value?: CanonicalValue;
  /** Why. */
  readonly reason?: string;
  /**
   * Ids from the refute or correction, over the claim it names and the claims derived from that, to the explained claim.
   * Of a path that is longer than the limit of the explanation, the first and the last half.
   */
  readonly path: readonly string[];
  /** How many ids in the middle of the path are left out; undefined for none. */
  readonly pathLeftOut?: number;
}

/** The explanation of a claim and its status. */
export interface Explanation {
  /** The claim. */
  readonly claim: Claim;
  /** The claim and its inputs at any distance, each once, depth first; with a limit, the nearest, nearest first. */
  readonly nodes: readonly ExplanationNode[];
  /** With a limit: how many inputs of claims in `nodes` are not among them, whatever is below those. Undefined for none. */
  readonly leftOut?: number;
  /** Why it is refuted, corrected or invalidated; undefined for any other status. */
  readonly fall?: Fall;
  /** The later claim, when it is superseded. */
  readonly supersededBy?: Claim;
}

/** The result of a refute or a correction. */
export interface Cascade {
  /** The refute or correction. */
  op: Operation;
  /** A `claim.invalidate` for each claim that it has refuted, corrected or invalidated. */
  invalidations: Operation[];
  /**
   * Whether it took effect. It follows the deepest heads of the log, and so is after every other refute and correction of
   * its key in replay order. If damaged derived tables place another one later, that one lifts it.
   */
  effective: boolean;
}

/** The claims that a refute or a correction would fell. */
export interface CascadePreview {
  /** How many. */
  readonly count: number;
  /** The first of them: those it is against, then those derived from them, nearest first. */
  readonly claims: readonly Claim[];
}

/** A refute or a correction that is not made yet: see `Claims.preview`. */
export type Ruling =
  /** Of a value, or, without one, of the whole key. */
  | { readonly type: "refute"; readonly key: string; readonly value?: CanonicalValue }
  | { readonly type: "correct"; readonly key: string; readonly value: CanonicalValue };

/** What `Claims.stats` counts. */
export interface ClaimStats {
  /** How many claims, corrections included. */
  readonly claims: number;
  /** How many keys have claims. */
  readonly keys: number;
  /** How many claims of each status. */
  readonly statuses: Readonly<Record<ClaimStatus, number>>;
}

/**
 * An order of claims:
 *
 * - `key`: by key, in the order of code points, then in replay order.
 * - `confidence`: greatest first; of equal confidence, those that were appended last.
 * - `newest`: those that were appended to this log last.
 */
export type ClaimOrder = "key" | "confidence" | "newest";

/** A filter of claims: those that match all given fields. */
export interface ClaimFilter {
  /** The key. */
  key?: string;
  /** A prefix of the key. */
  prefix?: string;
  /**
   * A part of the key. The case of ASCII letters is ignored; a part with other letters is also found in lower case, in
   * upper case and capitalized. At most 1,024 UTF-16 code units.
   */
  keyContains?: string;
  /** A part of the value: of its canonical text, or of a text in it. Compared as `keyContains` is. */
  valueContains?: string;
  /** The status. */
  status?: ClaimStatus;
  /** The author's id. */
  author?: string;
  /** The id of the deriver, of any version. */
  deriver?: string;
  /** The id of a direct input. */
  input?: string;
  /** The order; default `key`. */
  order?: ClaimOrder;
  /** The opposite order. */
  reverse?: boolean;
  /**
   * The id of a claim: only claims after it in the order. The last claim of a page is where the next page begins, whatever
   * has been appended meanwhile and whatever its status is now.
   */
  after?: string;
  /** Maximum number of claims; no limit by default. */
  limit?: number;
}
