/**
 * What ids look like.
 *
 * @module
 */

const OP_ID = /^op_[0-9a-f]{64}$/;
const AUTHOR = /^mnk_[0-9a-f]{64}$/;

/** Whether a text has the form of a content address. */
export function isOpId(text: string): boolean {
  return OP_ID.test(text);
}

/** Whether a text has the form of an author id. */
export function isAuthor(text: string): boolean {
  return AUTHOR.test(text);
}
