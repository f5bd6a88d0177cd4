/**
 * Closing codes of a WebSocket (RFC 6455, section 7.4).
 *
 * @module
 */

import type { LogErrorCode, SessionRefusalCode } from "../errors.ts";

/** The connection has ended in good order. */
export const NORMAL = 1000;
const NO_STATUS = 1005;

/** With these codes a transport refuses what a session has not seen. Programs may send only codes from 3000. */
const REFUSALS = { "bad-message": 4003, "too-large": 4009 } as const;

/** What the closing code of a peer means; other implementations may send the standard codes. */
const MEANINGS: ReadonlyMap<number, SessionRefusalCode> = new Map([
  [1003, "bad-message"],
  [1008, "not-allowed"],
  [1009, "too-large"],
  [1013, "busy"],
  [REFUSALS["bad-message"], "bad-message"],
  [REFUSALS["too-large"], "too-large"],
]);

/** Whether a connection that was closed with a code has ended in good order. */
export function isEndCode(code: number): boolean {
  return code === NORMAL || code === NO_STATUS;
}

/** The closing code for a refusal. */
export function closingCodeOf(code: LogErrorCode): number {
  return code === "too-large" ? REFUSALS[code] : REFUSALS["bad-message"];
}

/** The refusal that a closing code means. */
export function refusalOf(code: number): SessionRefusalCode | undefined {
  return MEANINGS.get(code);
}
