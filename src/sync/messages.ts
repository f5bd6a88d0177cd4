/**
 * The messages of a session, version 1. A message is one byte that says its kind, and the fields of that kind, which
 * fill the rest exactly. Integers have 8 bytes, big-endian, and are at most 2^53-1; ids and keys are their 32 bytes.
 *
 * ```text
 * byte  kind        from       fields
 * 0     refuse      both       code: 1 byte, an index in SESSION_CODES. The sender then closes.
 * 1     hello       both       "mnema-sync", version: 1 byte, public key: 32, challenge: 32 random bytes
 * 2     proof       both       signature: 64 bytes (handshake.ts)
 * 3     request     initiator  flags: 1 byte, and 6 integers: operations in the log, largest message,
 *                              bytes in flight, operations in flight, differences, idle milliseconds
 * 4     accept      responder  the same; its flags are those of the request, perhaps without push or pull
 * 5     ranges      both       a message of Negentropy; the initiator begins, the responder answers each
 * 6     plan        initiator  mode: 1 byte (0: both stream everything, 1: by ids), and 2 integers:
 *                              how many operations the initiator lacks, and how many the responder; 0 for mode 0
 * 7     wants       initiator  ids, at least one, of operations that the initiator lacks
 * 8     operations  both       wire texts in the sender's order of seq, each with a newline after it
 * 9     outcomes    both       2 integers: operations and bytes that were taken in; then totals, so far
 * 10    caught-up   both       integer: operations sent so far; only what is appended from now on follows
 * 11    end         both       integer: operations sent; none will follow
 * 12    totals      both       totals of all operations that were received
 * 13    alive       both       nothing
 * ```
 *
 * Flags: 1 the initiator pulls, 2 it pushes, 4 it follows, 8 nothing is transferred. Totals: 3 integers, how many were
 * new, known and pending, and for each code of refusal, in ascending order, its index in REFUSAL_CODES (1 byte) and how
 * many (integer, at least 1).
 *
 * A session without following: hello and proof both ways at once, request, accept, ranges to and fro, plan, wants, then
 * operations and outcomes both ways at once, end both ways, totals both ways. What a side has in flight is what it sent
 * in `operations` and the other has not reported as taken in.
 *
 * The first byte of `hello`, its name, its version and the whole of `refuse` stay the same in all versions.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { HASH_BYTES } from "../bytes.ts";
import { type LogErrorCode, type SessionRefusalCode, SyncError } from "../errors.ts";
import { badMessage, Fields, integer, joined } from "./fields.ts";

/** The version of the protocol. */
export const VERSION = 1;
/** The name of the protocol. */
export const NAME = "mnema-sync";
/** The length of a challenge, in bytes. */
export const CHALLENGE_BYTES = 32;
/** The length of a signature, in bytes. */
const SIGNATURE_BYTES = 64;
const NEWLINE = 0x0a;

/** The codes of refused sessions, in the order of their numbers. */
export const SESSION_CODES: readonly SessionRefusalCode[] = [
  "not-allowed",
  "busy",
  "too-large",
  "unsupported-version",
  "bad-message",
  "rate-limited",
  "idle",
];

/** The codes of refused operations, in the order of their numbers. */
export const REFUSAL_CODES: readonly LogErrorCode[] = [
  "bad-shape",
  "bad-address",
  "bad-signature",
  "bad-body",
  "bad-encoding",
  "too-large",
  "not-allowed",
];

const KINDS = [
  "refuse",
  "hello",
  "proof",
  "request",
  "accept",
  "ranges",
  "plan",
  "wants",
  "operations",
  "outcomes",
  "caught-up",
  "end",
  "totals",
  "alive",
] as const;

/** The kinds of messages. */
export type MessageKind = typeof KINDS[number];

