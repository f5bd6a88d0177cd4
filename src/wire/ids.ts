/**
 * Operation ids: `op_` and the BLAKE2b-256 content address in lower-case hex.
 *
 * @module
 */

const OP_ID = /^op_[0-9a-f]{64}$/;

/** Whether a text has the form of an operation id. */
export function isOpId(text: string): boolean {
  return OP_ID.test(text);
}
