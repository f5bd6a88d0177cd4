/**
 * Messages of a session: each is refused, or is exactly what it is decoded to.
 *
 * @module
 */

import { SyncError } from "../../../../src/errors.ts";
import { decodeMessage, encodeMessage, type Message } from "../../../../src/sync/messages.ts";
import { note } from "../../../operations.ts";
import { NO_OUTCOMES, TERMS } from "../../../sync/peer.ts";
import { attempt, bytesOf, require, type Target } from "../target.ts";

const ids = Uint8Array.from({ length: 64 }, (_, n) => n);

/** One of each kind. */
export const MESSAGES: readonly Message[] = [
  { kind: "refuse", code: "busy" },
  { kind: "hello", publicKey: ids.slice(32), challenge: ids.slice(32) },
  { kind: "proof", signature: ids },
  { kind: "request", terms: { ...TERMS, operations: 5 } },
  { kind: "accept", terms: { ...TERMS, push: false } },
  { kind: "ranges", message: Uint8Array.of(0x61, 0, 0, 2, 0) },
  { kind: "plan", plan: { byIds: true, missingAtInitiator: 1, missingAtResponder: 2 } },
  { kind: "plan", plan: { byIds: false, missingAtInitiator: 0, missingAtResponder: 0 } },
  { kind: "wants", ids },
  { kind: "operations", lines: bytesOf(`${note("a").wire}\n${note("b").wire}\n`) },
  { kind: "outcomes", operations: 1, bytes: 100, outcomes: { ...NO_OUTCOMES, new: 1 } },
  { kind: "caught-up", operations: 1 },
  { kind: "end", operations: 0 },
  { kind: "totals", outcomes: { new: 1, known: 2, pending: 3, refusals: { "bad-shape": 1, "too-large": 2 } } },
  { kind: "alive" },
];

export const target: Target = {
  start: () => ({
    seeds: MESSAGES.map(encodeMessage),
    tokens: ["mnema-sync", new Uint8Array(7), Uint8Array.of(0x20), new Uint8Array(32)],
    run(input) {
      const bytes = input.slice();
      const decoded = attempt(() => decodeMessage(bytes), "bad-message", "unsupported-version");
      if (decoded.error !== undefined) return require(decoded.error instanceof SyncError, "a refusal is a SyncError");
      require(encodeMessage(decoded.value).toHex() === bytes.toHex(), "a message is encoded as it was decoded");
    },
  }),
};
