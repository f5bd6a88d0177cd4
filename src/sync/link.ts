/**
 * The link to a peer: messages over a channel, with what holds in every phase of a session. It counts bytes, refuses
 * messages that are too large, ends when the peer makes no progress, and turns a refusal by the peer into an error.
 *
 * @module
 */

import { type SessionRefusalCode, SyncError } from "../errors.ts";
import type { Channel } from "./channel.ts";
import type { SessionLimits } from "./limits.ts";
import { badMessage } from "./fields.ts";
import { decodeMessage, encodeMessage, type Message, type MessageKind, type MessageOf } from "./messages.ts";

/** Parts of the idle time in which progress is looked for: a thread that was blocked itself counts only one of them. */
const IDLE_TICKS = 4;
/** The longest time of a timer, in milliseconds: one with a longer time fires at once. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;
/** How long a refusal may take to leave, and how long one is waited for after the connection is lost, in milliseconds. */
const LINGER_MS = 1000;
/** Messages that are read after the connection is lost, in search of a refusal. */
const MAX_LATE_MESSAGES = 64;

/** Messages to and from one peer. */
export class Link {
  /** Bytes of the messages that were sent. */
  bytesSent = 0;
  /** Bytes of the messages that were received. */
  bytesReceived = 0;
  /** Called once when the link fails. */
  onFailure?: () => void;
  readonly #channel: Channel;
  readonly #maxMessageBytes: number;
  readonly #watchdog: ReturnType<typeof setInterval>;
  /** Rejects the operations that wait for the channel. */
  readonly #waiting = new Set<(error: unknown) => void>();
  #failure?: { error: unknown };
  #isReceiving = false;
  #ticks = 0;

