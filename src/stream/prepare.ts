/**
 * What a session finds out before it begins: the stream, its last message, and where to go on in it.
 *
 * @module
 */

import { JetStreamApiError, type StreamInfo } from "@nats-io/jetstream";
import { StreamError } from "../errors.ts";
import type { Writer } from "../log/writer.ts";
import { isNotFound, type Link } from "./connect.ts";
import { findLoss } from "./loss.ts";
import type { Settings } from "./options.ts";
import type { Position, Positions } from "./positions.ts";
import { newStreamConfig } from "./settings.ts";
import type { Counters } from "./status.ts";

/** There is a stream of this name, with other settings: another node has created it meanwhile. */
const NAME_IN_USE = 10058;

/** The stream; where there is none, it is created if that was asked for. */
export async function openStream({ manager }: Link, { stream, create, replicas }: Settings): Promise<StreamInfo> {
  try {
    return await manager.streams.info(stream);
  } catch (error) {
    if (!create || !isNotFound(error)) throw error;
  }
  try {
    await manager.streams.add(newStreamConfig(stream, replicas));
  } catch (error) {
    if (!(error instanceof JetStreamApiError)) throw error;
    if (error.code === NAME_IN_USE) return await manager.streams.info(stream);
    const message = `the stream ${stream} cannot be created with ${replicas} replicas: ${error.message}`;
    throw new StreamError(
      "bad-stream",
      stream,
      `${message}; choose as many replicas as the cluster has servers, or fewer`,
      {
        cause: error,
      },
    );
  }
  return await manager.streams.info(stream);
}

/**
 * The sequence number of the last message; 0 when there is none. The leader of the stream is asked: what a consumer says
 * is pending may come from a server that is behind.
 */
export async function findLast({ manager }: Link, { config, state }: StreamInfo): Promise<number> {
  if (state.messages === 0) return 0;
  if (!state.num_deleted) return state.last_seq;
  const { state: { deleted = [], last_seq } } = await manager.streams.info(config.name, { deleted_details: true });
  const gone = new Set(deleted);
  let last = last_seq;
  while (gone.has(last)) last--;
  return last;
}

/** Where to begin: after what was read, or, when the stream has lost something of that, with its first message. */
export async function findPosition(
  { manager }: Link,
  info: StreamInfo,
  { writer, positions, counters }: { writer: Writer; positions: Positions; counters: Counters },
): Promise<{ position: Position; hasLost: boolean }> {
  const stored = writer.transaction(() => {
    positions.prepare();
    return positions.read();
  });
  const loss = stored && await findLoss(manager, info, stored);
  if (stored !== undefined && loss === undefined) return { position: stored, hasLost: false };
  if (loss !== undefined) counters.lose(loss);
  writer.transaction(() => positions.reset(info.created));
  return { position: { created: info.created, seq: 0, stamp: "", waiting: [] }, hasLost: loss !== undefined };
}