/** What a side brings into a session: the fields of `request` and `accept`. */
export interface Terms {
  /** The initiator receives operations. */
  pull: boolean;
  /** The initiator sends operations. */
  push: boolean;
  /** Both stay connected. */
  follow: boolean;
  /** Only the reconciliation is done. */
  dryRun: boolean;
  /** How many operations the sender's log holds. */
  operations: number;
  /** The largest message that the sender accepts, in bytes. */
  maxMessageBytes: number;
  /** Bytes of operations in flight that the sender accepts. */
  bytesInFlight: number;
  /** Operations in flight that the sender accepts. */
  operationsInFlight: number;
  /** How many differing operations the sender reconciles one by one. */
  differences: number;
  /** How long the sender waits for progress, in milliseconds. */
  idleMs: number;
}

/** The outcomes of the operations that one side received. */
export interface Outcomes {
  /** How many the receiver did not have. */
  new: number;
  /** How many the receiver had already. */
  known: number;
  /** How many are not appended because a parent has not arrived. */
  pending: number;
  /** How many were refused with each code. */
  refusals: Partial<Record<LogErrorCode, number>>;
}

/** A decoded message. Its bytes are those of the message, not a copy. */
export type Message =
  | { kind: "refuse"; code: SessionRefusalCode }
  | { kind: "hello"; publicKey: Uint8Array; challenge: Uint8Array }
  | { kind: "proof"; signature: Uint8Array }
  | { kind: "request"; terms: Terms }
  | { kind: "accept"; terms: Terms }
  | { kind: "ranges"; message: Uint8Array<ArrayBuffer> }
  | { kind: "plan"; plan: { byIds: boolean; missingAtInitiator: number; missingAtResponder: number } }
  | { kind: "wants"; ids: Uint8Array<ArrayBuffer> }
  | { kind: "operations"; lines: Uint8Array<ArrayBuffer> }
  | { kind: "outcomes"; operations: number; bytes: number; outcomes: Outcomes }
  | { kind: "caught-up"; operations: number }
  | { kind: "end"; operations: number }
  | { kind: "totals"; outcomes: Outcomes }
  | { kind: "alive" };

/** A message of one kind. */
export type MessageOf<Kind extends MessageKind> = Extract<Message, { kind: Kind }>;

/** Encodes a message. */
export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
  const kind = Uint8Array.of(KINDS.indexOf(message.kind));
  return joined([kind, ...fieldsOf(message)]);
}

function fieldsOf(message: Message): Uint8Array[] {
  switch (message.kind) {
    case "refuse":
      return [Uint8Array.of(SESSION_CODES.indexOf(message.code))];
    case "hello":
      return [Buffer.from(NAME), Uint8Array.of(VERSION), message.publicKey, message.challenge];
    case "proof":
      return [message.signature];
    case "request":
    case "accept":
      return termsFields(message.terms);
    case "ranges":
      return [message.message];
    case "plan": {
      const { byIds, missingAtInitiator, missingAtResponder } = message.plan;
      return [Uint8Array.of(byIds ? 1 : 0), integer(missingAtInitiator), integer(missingAtResponder)];
    }
    case "wants":
      return [message.ids];
    case "operations":
      return [message.lines];
    case "outcomes":
      return [integer(message.operations), integer(message.bytes), ...outcomesFields(message.outcomes)];
    case "caught-up":
    case "end":
      return [integer(message.operations)];
    case "totals":
      return outcomesFields(message.outcomes);
    case "alive":
      return [];
  }
}

function termsFields({ pull, push, follow, dryRun, ...terms }: Terms): Uint8Array[] {
  const flags = (pull ? 1 : 0) | (push ? 2 : 0) | (follow ? 4 : 0) | (dryRun ? 8 : 0);
  const { operations, maxMessageBytes, bytesInFlight, operationsInFlight, differences, idleMs } = terms;
  return [
    Uint8Array.of(flags),
    ...[operations, maxMessageBytes, bytesInFlight, operationsInFlight, differences, idleMs].map(integer),
  ];
}

function outcomesFields({ new: added, known, pending, refusals }: Outcomes): Uint8Array[] {
  const counts = REFUSAL_CODES.flatMap((code, i) => {
    const count = refusals[code] ?? 0;
    return count > 0 ? [Uint8Array.of(i), integer(count)] : [];
  });
  return [integer(added), integer(known), integer(pending), ...counts];
}

