/**
 * A session: two nodes end with the union of their operations.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import { checkedSigner, type Signer } from "../keys/signer.ts";
import { lastSeq, requireCallback, requireObject } from "../log/entries.ts";
import { internalsOf, type OpLog } from "../oplog.ts";
import { admit, agree } from "./admission.ts";
import type { Channel } from "./channel.ts";
import { handshake } from "./handshake.ts";
import { completeLimits, type SessionLimits } from "./limits.ts";
import { Link } from "./link.ts";
import { planAsInitiator, planAsResponder } from "./reconcile.ts";
import type { Direction, SyncReport, SyncStatus } from "./report.ts";
import { StatusReporter } from "./status.ts";
import { Transfer } from "./transfer.ts";

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
 *
 * @example
 * ```ts
 * import { Identity, OpLog } from "@mnema/oplog";
 * import { channelPair, runSession } from "@mnema/oplog/sync";
 * import { assertEquals } from "@std/assert";
 *
 * const [alice, bob] = [Identity.generate(), Identity.generate()];
 * using here = OpLog.open();
 * using there = OpLog.open();
 * here.record(alice, "note", { text: "tea at four" });
 * const [near, far] = channelPair(); // or any other transport
 * const allow = (author: string) => author === alice.author;
 * const [report] = await Promise.all([
 *   runSession(here, near, { signer: alice, role: "initiator" }),
 *   runSession(there, far, { signer: bob, role: "responder", allow }),
 * ]);
 * assertEquals([report.peer, report.sent.new], [bob.author, 1]);
 * assertEquals(there.heads(), here.heads());
 * ```
 */
export async function runSession(log: OpLog, channel: Channel, options: SessionOptions): Promise<SyncReport> {
  let limits: SessionLimits;
  try {
    limits = requireSession(options);
    options.signal?.throwIfAborted();
  } catch (error) {
    await channel.close();
    throw error;
  }
  const { signal, onStatus } = options;
  const link = new Link(channel, limits);
  const status = new StatusReporter(link, onStatus);
  const abort = () => {
    if (status.transfer === undefined) link.fail(signal?.reason);
    else status.transfer.stop(signal?.reason);
  };
  signal?.addEventListener("abort", abort);
  try {
    await run(log, link, status, limits, options);
    status.enter("done");
  } catch (error) {
    await link.close(error);
    status.enter("failed");
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
  await link.close();
  return status.report();
}

/** The phases, one after the other. */
async function run(
  log: OpLog,
  link: Link,
  status: StatusReporter,
  limits: SessionLimits,
  { signer, role, direction = "both", follow = false, dryRun = false, allow, acceptAuthor }: SessionOptions,
): Promise<void> {
  status.enter("handshake");
  status.peer = await handshake(link, checkedSigner(signer), role);
  admit(status.peer, allow);
  // What is appended after this is not reconciled, but followed.
  const last = lastSeq(internalsOf(log).connection);
  const offer = { role, direction, follow: follow && !dryRun, dryRun, operations: last, limits };
  const agreement = await agree(link, offer);
  status.enter("reconcile");
  const plan = role === "initiator" ? planAsInitiator : planAsResponder;
  status.plan = await plan({ link, log, operations: last, agreement, limits });
  const onChange = () => status.changed();
  status.transfer = new Transfer({
    link,
    log,
    lastSeq: last,
    agreement,
    plan: status.plan,
    limits,
    acceptAuthor,
    onChange,
  });
  status.enter("transfer");
  await status.transfer.run();
}

/** Checks the options, and completes the limits. */
function requireSession(options: SessionOptions): SessionLimits {
  requireObject("options", options);
  const { role, direction = "both", allow, acceptAuthor, onStatus, limits } = options;
  if (role !== "initiator" && role !== "responder") {
    throw new LogError("invalid-argument", `role is "initiator" or "responder", not ${JSON.stringify(role)}`);
  }
  if (direction !== "both" && direction !== "pull" && direction !== "push") {
    throw new LogError("invalid-argument", `direction is "pull", "push" or "both", not ${JSON.stringify(direction)}`);
  }
  requireCallback("allow", allow);
  requireCallback("acceptAuthor", acceptAuthor);
  requireCallback("onStatus", onStatus);
  return completeLimits(limits);
}
