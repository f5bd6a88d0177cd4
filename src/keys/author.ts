/**
 * The form of an author id.
 *
 * @module
 */

const AUTHOR = /^mnk_[0-9a-f]{64}$/;

/** Whether a text has the form of an author id. */
export function isAuthor(text: string): boolean {
  return AUTHOR.test(text);
}
