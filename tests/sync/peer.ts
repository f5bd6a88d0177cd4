/**
 * A peer that a test plays by hand, message by message, against a session.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { Identity, OpLog } from "../../mod.ts";
import { type Channel, channelPair, runSession, type SessionOptions, SyncError, type SyncReport } from "../../sync.ts";
import { fromHex } from "../../src/bytes.ts";
import { publicKeyHex } from "../../src/keys/author.ts";
import { type Introduction, proofBytes, type Role } from "../../src/sync/handshake.ts";
import {
  decodeMessage,
  encodeMessage,
  encodeOperations,
  type Message,
  type MessageKind,
  type MessageOf,
  type Terms,
} from "../../src/sync/messages.ts";
import { alice, bob } from "../operations.ts";

/** Terms without limits. */
export const TERMS: Terms = {
  pull: true,
  push: true,
  follow: false,
  dryRun: false,
  operations: 0,
  maxMessageBytes: 1 << 21,
  bytesInFlight: 1 << 23,
  operationsInFlight: 1 << 16,
  differences: 250_000,
  idleMs: 60_000,
};

/** Outcomes of nothing. */
export const NO_OUTCOMES = { new: 0, known: 0, pending: 0, refusals: {} };

/** The end of a channel that a test speaks through. */
export class PlayedPeer {
  readonly channel: Channel;
  readonly role: Role;
  readonly #signer: Identity;
  /** Made by {@linkcode PlayedPeer.introduce}. */
  sides?: Record<Role, Introduction>;

  constructor(channel: Channel, role: Role, signer: Identity = bob) {
    this.channel = channel;
    this.role = role;
    this.#signer = signer;
  }

  /** The role of the session that it speaks to. */
  get other(): Role {
    return this.role === "initiator" ? "responder" : "initiator";
  }

  async send(message: Message): Promise<void> {
    await this.channel.send(encodeMessage(message));
  }

  async sendBytes(bytes: readonly number[]): Promise<void> {
    await this.channel.send(Uint8Array.from(bytes));
  }

  async sendWires(wires: readonly string[]): Promise<void> {
    const bytes = wires.reduce((length, wire) => length + new TextEncoder().encode(wire).length + 1, 0);
    await this.channel.send(encodeOperations(wires, bytes));
  }

  /** The next message; undefined once the session has closed. */
  async receive(): Promise<Message | undefined> {
    const bytes = await this.channel.receive();
    return bytes === undefined ? undefined : decodeMessage(bytes);
  }

  /** The next message of a kind; those of other kinds are passed over, but not a refusal. */
  async until<Kind extends MessageKind>(kind: Kind): Promise<MessageOf<Kind>> {
    for (;;) {
      const message = await this.receive();
      if (message?.kind === kind) return message as MessageOf<Kind>;
      if (message === undefined || message.kind === "refuse") throw new Error(`${kind} did not come: ${message?.code}`);
    }
  }

  /** Exchanges hello. */
  async introduce(own: Partial<Introduction> = {}): Promise<void> {
    const introduction = {
      publicKey: fromHex(publicKeyHex(this.#signer.author)),
      challenge: crypto.getRandomValues(new Uint8Array(32)),
      ...own,
    };
    await this.send({ kind: "hello", ...introduction });
    const peer = await this.until("hello");
    this.sides = this.role === "initiator"
      ? { initiator: introduction, responder: peer }
      : { initiator: peer, responder: introduction };
  }

  /** Proves its key. */
  async prove(): Promise<void> {
    await this.send({ kind: "proof", signature: this.#signer.sign(proofBytes(this.role, this.sides!)) });
    await this.until("proof");
  }

  /** Handshake and admission. Returns the terms of the session. */
  async begin(terms: Partial<Terms> = {}): Promise<Terms> {
    await this.introduce();
    await this.prove();
    if (this.role === "initiator") {
      await this.send({ kind: "request", terms: { ...TERMS, ...terms } });
      return (await this.until("accept")).terms;
    }
    const { terms: asked } = await this.until("request");
    await this.send({ kind: "accept", terms: { ...asked, ...limits(terms) } });
    return asked;
  }

  /** As initiator: handshake, admission, and the plan that both stream everything. */
  async beginStream(terms: Partial<Terms> = {}): Promise<void> {
    await this.begin(terms);
    await this.send({ kind: "plan", plan: { byIds: false, missingAtInitiator: 0, missingAtResponder: 0 } });
  }

  /** Ends a session in which it has sent so many operations, and acknowledges what it gets. */
  async end(operations: number): Promise<void> {
    await this.send({ kind: "end", operations });
    const { operations: received } = await this.until("end");
    await this.send({ kind: "totals", outcomes: { ...NO_OUTCOMES, new: received } });
    await this.until("totals");
  }

  /** Waits for the refusal of the session, and that it closes. */
  async untilRefused(): Promise<string> {
    for (;;) {
      const message = await this.receive();
      if (message === undefined) throw new Error("the session closed without a refusal");
      if (message.kind !== "refuse") continue;
      assertEquals(await this.receive(), undefined);
      return message.code;
    }
  }
}

function limits({ operations, maxMessageBytes, bytesInFlight, operationsInFlight, idleMs }: Partial<Terms>) {
  const given = { operations, maxMessageBytes, bytesInFlight, operationsInFlight, idleMs };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** A session of a log, and the peer that the test plays. */
export function playAgainst(
  log: OpLog,
  role: Role,
  options: Partial<SessionOptions> = {},
): { peer: PlayedPeer; session: Promise<SyncReport> } {
  const [here, there] = channelPair();
  const session = runSession(log, here, { signer: alice, ...options, role });
  session.catch(() => {});
  return { peer: new PlayedPeer(there, role === "initiator" ? "responder" : "initiator"), session };
}

/** Asserts that the session refuses the peer with a code, on both sides. */
export async function assertRefuses(
  { peer, session }: { peer: PlayedPeer; session: Promise<SyncReport> },
  code: string,
): Promise<void> {
  assertEquals(await peer.untilRefused(), code);
  const error = await session.then(() => undefined, (error) => error);
  assertEquals([error instanceof SyncError, error?.code, error?.refusedBy], [true, code, "this node"]);
}
