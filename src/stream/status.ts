/**
 * The status of a stream: where it is, and what was counted since it was opened.
 *
 * @module
 */

import type { LogErrorCode } from "../errors.ts";
import type { StreamWarning } from "./settings.ts";

/**
 * - `reading`: what was in the stream when it was connected is read; nothing is published before that has ended.
 * - `following`: both directions.
 * - `waiting`: the connection is lost, and is tried again.
 * - `closed`: it has ended.
 */
export type StreamPhase = "reading" | "following" | "waiting" | "closed";

/** Why a stream was read again from its first message. */
export type LossReason = "recreated" | "shorter" | "replaced" | "not-found";

/** The status of a stream. */
export interface StreamStatus {
  /** The name of the stream. */
  readonly stream: string;
  /** The host and port of the server, while connected. */
  readonly server?: string;
  /** Where it is. */
  readonly phase: StreamPhase;
  /** The sequence number of the last message of the stream that is in the log, or was decided otherwise. */
  readonly position: number;
  /** How many messages of the stream are not read yet, as far as it is known. */
  readonly behind: number;
  /** Operations that were read and that the log did not have. */
  readonly received: number;
  /** Messages with operations that the log had already, among them those that this node has published. */
  readonly known: number;
  /** Messages that are not valid operations. */
  readonly refused: number;
  /** How many were refused with each code. */
  readonly refusals: Readonly<Partial<Record<LogErrorCode, number>>>;
  /** Operations that were read before a parent, and wait for it. */
  readonly pending: number;
  /** Operations that were published and acknowledged. */
  readonly published: number;
  /** Those of them that the stream had already. */
  readonly duplicates: number;
  /** Operations that were sent and are not acknowledged yet. */
  readonly outstanding: number;
  /** Operations of the log that were not read in the stream yet. */
  readonly unpublished: number;
  /** The first 1,000 operations that are larger than the server takes; their descendants are held back with them. */
  readonly unpublishable: readonly { readonly opId: string; readonly bytes: number }[];
  /** How many operations are held back, because they follow one that is not publishable. */
  readonly heldBack: number;
  /** How often the connection was lost. */
  readonly disconnects: number;
  /** How often the stream was found to have lost messages, and was read again from its first one. */
  readonly losses: number;
  /** Why, the last time. */
  readonly lastLoss?: LossReason;
  /** What about the settings of the stream endangers operations. */
  readonly warnings: readonly StreamWarning[];
  /** The last error: of the connection while it waits, of the stream while it refuses messages. */
  readonly error?: { readonly code: LogErrorCode; readonly message: string };
}

/** What is counted. */
export class Counters {
  received = 0;
  known = 0;
  refused = 0;
  readonly refusals: Partial<Record<LogErrorCode, number>> = {};
  published = 0;
  duplicates = 0;
  disconnects = 0;
  losses = 0;
  lastLoss?: LossReason;

  /** Counts a refused message. */
  refuse(code: LogErrorCode): void {
    this.refused++;
    this.refusals[code] = (this.refusals[code] ?? 0) + 1;
  }

  /** Counts a loss. */
  lose(reason: LossReason): void {
    this.losses++;
    this.lastLoss = reason;
  }
}
