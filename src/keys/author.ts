/**
 * Author ids: `mnk_` and the 32-byte Ed25519 public key in lower-case hex.
 *
 * @module
 */

const AUTHOR = /^mnk_[0-9a-f]{64}$/;
const PREFIX = "mnk_";

/** Whether a text has the form of an author id. */
export function isAuthor(text: string): boolean {
  return AUTHOR.test(text);
}

/** The author id of a public key, given in hex. */
export function authorOf(publicKey: string): string {
  return PREFIX + publicKey;
}

/** The public key in a well-formed author id, in hex. */
export function publicKeyHex(author: string): string {
  return author.slice(PREFIX.length);
}
