/**
 * Detects that a stream is no longer the one that was read: deleted and created again, or without messages that it had.
 *
 * @module
 */

import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import type { Position } from "./positions.ts";
import type { LossReason } from "./status.ts";

/**
 * Why what was read of a stream is no longer in it; undefined when it is. The last message that was read is compared
 * too: a stream that lost its newest messages may have taken as many others since.
 *
 * @param manager Asks the server.
 * @param info The state of the stream.
 * @param position The position that was stored.
 */
export async function findLoss(
  manager: JetStreamManager,
  { config, created, state }: StreamInfo,
  position: Position,
): Promise<LossReason | undefined> {
  if (created !== position.created) return "recreated";
  if (position.seq === 0) return undefined;
  if (state.last_seq < position.seq) return "shorter";
  if (position.seq < state.first_seq) return undefined; // discarded by a limit, which is a warning of its own
  const message = await manager.streams.getMessage(config.name, { seq: position.seq });
  if (message === null) return "not-found";
  return String(message.time.getTime()) === position.stamp ? undefined : "replaced";
}
