/**
 * The layout of an operation's wire text. All offsets and lengths of its members are computed in this module.
 *
 * ```text
 * {"author":"mnk_…","body":{…},"op_id":"op_…","prev":["op_…","op_…"],"sig":"…","ts":1700000000000,"type":"note","v":1}
 * ```
 *
 * The text is canonical, so its members are in this order. Everything but the body is ASCII, and the length of all that
 * follows the body depends only on `type`, `ts` and the number of `prev`: offsets are computed from the end.
 *
 * @module
 */

/** Hex digits of an id or a public key. */
export const HASH_DIGITS = 64;
/** Hex digits of a signature. */
export const SIG_DIGITS = 128;
/** `op_` and 64 hex digits. */
export const OP_ID_LENGTH: number = "op_".length + HASH_DIGITS;
/** `mnk_` and 64 hex digits. */
export const AUTHOR_LENGTH: number = "mnk_".length + HASH_DIGITS;

/** The text before each value, from the end of the value before it. */
export const BEFORE = {
  author: '{"author":"',
  body: '","body":',
  opId: ',"op_id":"',
  prev: '","prev":[',
  sig: '],"sig":"',
  ts: '","ts":',
  type: ',"type":"',
} as const;
/** The text after the value of `type`. */
export const END = '","v":1}';

/** The offset of the author's id. */
export const AUTHOR_OFFSET: number = BEFORE.author.length;
/** The offset of the body. */
export const BODY_OFFSET: number = AUTHOR_OFFSET + AUTHOR_LENGTH + BEFORE.body.length;
/** From the start of the member `op_id` to its value. */
export const TO_OP_ID: number = '"op_id":"'.length;
/** From the start of the member `ts` to its value. */
export const TO_TS: number = '"ts":'.length;
/** From the end of the value of `ts` to the value of `type`. */
export const TS_TO_TYPE: number = BEFORE.type.length;
/** From the end of the value of `type` to the end of the text. */
export const TYPE_TO_END: number = END.length;

const OP_ID_MEMBER = '"op_id":"",'.length + OP_ID_LENGTH;
const SIG_MEMBER = '"sig":"",'.length + SIG_DIGITS;
/** From the end of the value of `op_id` to the first id in `prev`. */
const OP_ID_TO_PREV = BEFORE.prev.length + '"'.length;
/** From the end of the last id in `prev` to the value of `ts`. */
const PREV_TO_TS = '"],'.length + SIG_MEMBER + TO_TS;

/** The fields on which offsets depend. */
export interface Tail {
  /** Lower-case words joined by dots. */
  type: string;
  /** Unix milliseconds. */
  ts: number;
  /** The ids of the operations it follows. */
  prev: readonly string[];
}

/** The offsets, in bytes from the start of the text, at which the members after the body begin. */
export interface Layout {
  /** Of the member `op_id`. */
  opIdAt: number;
  /** Of the member `prev`. */
  prevAt: number;
  /** Of the member `sig`. */
  sigAt: number;
  /** Of the member `ts`. */
  tsAt: number;
}

/** The layout of a wire text, from its length in bytes. */
export function layoutOf(length: number, { type, ts, prev }: Tail): Layout {
  const tsAt = length - TYPE_TO_END - type.length - TS_TO_TYPE - String(ts).length - TO_TS;
  const sigAt = tsAt - SIG_MEMBER;
  const prevAt = sigAt - '"prev":[],'.length - prev.length * (OP_ID_LENGTH + 3) + Math.min(prev.length, 1);
  return { opIdAt: prevAt - OP_ID_MEMBER, prevAt, sigAt, tsAt };
}

/** The range of the body, in bytes from the start of a wire text of this length. */
export function bodyRange(length: number, fields: Tail): [start: number, end: number] {
  return [BODY_OFFSET, layoutOf(length, fields).opIdAt - 1];
}

/**
 * The range of the ids in `prev`, without the outer quotes; empty when there are none.
 *
 * @param opIdAt The offset of the value of `op_id`.
 * @param tsAt The offset of the value of `ts`.
 */
export function prevRange(opIdAt: number, tsAt: number): [start: number, end: number] {
  const start = opIdAt + OP_ID_LENGTH + OP_ID_TO_PREV;
  return [start, Math.max(start, tsAt - PREV_TO_TS)];
}

/** The ids in the text that {@linkcode prevRange} encloses. */
export function splitPrev(text: string): string[] {
  return text === "" ? [] : text.split('","');
}

/**
 * Reads `op_id` and `prev` from the end of a wire text, without parsing the body.
 *
 * @returns Undefined when the text has another layout, which means that it is damaged.
 */
export function readLink(wire: string): { opId: string; prev: string[] } | undefined {
  const sigAt = wire.lastIndexOf('],"sig":"');
  const prevAt = wire.lastIndexOf('"prev":[', sigAt);
  const opIdAt = prevAt - OP_ID_MEMBER;
  const ids = wire.slice(prevAt + '"prev":['.length, sigAt);
  if (sigAt < 0 || opIdAt < 0 || !wire.startsWith('"op_id":"op_', opIdAt) || !wire.endsWith(',"v":1}')) {
    return undefined;
  }
  if (ids !== "" && !/^"op_[0-9a-f_op",]*"$/.test(ids)) return undefined;
  const opId = wire.slice(opIdAt + TO_OP_ID, opIdAt + TO_OP_ID + OP_ID_LENGTH);
  return { opId, prev: splitPrev(ids.slice(1, -1)) };
}

/** The signed parts of a wire text, in order. In the whole text, `op_id` is inserted before `prev`, and `sig` after it. */
export interface WireParts {
  /** The members `author` and `body`, and a comma. */
  head: string;
  /** The member `prev`, and a comma. */
  prev: string;
  /** The members `ts`, `type` and `v`. */
  tail: string;
}

/** The signed parts, from the canonical texts of the fields. */
export function signedParts(
  { author, body, prev, ts, type }: { author: string; body: string; prev: string; ts: string; type: string },
): WireParts {
  return {
    head: `{"author":"${author}","body":${body},`,
    prev: `"prev":${prev},`,
    tail: `"ts":${ts},"type":"${type}","v":1}`,
  };
}

/** Everything after the member `op_id`: with the head, it is what the content address covers. */
export function signedTail({ prev, tail }: WireParts, sig: string): string {
  return `${prev}"sig":"${sig}",${tail}`;
}

/** The whole wire text. */
export function wireText(parts: WireParts, sig: string, opId: string): string {
  return `${parts.head}"op_id":"${opId}",${signedTail(parts, sig)}`;
}
