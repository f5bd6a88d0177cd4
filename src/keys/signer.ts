/**
 * Signers. A signature by a signer other than an `Identity` is verified before it is used.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import { isAuthor, publicKeyHex } from "./author.ts";
import { verifySignature } from "./native.ts";

const SIGNATURE_BYTES = 64;

/** Signs for an author: an `Identity`, or a key that is stored elsewhere, whose signatures are verified before use. */
export interface Signer {
  /** `mnk_` and the public key in lower-case hex. */
  readonly author: string;
  /** The 64-byte Ed25519 signature (RFC 8032) of a message. */
  sign(message: Uint8Array): Uint8Array;
}

/**
 * The signing function of each identity, which cannot be replaced from outside as its method can: its signatures need not
 * be verified. A copy or a proxy of an identity is not in the map.
 */
export const identities = new WeakMap<object, Signer["sign"]>();

/**
 * A signer with a well-formed, constant author, each of whose signatures is valid. An `Identity` is one by construction;
 * the author and signatures of any other signer are checked.
 *
 * @throws {LogError} `invalid-argument` when it is not a signer, `bad-key` when its author is malformed. Its `sign` throws
 * `bad-signature` when the signature is not 64 bytes, or not the author's.
 */
export function checkedSigner(signer: Signer): Signer {
  if (typeof signer !== "object" || signer === null) {
    throw new LogError("invalid-argument", "a signer is an Identity, or an object with an author and a function sign");
  }
  const sign = identities.get(signer);
  const { author } = signer; // read once: a getter may return another value next time
  if (sign !== undefined) return { author, sign };
  if (typeof author !== "string" || !isAuthor(author)) {
    throw new LogError("bad-key", "the author of a signer is mnk_ and the 64 lower-case hex digits of its public key");
  }
  if (typeof signer.sign !== "function") {
    throw new LogError("invalid-argument", `the signer ${author} has no function sign`);
  }
  return { author, sign: (message) => verified(signer.sign(message.slice()), author, message) };
}

/** A copy of the signature that a signer returned, after it is verified. */
function verified(returned: unknown, author: string, message: Uint8Array): Uint8Array {
  const refuse = (what: string) => new LogError("bad-signature", `the signer ${author} returned ${what}`);
  if (returned instanceof Promise) {
    returned.catch(() => {}); // otherwise a rejection would end the process
    throw refuse(
      "a promise; sign must return the signature itself: await it before, in a signer that was given the message",
    );
  }
  if (!(returned instanceof Uint8Array)) throw refuse("something that is not a Uint8Array");
  const signature = new Uint8Array(returned);
  if (signature.length !== SIGNATURE_BYTES) {
    throw refuse(`a signature of ${signature.length} bytes; an Ed25519 signature has ${SIGNATURE_BYTES}`);
  }
  if (!verifySignature(publicKeyHex(author), signature.toHex(), message)) {
    throw refuse("a signature that is not that of this key and message");
  }
  return signature;
}