  /**
   * @param channel The channel.
   * @param limits The limits of a message and of the idle time.
   */
  constructor(channel: Channel, { maxMessageBytes, idleMs }: Pick<SessionLimits, "maxMessageBytes" | "idleMs">) {
    this.#channel = channel;
    this.#maxMessageBytes = maxMessageBytes;
    this.#watchdog = setInterval(() => {
      if (++this.#ticks > IDLE_TICKS) this.fail(idle(idleMs));
    }, Math.min(idleMs / IDLE_TICKS, MAX_TIMER_MS));
  }

  /** Records that the peer has made progress. */
  progress(): void {
    this.#ticks = 0;
  }

  /** Fails the link: all that waits for the channel is rejected. Only the first failure counts. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    for (const reject of this.#waiting) reject(error);
    this.onFailure?.();
  }

  /** Throws the failure, if there is one. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Encodes and sends a message. */
  async send(message: Message): Promise<void> {
    await this.sendBytes(encodeMessage(message));
  }

  /** Sends a message. When the peer has refused before it closed, that is the error. */
  async sendBytes(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.throwIfFailed();
    this.bytesSent += bytes.length;
    try {
      await this.#orFailure(this.#channel.send(bytes));
    } catch (error) {
      this.throwIfFailed();
      await this.#lookForRefusal();
      throw error;
    }
  }

  /**
   * Receives the next message.
   *
   * @throws {SyncError} A refusal by the peer; `unreachable` when the connection is lost; `too-large`, `bad-message`.
   */
  async receive(): Promise<Message> {
    this.throwIfFailed();
    this.#isReceiving = true;
    let bytes;
    try {
      bytes = await this.#orFailure(this.#channel.receive());
    } finally {
      this.#isReceiving = false;
    }
    if (bytes === undefined) {
      throw new SyncError("unreachable", "the peer closed the connection before the session was done; connect again");
    }
    this.bytesReceived += bytes.length;
    if (bytes.length > this.#maxMessageBytes) throw tooLarge(this.#maxMessageBytes);
    const message = decodeMessage(bytes);
    if (message.kind === "refuse") throw refusedByPeer(message.code);
    return message;
  }

  /** Receives a message of one of the kinds that are expected, which is progress. */
  async expect<Kind extends MessageKind>(...kinds: Kind[]): Promise<MessageOf<Kind>> {
    const message = await this.receive();
    if (!isOf(message, kinds)) throw badMessage(`${message.kind} came where ${kinds.join(" or ")} was expected`);
    this.progress();
    return message;
  }

  /**
   * Tells the peer why the session ends, and closes. Takes a limited time, whatever the channel does.
   *
   * @param error What ended the session; undefined when it is done.
   */
  async close(error?: unknown): Promise<void> {
    clearInterval(this.#watchdog);
    const code = error === undefined ? undefined : codeFor(error);
    if (code !== undefined) await refuseChannel(this.#channel, code);
    else await atMost(LINGER_MS, async () => await this.#channel.close());
  }

  /** The result of a promise, unless the link fails before. */
  #orFailure<T>(promise: Promise<T>): Promise<T> {
    const { promise: result, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.add(reject);
    const leave = () => this.#waiting.delete(reject);
    promise.then(resolve, reject).finally(leave);
    return result;
  }

  /** After the connection is lost: throws the refusal that the peer may have sent before it closed. */
  async #lookForRefusal(): Promise<void> {
    await atMost(LINGER_MS, async () => {
      if (this.#isReceiving) { // whoever receives finds it
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#waiting.add(() => resolve());
        return await promise;
      }
      for (let i = 0; i < MAX_LATE_MESSAGES; i++) {
        const bytes = await this.#channel.receive();
        if (bytes === undefined) return;
        const message = decodeMessage(bytes);
        if (message.kind === "refuse") return this.fail(refusedByPeer(message.code));
      }
    });
    this.throwIfFailed();
  }
}

/**
 * Refuses a peer and closes the channel, without a session: for a server that has too many.
 *
 * @param channel The channel.
 * @param code Why.
 */
export async function refuseChannel(channel: Channel, code: SessionRefusalCode): Promise<void> {
  await atMost(LINGER_MS, () => channel.send(encodeMessage({ kind: "refuse", code })));
  await atMost(LINGER_MS, async () => await channel.close());
}

/** Waits for work that may fail or hang, but not for long. */
async function atMost(milliseconds: number, work: () => Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  work().then(resolve, () => resolve());
  await promise;
  clearTimeout(timer);
}

/** What the peer is told of an error; undefined when it has caused the end itself. */
function codeFor(error: unknown): SessionRefusalCode | undefined {
  if (!(error instanceof SyncError)) return "busy"; // of this node: the peer may try again
  if (error.refusedBy === "peer" || error.code === "unreachable") return undefined;
  return error.code as SessionRefusalCode;
}

function isOf<Kind extends MessageKind>(message: Message, kinds: readonly Kind[]): message is MessageOf<Kind> {
  return (kinds as readonly MessageKind[]).includes(message.kind);
}

function idle(idleMs: number): SyncError {
  const message = `the peer made no progress for ${idleMs} milliseconds; check the connection and connect again`;
  return new SyncError("idle", message, { refusedBy: "this node" });
}

function tooLarge(maxBytes: number): SyncError {
  const message = `the peer sent a message of more than ${maxBytes} bytes; raise maxMessageBytes if that is intended`;
  return new SyncError("too-large", message, { refusedBy: "this node" });
}

const REASONS: Readonly<Record<SessionRefusalCode, string>> = {
  "bad-message": "it found a message of this node malformed; check that both run the same version",
  "busy": "it cannot serve this session now; try again later",
  "idle": "it waited too long for this node; connect again",
  "not-allowed": "it does not allow this; ask its operator",
  "rate-limited": "this node sent more than it accepts; try again later",
  "too-large": "this node sent a message that is larger than it accepts",
  "unsupported-version": "it speaks another version of the protocol; update the older of the two",
};

function refusedByPeer(code: SessionRefusalCode): SyncError {
  return new SyncError(code, `the peer refused the session: ${REASONS[code]}`, { refusedBy: "peer" });
}
