/**
 * A peer that holds a key and keeps to the protocol for as long as it likes: sessions end, what has arrived is valid, and
 * the next session is served.
 *
 * The first byte of an input is the role of the peer, and how far it keeps to the protocol; then come the messages that it
 * sends, each preceded by its length in two bytes.
 *
 * @module
 */

import { type LogErrorCode, OpLog } from "../../../../mod.ts";
import { initiate } from "../../../../src/sync/negentropy/negentropy.ts";
import { MemoryStorage } from "../../../../src/sync/negentropy/memory.ts";
import { encodeMessage, encodeOperations, type Message } from "../../../../src/sync/messages.ts";
import { alice, forged, note } from "../../../operations.ts";
import { NO_OUTCOMES, playAgainst, type PlayedPeer } from "../../../sync/peer.ts";
import { attemptAsync, bytesOf, require, type Target } from "../target.ts";
import { MESSAGES } from "./messages.ts";

/** How a session may end. */
const CODES: readonly LogErrorCode[] = [
  "bad-message",
  "busy",
  "rate-limited",
  "too-large",
  "unsupported-version",
  "unreachable",
  "idle",
  "not-allowed",
];
const MAX_OPERATIONS = 200;

function script(first: number, messages: readonly (Message | Uint8Array)[]): Uint8Array {
  const parts = messages.map((message) => message instanceof Uint8Array ? message : encodeMessage(message));
  return Uint8Array.from([first, ...parts.flatMap((bytes) => [bytes.length >> 8, bytes.length & 0xff, ...bytes])]);
}

/** The messages in an input. */
function* messagesOf(input: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 1; at + 2 <= input.length;) {
    const length = (input[at] << 8) + input[at + 1];
    yield input.slice(at + 2, at + 2 + length);
    at += 2 + length;
  }
}

/** Plays the peer: the handshake as it has to be, then what is in the input, then the end of the connection. */
async function play(peer: PlayedPeer, input: Uint8Array): Promise<void> {
  const [first = 0] = input;
  // What the session sends is read all the time: it must not wait for this peer.
  const drain = async () => {
    while (await peer.channel.receive() !== undefined);
  };
  let draining: Promise<void> | undefined;
  try {
    if ((first & 2) === 0) await peer.begin({ operations: 3 });
    else if ((first & 4) === 0) await peer.introduce();
    if ((first & 2) !== 0 && (first & 12) === 8) await peer.prove();
    draining = drain();
    for (const message of messagesOf(input)) await peer.channel.send(message);
  } catch {
    // The session has ended before: the peer sees it as a lost connection.
  } finally {
    await peer.channel.close();
    await draining?.catch(() => {});
  }
}

export const target: Target = {
  start() {
    using log = OpLog.open();
    const ops = Array.from({ length: 3 }, (_, n) => log.record(alice, "note", { n }));
    const wires = [note("new").wire, note("next", [note("new").opId]).wire, forged(note("forged")).wire];
    const operations = encodeOperations(wires, wires.reduce((length, wire) => length + bytesOf(wire).length + 1, 0));
    const ranges: Message = { kind: "ranges", message: initiate(new MemoryStorage([])) };
    const stream: Message = { kind: "plan", plan: { byIds: false, missingAtInitiator: 0, missingAtResponder: 0 } };
    const byIds: Message = { kind: "plan", plan: { byIds: true, missingAtInitiator: 1, missingAtResponder: 3 } };
    const wants: Message = { kind: "wants", ids: Uint8Array.fromHex(ops[0].opId.slice(3)) };
    const acknowledged: Message = {
      kind: "outcomes",
      operations: 3,
      bytes: 1500,
      outcomes: { ...NO_OUTCOMES, new: 3 },
    };
    const end: Message = { kind: "end", operations: 3 };
    const totals: Message = { kind: "totals", outcomes: { ...NO_OUTCOMES, new: 3 } };
    return {
      seeds: [
        script(1, [stream, operations, end, acknowledged, totals]),
        script(1, [ranges, byIds, wants, operations, end, totals]),
        script(0, [ranges, operations, end, totals]),
        script(0, [operations, end, totals]),
        script(3, MESSAGES),
        script(11, MESSAGES.slice(3)),
        script(6, MESSAGES.slice(1)),
      ],
      tokens: [...MESSAGES, ranges, stream, byIds, wants, end, totals].map((message) =>
        script(0, [message]).subarray(1)
      ),
      async run(input) {
        using own = OpLog.open();
        own.appendAll(ops);
        const role = ((input[0] ?? 0) & 1) === 1 ? "responder" : "initiator";
        const { peer, session } = playAgainst(own, role, { limits: { idleMs: 20_000, rounds: 20 } });
        const [{ error, value }] = await Promise.all([attemptAsync(() => session, ...CODES), play(peer, input)]);
        require(error !== undefined || value !== undefined, "a session has an end");
        require(own.size <= MAX_OPERATIONS, "no more enters than was sent");
        for (const { op } of own.entries()) op.verify();
        require(own.get(ops[0].opId).wire === ops[0].wire, "what was there stays");
      },
    };
  },
};
