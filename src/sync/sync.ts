/**
 * Synchronization of two logs in one process.
 *
 * @module
 */

import { SyncError } from "../errors.ts";
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
 * @throws {LogError} `invalid-argument`, and what either log throws.
 *
 * @example
 * ```ts
 * import { Identity, OpLog } from "@mnema/oplog";
 * import { sync } from "@mnema/oplog/sync";
 * import { assertEquals } from "@std/assert";
 *
 * using laptop = OpLog.open();
 * using phone = OpLog.open();
 * laptop.record(Identity.generate(), "note", { text: "tea at four" });
 * phone.record(Identity.generate(), "note", { text: "moved to five" });
 * const { sent, received } = await sync(laptop, phone);
 * assertEquals([sent.new, received.new], [1, 1]);
 * assertEquals(laptop.heads(), phone.heads());
 * ```
 */
export async function sync(a: OpLog, b: OpLog, options: SyncOptions = {}): Promise<SyncReport> {
  const signer = Identity.generate();
  const [here, there] = channelPair();
  const { limits, acceptAuthor } = options;
  const [report, other] = await Promise.allSettled([
    runSession(a, here, { ...options, signer, role: "initiator" }),
    runSession(b, there, { signer, role: "responder", limits, acceptAuthor }),
  ]);
  if (report.status === "fulfilled" && other.status === "fulfilled") return report.value;
  const errors = [report, other].flatMap((end) => end.status === "rejected" ? [end.reason] : []);
  // One side only hears of what the other has thrown.
  throw errors.find((error) => !(error instanceof SyncError)) ?? errors.find(isOwn) ?? errors[0];
}

function isOwn(error: unknown): boolean {
  return error instanceof SyncError && error.refusedBy === "this node";
}
