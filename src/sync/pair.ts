/**
 * A pair of channels in one process: what one end sends, the other receives.
 *
 * @module
 */

import { SyncError } from "../errors.ts";
import type { Channel } from "./channel.ts";
import { Condition } from "./condition.ts";

/** Messages that one end holds for the other before `send` waits. */
const MAX_QUEUED = 16;

/** Two connected ends. Messages are not copied. */
export function channelPair(): [Channel, Channel] {
  const [there, back] = [new Pipe(), new Pipe()];
  return [new End(back, there), new End(there, back)];
}

/** One direction: a bounded queue of messages. */
class Pipe {
  readonly #queue: Uint8Array<ArrayBuffer>[] = [];
  #isClosed = false;
  readonly #changed = new Condition();

  async put(message: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#isClosed) throw lost();
    this.#queue.push(message);
    this.#changed.notify();
    while (this.#queue.length > MAX_QUEUED) {
      if (this.#isClosed) throw lost();
      await this.#changed.wait();
    }
  }

  async take(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    while (this.#queue.length === 0) {
      if (this.#isClosed) return undefined;
      await this.#changed.wait();
    }
    const message = this.#queue.shift();
    this.#changed.notify();
    return message;
  }

  /** What was sent before can still be received. */
  close(): void {
    this.#isClosed = true;
    this.#changed.notify();
  }
}

class End implements Channel {
  readonly #incoming: Pipe;
  readonly #outgoing: Pipe;

  constructor(incoming: Pipe, outgoing: Pipe) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  send(message: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#outgoing.put(message);
  }

  receive(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#incoming.take();
  }

  close(): void {
    this.#incoming.close();
    this.#outgoing.close();
  }
}

function lost(): SyncError {
  return new SyncError("unreachable", "the connection to the peer is closed; connect again");
}
