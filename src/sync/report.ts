/**
 * What synchronization reports: totals at the end, the status meanwhile.
 *
 * @module
 */

import type { LogErrorCode } from "../errors.ts";

/** Which operations a session transfers, seen from this node. */
export type Direction = "pull" | "push" | "both";

/** The outcomes of the operations that one side received. */
export interface TransferTotals {
  /** Operations that were transferred. */
  operations: number;
  /** How many the receiver did not have. */
  new: number;
  /** How many the receiver had already. */
  known: number;
  /** How many the receiver refused. */
  refused: number;
  /** How many are not appended because a parent has not arrived. */
  pending: number;
  /** How many were refused with each code. */
  refusals: Partial<Record<LogErrorCode, number>>;
}

/** The totals of a session, or of several sessions with one peer. */
export interface SyncReport {
  /** The author id of the peer's key. */
  peer: string;
  /** What this node sent, and the outcomes that the peer reported. */
  sent: TransferTotals;
  /** What this node received, and its outcomes here. */
  received: TransferTotals;
  /** Round trips of the reconciliation; 0 when all operations were streamed. */
  rounds: number;
  /** Bytes of messages sent to the peer. */
  bytesSent: number;
  /** Bytes of messages received from the peer. */
  bytesReceived: number;
  /** How many operations of the peer this node lacked after the reconciliation; undefined where it is not known. */
  missingHere?: number;
  /** How many operations of this node the peer lacked after the reconciliation; undefined where it is not known. */
  missingThere?: number;
}

/** The phases of a session, in their order; `waiting` is the time before the next attempt to connect. */
export type SyncPhase =
  | "connecting"
  | "handshake"
  | "reconcile"
  | "transfer"
  | "follow"
  | "waiting"
  | "done"
  | "failed";

/** The status of a session: the report so far, and where it is. */
export interface SyncStatus extends SyncReport {
  /** Where the session is. */
  phase: SyncPhase;
  /** Operations that this node has found to lack, or the peer has announced, and that have not arrived. */
  behind: number;
}
