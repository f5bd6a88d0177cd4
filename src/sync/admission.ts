/**
 * Admission: after the handshake, whether the peer may synchronize, and what is transferred.
 *
 * @module
 */

import { SyncError } from "../errors.ts";
import type { Role } from "./handshake.ts";
import type { SessionLimits } from "./limits.ts";
import type { Link } from "./link.ts";
import { badMessage } from "./fields.ts";
import type { Terms } from "./messages.ts";
import type { Direction } from "./report.ts";

/** What this node brings into a session. */
export interface Offer {
  /** The role of this node. */
  role: Role;
  /** What this node transfers, seen from it. */
  direction: Direction;
  /** Whether this node, as initiator, wants to follow. */
  follow: boolean;
  /** Whether this node, as initiator, only wants the reconciliation. */
  dryRun: boolean;
  /** How many operations the log of this node holds. */
  operations: number;
  /** The limits of this node. */
  limits: SessionLimits;
}

/** What both sides have agreed to. */
export interface Agreement {
  /** Whether this node receives operations. */
  receives: boolean;
  /** Whether this node sends operations. */
  sends: boolean;
  /** Whether both stay connected. */
  follow: boolean;
  /** Whether only the reconciliation is done. */
  dryRun: boolean;
  /** What the peer accepts, and how many operations it has. */
  peer: Terms;
}

/**
 * Refuses a peer that is not allowed.
 *
 * @param author The author id that the peer has proved.
 * @param allow Which peers are admitted; all by default.
 * @throws {SyncError} `not-allowed`.
 */
export function admit(author: string, allow?: (author: string) => boolean): void {
  if (allow === undefined || allow(author)) return;
  throw notAllowed(`this node does not admit ${author}; add its key to those that are allowed`);
}

/**
 * Agrees on what is transferred: the initiator asks, and the responder may leave one direction out.
 *
 * @param link The link, after the handshake.
 * @param offer What this node brings.
 * @throws {SyncError} `not-allowed` when no direction is left, or when the peer transfers what this node does not want.
 */
export async function agree(link: Link, offer: Offer): Promise<Agreement> {
  return offer.role === "initiator" ? await request(link, offer) : await accept(link, offer);
}

async function request(link: Link, offer: Offer): Promise<Agreement> {
  const { direction, follow, dryRun } = offer;
  const asked = { ...limitsOf(offer), pull: direction !== "push", push: direction !== "pull", follow, dryRun };
  await link.send({ kind: "request", terms: asked });
  const { terms } = await link.expect("accept");
  const { pull, push } = terms;
  if (pull && !asked.pull || push && !asked.push || terms.follow !== follow || terms.dryRun !== dryRun) {
    throw badMessage("it accepted what was not asked for");
  }
  return { receives: pull, sends: push, follow, dryRun, peer: usable(terms) };
}

async function accept(link: Link, offer: Offer): Promise<Agreement> {
  const { terms: asked } = await link.expect("request");
  const { follow, dryRun } = asked;
  const pull = asked.pull && offer.direction !== "pull";
  const push = asked.push && offer.direction !== "push";
  if (!pull && !push) throw notAllowed("the peer asks for a direction of transfer that this node does not allow");
  await link.send({ kind: "accept", terms: { ...limitsOf(offer), pull, push, follow, dryRun } });
  return { receives: push, sends: pull, follow, dryRun, peer: usable(asked) };
}

function limitsOf({ operations, limits }: Offer): Omit<Terms, "pull" | "push" | "follow" | "dryRun"> {
  const { maxMessageBytes, bytesInFlight, operationsInFlight, differences, idleMs } = limits;
  return { operations, maxMessageBytes, bytesInFlight, operationsInFlight, differences, idleMs };
}

/** Terms with which something can be sent: with a limit of 0 a session would make no progress. */
function usable(terms: Terms): Terms {
  const { maxMessageBytes, bytesInFlight, operationsInFlight, idleMs } = terms;
  if (Math.min(maxMessageBytes, bytesInFlight, operationsInFlight, idleMs) < 1) throw badMessage("a limit of it is 0");
  return terms;
}

function notAllowed(message: string): SyncError {
  return new SyncError("not-allowed", message, { refusedBy: "this node" });
}
