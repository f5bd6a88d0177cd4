/**
 * What a claim is, where it stands, and what explains it.
 *
 * @module
 */

import type { CanonicalObject, CanonicalValue } from "../wire/value.ts";

/**
 * Where a claim stands: the first of these that applies, from the last to the first.
 *
 * - `active`: nothing speaks against it.
 * - `superseded`: a claim of another value for its key comes later.
 * - `pending`: something it was derived from, at any distance, is not in the log yet.
 * - `invalidated`: something it was derived from, at any distance, was refuted or corrected.
 * - `corrected`: the user has given its key another value.
 * - `refuted`: the user has refuted its key, or its value.
 */
export type ClaimStatus = "active" | "superseded" | "pending" | "invalidated" | "corrected" | "refuted";

/** What each status means. */
export const STATUSES: Readonly<Record<ClaimStatus, string>> = {
  active: "nothing speaks against it",
  superseded: "a later claim gives the key another value",
  pending: "something it was derived from is not in the log yet",
  invalidated: "something it was derived from was refuted or corrected",
  corrected: "the user has given the key another value",
  refuted: "the user says that it is not so",
};

/** A `claim.assert`, or a `claim.correct`, which is a claim of its author's own with full confidence. */
export interface Claim {
  /** The operation that makes the claim. */
  readonly opId: string;
  /** Whether it was derived or asserted, or is the user's correction. */
  readonly kind: "assert" | "correct";
  /** What it is about. */
  readonly key: string;
  /** What is claimed of it. */
  readonly value: CanonicalValue;
  /** How sure it is, in parts per million. */
  readonly confidencePpm: number;
  /** Who signed it. */
  readonly author: string;
  /** When, in Unix milliseconds by the author's clock. */
  readonly ts: number;
  /** Its depth among the operations. */
  readonly depth: number;
  /** What derived it; a correction has none. */
  readonly deriver?: { readonly id: string; readonly version: string };
  /** The evidence and the claims it was derived from. */
  readonly inputs: readonly string[];
  /** Where it stands. */
  readonly status: ClaimStatus;
  /**
   * What made it so. `refuted`, `corrected`, `invalidated`: the refute or correction, which for an invalidated claim
   * covers something it was derived from. `superseded`: the claim that comes later.
   */
  readonly cause?: string;
  /** `invalidated`: the input that fell. */
  readonly via?: string;
}

/** A piece of evidence. */
export interface Evidence {
  /** The operation that added it. */
  readonly opId: string;
  /** Who signed it. */
  readonly author: string;
  /** When, in Unix milliseconds by the author's clock. */
  readonly ts: number;
  /** Where it was observed. */
  readonly source: string;
  /** What sort of thing it is. */
  readonly kind: string;
  /** What it says. */
  readonly content: CanonicalObject;
  /** Where the source has it. */
  readonly ref?: string;
}

/** One operation of an explanation. */
export type ExplanationNode =
  | { readonly is: "claim"; readonly opId: string; readonly claim: Claim }
  | { readonly is: "evidence"; readonly opId: string; readonly evidence: Evidence }
  /** In the log, and neither evidence nor a claim. */
  | { readonly is: "other"; readonly opId: string; readonly type: string; readonly author: string; readonly ts: number }
  /** Not in the log. */
  | { readonly is: "missing"; readonly opId: string };

/** The refute or correction that felled a claim, and how it reached it. */
export interface Fall {
  /** The operation. */
  readonly opId: string;
  /** Its type. */
  readonly type: "claim.refute" | "claim.correct";
  /** Who signed it. */
  readonly author: string;
  /** When, in Unix milliseconds by the author's clock. */
  readonly ts: number;
  /** The key it is about. */
  readonly key: string;
  /** The refuted value, or the correct one; a refute of a whole key has none. */
  readonly value?: CanonicalValue;
  /** Why. */
  readonly reason?: string;
  /** From the operation, over the claim that it covers and what was derived from that, to the claim that fell. */
  readonly path: readonly string[];
}

/** Why a claim is believed, or is not. */
export interface Explanation {
  /** The claim. */
  readonly claim: Claim;
  /** The claim and all it was derived from, at any distance: each once, as a reader meets them, from input to input. */
  readonly nodes: readonly ExplanationNode[];
  /** What felled it; a claim that stands has none. */
  readonly fall?: Fall;
  /** The claim that superseded it. */
  readonly supersededBy?: Claim;
}

/** Which claims are wanted: those that meet all that is given. */
export interface ClaimFilter {
  /** Of this key. */
  key?: string;
  /** Of keys that start so. */
  prefix?: string;
  /** That stand so. */
  status?: ClaimStatus;
  /** By this author. */
  author?: string;
  /** Derived by this deriver, of any version. */
  deriver?: string;
  /** Derived from this operation, without anything between. */
  input?: string;
  /** At most so many. */
  limit?: number;
}
