/**
 * Recognizes private keys in input where something else is expected, so that no error message quotes one.
 *
 * @module
 */

/** PEM (PKCS#8, SEC 1, OpenSSH, PGP), PuTTY, age, and the signer keys of Go's `sumdb/note`. */
const MARKERS = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY|PuTTY-User-Key-File-|AGE-SECRET-KEY-|\bPRIVATE\+KEY\+/i;
/** The member of a JSON Web Key that holds the private part (RFC 7518, RFC 8037). */
const JWK_PRIVATE = /"d"\s*:\s*"/;
const JWK_TYPE = /"kty"\s*:/;

/** Whether a text holds a private key in one of the common formats. */
export function isPrivateKey(text: string): boolean {
  return MARKERS.test(text) || (JWK_PRIVATE.test(text) && JWK_TYPE.test(text));
}
