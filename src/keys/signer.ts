/**
 * What signs, and the check that it does: a signature by a signer that is not our own is verified before it is used.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import { isAuthor, publicKeyHex } from "./author.ts";
import { verifySignature } from "./native.ts";

const SIGNATURE_BYTES = 64;

/** Whoever signs: an `Identity`, or a key that is kept elsewhere. What it signs is verified before it is used. */
export interface Signer {
  /** `mnk_` and the public key in lower-case hex. */
  readonly author: string;
  /** The 64-byte Ed25519 signature (RFC 8032) of a message. */
  sign(message: Uint8Array): Uint8Array;
}

/**
 * How each identity signs, whatever has become of its public methods. What is in here need not be verified; a copy of an
 * identity or a proxy of one is not.
 */
export const identities = new WeakMap<object, Signer["sign"]>();

/**
 * A signer that can be relied on: its author is well-formed and stays the same, and each of its signatures verifies.
 * An `Identity` holds both by construction; what any other signer returns is checked.
 *
 * @throws {LogError} `invalid-argument` when it is no signer, `bad-key` when its author is none. Its `sign` throws
 * `bad-signature` when the signature is not 64 bytes, or not the author's.
 */
export function checkedSigner(signer: Signer): Signer {
  if (typeof signer !== "object" || signer === null) {
    throw new LogError("invalid-argument", "a signer is an Identity, or an object with an author and a function sign");
  }
  const sign = identities.get(signer);
  const { author } = signer; // read once: a getter may give another the next time
  if (sign !== undefined) return { author, sign };
  if (typeof author !== "string" || !isAuthor(author)) {
    throw new LogError("bad-key", "the author of a signer is mnk_ and the 64 lower-case hex digits of its public key");
  }
  if (typeof signer.sign !== "function") {
    throw new LogError("invalid-argument", `the signer ${author} has no function sign`);
  }
  return { author, sign: (message) => verified(signer.sign(message.slice()), author, message) };
}

/** A copy of the signature that a signer returned, once it is found to be one. */
function verified(returned: unknown, author: string, message: Uint8Array): Uint8Array {
  const refuse = (what: string) => new LogError("bad-signature", `the signer ${author} returned ${what}`);
  if (returned instanceof Promise) {
    returned.catch(() => {}); // nobody will wait for it
    throw refuse(
      "a promise; sign must return the signature itself: await it before, in a signer that was given the message",
    );
  }
  if (!(returned instanceof Uint8Array)) throw refuse("no Uint8Array as signature");
  const signature = new Uint8Array(returned);
  if (signature.length !== SIGNATURE_BYTES) {
    throw refuse(`a signature of ${signature.length} bytes; an Ed25519 signature has ${SIGNATURE_BYTES}`);
  }
  if (!verifySignature(publicKeyHex(author), signature.toHex(), message)) {
    throw refuse("a signature that is not that of this key and message");
  }
  return signature;
}
