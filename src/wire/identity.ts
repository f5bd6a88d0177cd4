/**
 * Who signs: an Ed25519 key pair, made at random, from a seed, or read from a PKCS#8 PEM file (RFC 8410).
 *
 * @module
 */

import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { LogError } from "../errors.ts";
import { verifySignature } from "./ed25519.ts";
import { isAuthor } from "./ids.ts";
import { pemOf, readKeyFile, writeKeyFile } from "./key_file.ts";

/** A seed is 32 bytes, and so is a public key. */
const SEED_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** Whoever signs: an `Identity`, or a key that is kept elsewhere. What it signs is verified before it is used. */
export interface Signer {
  /** `mnk_` and the public key in lower-case hex. */
  readonly author: string;
  /** The 64-byte Ed25519 signature (RFC 8032) of a message. */
  sign(message: Uint8Array): Uint8Array;
}

/** Whether a value is an identity of this class itself: not of a subclass, not a copy or a proxy of one. */
let isIdentity: (signer: object) => signer is Identity;
/** The signature by an identity's key, whatever has become of the public methods. */
let signatureOf: (identity: Identity, message: Uint8Array) => Uint8Array;

/**
 * An author: holds a secret key and signs with it. The secret is never printed, and leaves only through
 * {@linkcode Identity.save}.
 *
 * @example
 * ```ts
 * import { Identity, Operation } from "@mnema/oplog";
 *
 * const identity = Identity.generate();
 * const op = Operation.create({ type: "note", body: { text: "hello" } }, identity);
 * op.verify();
 * console.log(identity.author); // mnk_ and 64 hex digits
 * ```
 */
export class Identity implements Signer {
  /** The author id: `mnk_` and the 32-byte public key in lower-case hex. */
  readonly author: string;
  readonly #seed: Uint8Array;
  readonly #key: KeyObject;

  static {
    isIdentity = (signer): signer is Identity => #key in signer && Object.getPrototypeOf(signer) === Identity.prototype;
    signatureOf = (identity, message) => new Uint8Array(sign(null, message, identity.#key));
  }

  private constructor(seed: Uint8Array) {
    this.#seed = new Uint8Array(seed); // read once: author and key must be of the same bytes
    this.#key = createPrivateKey(pemOf(this.#seed));
    const publicKey = this.#key.export({ format: "jwk" }).x!;
    this.author = "mnk_" + Uint8Array.fromBase64(publicKey, { alphabet: "base64url" }).toHex();
    Object.freeze(this);
  }

  /** Makes a new identity from 32 bytes of the system's randomness. */
  static generate(): Identity {
    return new Identity(crypto.getRandomValues(new Uint8Array(SEED_BYTES)));
  }

  /**
   * Makes the identity that a seed stands for.
   *
   * @param seed The 32 bytes that RFC 8032 calls the private key. Copied.
   * @throws {LogError} `invalid-argument` when it is not 32 bytes.
   */
  static fromSeed(seed: Uint8Array): Identity {
    if (!(seed instanceof Uint8Array) || seed.length !== SEED_BYTES) {
      throw new LogError("invalid-argument", `a seed is a Uint8Array of ${SEED_BYTES} bytes`);
    }
    return new Identity(seed);
  }

  /**
   * Reads an identity from a PKCS#8 PEM file, as {@linkcode Identity.save} and `openssl genpkey` write it.
   *
   * @param path The file. Needs read permission.
   * @throws {FileError} `missing-file`, `is-a-folder`, `key-exposed` (others than the owner may read the file),
   * `key-unreadable` (no Ed25519 key in it, or no file), `io`.
   * @throws {LogError} `invalid-argument` when the path is no string.
   */
  static load(path: string): Identity {
    return new Identity(readKeyFile(path));
  }

  /**
   * Writes the identity to a new file that only its owner can read (mode 0600), as PKCS#8 PEM.
   *
   * @param path The file, which must not exist. Needs write permission.
   * @throws {FileError} `file-exists`, `missing-folder`, `io`.
   * @throws {LogError} `invalid-argument` when the path is no string.
   *
   * @example
   * ```ts
   * import { Identity } from "@mnema/oplog";
   * import { assertEquals } from "@std/assert";
   *
   * const folder = Deno.makeTempDirSync();
   * const identity = Identity.generate();
   * identity.save(`${folder}/mnema.key`);
   * assertEquals(Identity.load(`${folder}/mnema.key`).author, identity.author);
   * Deno.removeSync(folder, { recursive: true });
   * ```
   */
  save(path: string): void {
    writeKeyFile(path, this.#seed);
  }

  /**
   * Signs bytes.
   *
   * @param message The bytes to sign.
   * @returns The 64-byte Ed25519 signature (RFC 8032).
   * @throws {LogError} `invalid-argument` when the message is not bytes.
   */
  sign(message: Uint8Array): Uint8Array {
    if (!(message instanceof Uint8Array)) throw new LogError("invalid-argument", "a message to sign is a Uint8Array");
    return signatureOf(this, message);
  }
}

/**
 * A signer that can be relied on: its author is well-formed and stays the same, and each of its signatures verifies.
 * An {@linkcode Identity} holds both by construction; what any other signer returns is checked.
 *
 * @throws {LogError} `invalid-argument` when it is no signer, `bad-key` when its author is none. Its `sign` throws
 * `bad-signature` when the signature is not 64 bytes, or not the author's.
 */
export function checkedSigner(signer: Signer): Signer {
  if (typeof signer !== "object" || signer === null) {
    throw new LogError("invalid-argument", "a signer is an Identity, or an object with an author and a function sign");
  }
  if (isIdentity(signer)) {
    return { author: signer.author, sign: (message) => signatureOf(signer, message) };
  }
  const { author } = signer; // read once: a getter may give another the next time
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
  if (!verifySignature(author.slice(4), signature.toHex(), message)) {
    throw refuse("a signature that is not that of this key and message");
  }
  return signature;
}
