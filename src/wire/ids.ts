/**
 * The form of an operation id.
 *
 * @module
 */

const OP_ID = /^op_[0-9a-f]{64}$/;

/** Whether a text has the form of a content address. */
export function isOpId(text: string): boolean {
  return OP_ID.test(text);
}
