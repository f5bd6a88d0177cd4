/**
 * Decodes the values in lines of checkpoints and proofs. Each value has exactly one encoding, so that no text can be
 * changed without changing its meaning.
 *
 * @module
 */

import { fromBase64, HASH_BYTES } from "../bytes.ts";

const DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/;

/** An integer from 0 to 2^53-1 in decimal, without leading zeros; `undefined` for any other text. */
export function decodeDecimal(text: string): number | undefined {
  const value = Number(text);
  return DECIMAL.test(text) && Number.isSafeInteger(value) ? value : undefined;
}

/** A hash, 32 bytes, from base64; `undefined` for any other text. */
export function decodeHash(line: string): Uint8Array | undefined {
  const bytes = fromBase64(line);
  return bytes?.length === HASH_BYTES ? bytes : undefined;
}
