/**
 * Who signs: an Ed25519 key pair, made at random, from a seed, or read from a PKCS#8 PEM file (RFC 8410).
 *
 * @module
 */

import { getPublicKey, hashes, utils } from "@noble/ed25519";
import { createHash, createPrivateKey, type KeyObject, sign } from "node:crypto";
import { FileError, fileError, LogError } from "../errors.ts";
import type { Signer } from "./operation.ts";

// noble works synchronously only when it is given a SHA-512.
hashes.sha512 ??= (message: Uint8Array) => new Uint8Array(createHash("sha512").update(message).digest());

/** The DER bytes before the 32 bytes of an Ed25519 seed in a PKCS#8 key (RFC 8410, section 7). */
const PKCS8_PREFIX = Uint8Array.fromHex("302e020100300506032b657004220420");

/** A seed is 32 bytes, and so is a public key. */
const SEED_BYTES = 32;

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

  private constructor(seed: Uint8Array) {
    this.#seed = seed;
    this.author = "mnk_" + getPublicKey(seed).toHex();
    this.#key = createPrivateKey(pemOf(seed));
    Object.freeze(this);
  }

  /** Makes a new identity from 32 bytes of the system's randomness. */
  static generate(): Identity {
    return new Identity(utils.randomSecretKey());
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
    return new Identity(seed.slice());
  }

  /**
   * Reads an identity from a PKCS#8 PEM file, as {@linkcode Identity.save} and `openssl genpkey` write it.
   *
   * @param path The file. Needs read permission.
   * @throws {FileError} `missing-file`, `is-a-folder`, `key-exposed` (others than the owner may read the file),
   * `key-unreadable` (no Ed25519 key in it).
   */
  static load(path: string): Identity {
    let pem: string;
    try {
      using file = Deno.openSync(path);
      refuseExposed(path, file.statSync());
      pem = Deno.readTextFileSync(path);
    } catch (error) {
      throw fileError(error, path);
    }
    return new Identity(seedFromPem(pem, path));
  }

  /**
   * Writes the identity to a new file that only its owner can read (mode 0600), as PKCS#8 PEM.
   *
   * @param path The file, which must not exist. Needs write permission.
   * @throws {FileError} `file-exists`, `missing-folder`.
   *
   * @example
   * ```ts
   * import { Identity } from "@mnema/oplog";
   * import { assertEquals } from "@std/assert";
   *
   * const path = Deno.makeTempDirSync() + "/mnema.key";
   * const identity = Identity.generate();
   * identity.save(path);
   * assertEquals(Identity.load(path).author, identity.author);
   * ```
   */
  save(path: string): void {
    try {
      using file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
      file.writeSync(new TextEncoder().encode(pemOf(this.#seed)));
      file.syncSync();
    } catch (error) {
      throw fileError(error, path, true);
    }
  }

  /**
   * Signs bytes.
   *
   * @param message The bytes to sign.
   * @returns The 64-byte Ed25519 signature (RFC 8032).
   */
  sign(message: Uint8Array): Uint8Array {
    // The signature is the one that noble makes, ten times sooner.
    return new Uint8Array(sign(null, message, this.#key));
  }
}

/** The PKCS#8 PEM of a seed. */
function pemOf(seed: Uint8Array): string {
  const der = new Uint8Array([...PKCS8_PREFIX, ...seed]);
  return `-----BEGIN PRIVATE KEY-----\n${der.toBase64()}\n-----END PRIVATE KEY-----\n`;
}

function refuseExposed(path: string, info: Deno.FileInfo): void {
  if (info.isDirectory) throw new FileError("is-a-folder", path, `${path} is a folder, not a key file`);
  if (info.mode !== null && (info.mode & 0o077) !== 0) {
    const mode = (info.mode & 0o777).toString(8).padStart(4, "0");
    throw new FileError(
      "key-exposed",
      path,
      `others can read or change the key file ${path} (mode ${mode}); mend it with: chmod 600 ${path}`,
    );
  }
}

function seedFromPem(pem: string, path: string): Uint8Array {
  try {
    const { crv, d } = createPrivateKey(pem).export({ format: "jwk" });
    if (crv === "Ed25519" && d !== undefined) return Uint8Array.fromBase64(d, { alphabet: "base64url" });
  } catch {
    // Not a key at all: the same advice helps.
  }
  throw new FileError(
    "key-unreadable",
    path,
    `${path} holds no Ed25519 key in unencrypted PKCS#8 PEM; make one with: mnema init, or: openssl genpkey -algorithm ed25519`,
  );
}
