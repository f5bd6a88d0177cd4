/**
 * Synchronization of two logs in one process.
 *
 * @module
 */

import { Identity } from "../keys/identity.ts";
import type { OpLog } from "../oplog.ts";
import { channelPair } from "./pair.ts";
import type { SyncReport } from "./report.ts";
import { runSession, type SessionOptions } from "./session.ts";

/** Options of {@linkcode sync}; the direction, and what is pulled and pushed, are seen from the first log. */
export type SyncOptions = Omit<SessionOptions, "signer" | "role" | "allow">;

/**
 * Synchronizes two logs on this machine, in this process: each ends with the operations of both.
 *
 * @param a A log.
 * @param b Another.
 * @param options Direction, follow, dry run, limits, status, abort.
 * @returns The totals, seen from `a`.
 * @throws {SyncError} When a limit is exceeded. What has arrived stays.
 * @throws {LogError} What either log throws.
 */
export async function sync(a: OpLog, b: OpLog, options: SyncOptions = {}): Promise<SyncReport> {
  const signer = Identity.generate();
  const [here, there] = channelPair();
  const { limits, acceptAuthor } = options;
  const both = await Promise.allSettled([
    runSession(a, here, { ...options, signer, role: "initiator" }),
    runSession(b, there, { signer, role: "responder", limits, acceptAuthor }),
  ]);
  const [report, other] = both;
  if (report.status === "rejected") throw report.reason;
  if (other.status === "rejected") throw other.reason;
  return report.value;
}
