/**
 * What the lines of notes, checkpoints and proofs are made of. Each value is written in one way only, so that no text
 * can be changed and still mean the same.
 *
 * @module
 */

import { fromBase64, HASH_BYTES } from "../bytes.ts";

const DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/;

/** An integer from 0 to 2^53-1 in decimal, without leading zeros; `undefined` of any other text. */
export function decodeDecimal(text: string): number | undefined {
  const value = Number(text);
  return DECIMAL.test(text) && Number.isSafeInteger(value) ? value : undefined;
}

/** The hash that a line holds in base64; `undefined` of any other text. */
export function decodeHash(line: string): Uint8Array | undefined {
  const bytes = fromBase64(line);
  return bytes?.length === HASH_BYTES ? bytes : undefined;
}
