/**
 * A session: two nodes end with the union of their operations.
 *
 * @module
 */

import { SyncError } from "../errors.ts";
import type { Signer } from "../keys/signer.ts";
import type { OpLog } from "../oplog.ts";
import type { Channel } from "./channel.ts";
import type { SessionLimits } from "./limits.ts";
import type { Direction, SyncReport, SyncStatus } from "./report.ts";

/** Options of a session. */
export interface SessionOptions {
  /** The key of this node, which it proves to hold. */
  signer: Signer;
  /** Which side this node is: the initiator connected, and drives the reconciliation. */
  role: "initiator" | "responder";
  /** Which operations are transferred, seen from this node: both ways by default. Either side may restrict it. */
  direction?: Direction;
  /** As initiator, stay connected and pass on what either side appends from now on, until `signal` aborts. */
  follow?: boolean;
  /** As initiator, report which side lacks how many operations, and transfer none. */
  dryRun?: boolean;
  /** Which peers are admitted, by author id: all by default. */
  allow?: (author: string) => boolean;
  /** Whose operations are accepted, by author id: everyone's by default. Others are refused with `not-allowed`. */
  acceptAuthor?: (author: string) => boolean;
  /** What the peer may cost this node. */
  limits?: Partial<SessionLimits>;
  /** Called whenever the status has changed. */
  onStatus?: (status: SyncStatus) => void;
  /** Ends the session: following ends in good order and the report is returned; before, the session rejects. */
  signal?: AbortSignal;
}

/**
 * Synchronizes a log with a peer over a channel, which is closed at the end.
 *
 * @param log The log.
 * @param channel Carries messages to the peer and back.
 * @param options The key, the role, and what is transferred.
 * @returns The totals both ways.
 * @throws {SyncError} When either side refuses the session, or the connection is lost. What has arrived stays.
 * @throws {LogError} `invalid-argument` for options that are not; and whatever the log throws.
 */
export async function runSession(_log: OpLog, channel: Channel, _options: SessionOptions): Promise<SyncReport> {
  await channel.close();
  throw new SyncError("busy", "sessions are not built yet", { refusedBy: "this node" });
}