/** The message `operations` of wire texts, and nothing else of the encoding: one copy of the texts. */
export function encodeOperations(wires: readonly string[], bytes: number): Uint8Array<ArrayBuffer> {
  const message = Buffer.from(new ArrayBuffer(1 + bytes));
  message[0] = KINDS.indexOf("operations");
  message.write(wires.join("\n"), 1);
  message[bytes] = NEWLINE;
  return new Uint8Array(message.buffer);
}

/**
 * Decodes a message. It is checked as far as that is possible without the state of the session.
 *
 * @throws {SyncError} `bad-message`; `unsupported-version` for the `hello` of another version.
 */
export function decodeMessage(bytes: Uint8Array<ArrayBuffer>): Message {
  const kind = KINDS[bytes[0]];
  if (kind === undefined) {
    throw badMessage(bytes.length === 0 ? "a message is empty" : `no message has kind ${bytes[0]}`);
  }
  const fields = new Fields(kind, bytes);
  const message = decodeFields(kind, fields);
  fields.finish();
  return message;
}

function decodeFields(kind: MessageKind, fields: Fields): Message {
  switch (kind) {
    case "refuse":
      return { kind, code: fields.code(SESSION_CODES) };
    case "hello":
      decodeVersion(fields);
      return { kind, publicKey: fields.bytes(HASH_BYTES), challenge: fields.bytes(CHALLENGE_BYTES) };
    case "proof":
      return { kind, signature: fields.bytes(SIGNATURE_BYTES) };
    case "request":
    case "accept":
      return { kind, terms: decodeTerms(fields) };
    case "ranges":
      return { kind, message: fields.rest() };
    case "plan": {
      const byIds = fields.flags(1) === 1;
      const plan = { byIds, missingAtInitiator: fields.integer(), missingAtResponder: fields.integer() };
      if (!byIds && plan.missingAtInitiator + plan.missingAtResponder > 0) {
        throw badMessage("a plan contradicts itself");
      }
      return { kind, plan };
    }
    case "wants": {
      const ids = fields.rest();
      if (ids.length === 0 || ids.length % HASH_BYTES !== 0) throw badMessage("wants are not whole ids");
      return { kind, ids };
    }
    case "operations":
      return { kind, lines: fields.rest() };
    case "outcomes":
      return { kind, operations: fields.integer(), bytes: fields.integer(), outcomes: decodeOutcomes(fields) };
    case "caught-up":
    case "end":
      return { kind, operations: fields.integer() };
    case "totals":
      return { kind, outcomes: decodeOutcomes(fields) };
    case "alive":
      return { kind };
  }
}

function decodeVersion(fields: Fields): void {
  if (Buffer.from(fields.bytes(NAME.length)).toString("latin1") !== NAME) {
    throw badMessage("it does not speak mnema-sync");
  }
  const [version] = fields.bytes(1);
  if (version === VERSION) return;
  const message =
    `the peer speaks version ${version} of the protocol, and this node version ${VERSION}; update the older`;
  throw new SyncError("unsupported-version", message, { refusedBy: "this node" });
}

function decodeTerms(fields: Fields): Terms {
  const flags = fields.flags(0b1111);
  return {
    pull: (flags & 1) !== 0,
    push: (flags & 2) !== 0,
    follow: (flags & 4) !== 0,
    dryRun: (flags & 8) !== 0,
    operations: fields.integer(),
    maxMessageBytes: fields.integer(),
    bytesInFlight: fields.integer(),
    operationsInFlight: fields.integer(),
    differences: fields.integer(),
    idleMs: fields.integer(),
  };
}

function decodeOutcomes(fields: Fields): Outcomes {
  const outcomes: Outcomes = {
    new: fields.integer(),
    known: fields.integer(),
    pending: fields.integer(),
    refusals: {},
  };
  for (let last = -1; !fields.isAtEnd;) {
    const code = fields.code(REFUSAL_CODES);
    const index = REFUSAL_CODES.indexOf(code);
    if (index <= last) throw badMessage("the codes of refused operations are not in order");
    const count = fields.integer();
    if (count === 0) throw badMessage("a code of refused operations has none");
    outcomes.refusals[code] = count;
    last = index;
  }
  return outcomes;
}
