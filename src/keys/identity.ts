/**
 * An author's key pair (Ed25519): generated at random, from a seed, or from a PKCS#8 PEM file (RFC 8410).
 *
 * @module
 */

import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { LogError } from "../errors.ts";
import { authorOf } from "./author.ts";
import { pemOf, readKeyFile, writeKeyFile } from "./key_file.ts";
import { identities, type Signer } from "./signer.ts";

/** The length of a seed. */
const SEED_BYTES = 32;

/**
 * An author's key pair. The secret key is never printed, and is written only by {@linkcode Identity.save}.
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

  private constructor(seed: Uint8Array) {
    this.#seed = new Uint8Array(seed); // a copy: author and key must be from the same bytes
    this.#key = createPrivateKey(pemOf(this.#seed));
    const publicKey = this.#key.export({ format: "jwk" }).x!;
    this.author = authorOf(Uint8Array.fromBase64(publicKey, { alphabet: "base64url" }).toHex());
    Object.freeze(this);
    if (new.target === Identity) identities.set(this, (message) => this.#sign(message)); // a subclass may override sign
  }

  /** Generates an identity from 32 random bytes of the system. */
  static generate(): Identity {
    return new Identity(crypto.getRandomValues(new Uint8Array(SEED_BYTES)));
  }

  /**
   * The identity of a seed.
   *
   * @param seed 32 bytes, called the private key in RFC 8032. Copied.
   * @throws {LogError} `invalid-argument` when it is not a `Uint8Array` of 32 bytes.
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
   * @throws {FileError} `missing-file`, `is-a-folder`, `key-exposed` (others than the owner can read or change the file),
   * `key-unreadable` (without an Ed25519 key, or not a regular file), `io`.
   * @throws {LogError} `invalid-argument` when the path is not a string, or is itself a private key.
   */
  static load(path: string): Identity {
    return new Identity(readKeyFile(path));
  }

  /**
   * Writes the identity to a new file that only its owner can read (mode 0600), as PKCS#8 PEM.
   *
   * @param path The file, which must not exist. Needs write permission.
   * @throws {FileError} `file-exists`, `missing-folder`, `io`.
   * @throws {LogError} `invalid-argument` when the path is not a string, or is itself a private key.
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
    return this.#sign(message);
  }

  #sign(message: Uint8Array): Uint8Array {
    return new Uint8Array(sign(null, message, this.#key));
  }
}
