/**
 * The limits of a session: what a peer can cost this node at most.
 *
 * @module
 */

import { requireInteger, requireObject } from "../log/entries.ts";

/** The limits of one session. Whoever exceeds one is refused; none depends on the size of a log. */
export interface SessionLimits {
  /** The largest message that is accepted, in bytes: 2 MiB by default. An operation that fits in none is not sent. */
  maxMessageBytes: number;
  /** Bytes of operations that the peer may send before this node has taken them in: 8 MiB by default. */
  bytesInFlight: number;
  /** Operations that the peer may send before this node has taken them in: 65,536 by default. */
  operationsInFlight: number;
  /** Round trips of the reconciliation: 1,000 by default. */
  rounds: number;
  /** Bytes of the reconciliation's messages, both directions together: 64 MiB by default. */
  reconcileBytes: number;
  /** Differing operations that are reconciled one by one: 250,000 by default. With more, everything is streamed.
   * The smaller limit of the two sides counts. */
  differences: number;
  /** Milliseconds without progress of the peer after which the session ends: 60,000 by default. */
  idleMs: number;
}

/** The defaults. */
export const DEFAULT_LIMITS: Readonly<SessionLimits> = {
  maxMessageBytes: 1 << 21,
  bytesInFlight: 1 << 23,
  operationsInFlight: 1 << 16,
  rounds: 1000,
  reconcileBytes: 1 << 26,
  differences: 250_000,
  idleMs: 60_000,
};

/** The least values: a message holds what the reconciliation sends, and an operation without content. */
const LEAST: Readonly<SessionLimits> = {
  maxMessageBytes: 1 << 18,
  bytesInFlight: 1,
  operationsInFlight: 1,
  rounds: 1,
  reconcileBytes: 1,
  differences: 0,
  idleMs: 1,
};

/**
 * The limits with their defaults.
 *
 * @throws {LogError} `invalid-argument` when one is not an integer, or is too small.
 */
export function completeLimits(given: Partial<SessionLimits> = {}): SessionLimits {
  requireObject("limits", given);
  const limits = { ...DEFAULT_LIMITS, ...given };
  requireInteger("maxMessageBytes", limits.maxMessageBytes, LEAST.maxMessageBytes);
  requireInteger("bytesInFlight", limits.bytesInFlight, LEAST.bytesInFlight);
  requireInteger("operationsInFlight", limits.operationsInFlight, LEAST.operationsInFlight);
  requireInteger("rounds", limits.rounds, LEAST.rounds);
  requireInteger("reconcileBytes", limits.reconcileBytes, LEAST.reconcileBytes);
  requireInteger("differences", limits.differences, LEAST.differences);
  requireInteger("idleMs", limits.idleMs, LEAST.idleMs);
  return limits;
}
