/**
 * Key files: PKCS#8 PEM (RFC 8410) that only its owner can read. No message quotes what is in one.
 *
 * @module
 */

import { createPrivateKey } from "node:crypto";
import { FileError, fileError, LogError } from "../errors.ts";
import { isPrivateKey } from "./private_key.ts";

/** The DER bytes before the 32 bytes of an Ed25519 seed in a PKCS#8 key (RFC 8410, section 7). */
const PKCS8_PREFIX = Uint8Array.fromHex("302e020100300506032b657004220420");

/** A PEM file of an Ed25519 key has about 120 bytes. */
const MAX_BYTES = 1 << 16;

const encoder = new TextEncoder();

/** The PKCS#8 PEM of a seed. */
export function pemOf(seed: Uint8Array): string {
  const der = new Uint8Array(PKCS8_PREFIX.length + seed.length);
  der.set(PKCS8_PREFIX);
  der.set(seed, PKCS8_PREFIX.length);
  return `-----BEGIN PRIVATE KEY-----\n${der.toBase64()}\n-----END PRIVATE KEY-----\n`;
}

/**
 * Reads the seed in a key file. Type, mode and content are those of one open file, whatever happens to its path
 * meanwhile.
 *
 * @throws {LogError} `invalid-argument` when the path is no text.
 * @throws {FileError} `missing-file`, `is-a-folder`, `key-exposed`, `key-unreadable`, `io`.
 */
export function readKeyFile(path: string): Uint8Array {
  requireKeyPath(path);
  let pem: string;
  try {
    const expected = Deno.statSync(path);
    refuseOther(path, expected); // before it is opened: opening a FIFO waits for a writer
    using file = Deno.openSync(path);
    const info = file.statSync();
    refuseOther(path, info);
    if (info.dev !== expected.dev || info.ino !== expected.ino) {
      throw new FileError("io", path, `${path} was replaced while it was opened; try again`);
    }
    refuseExposed(path, info);
    pem = readText(file, path);
  } catch (error) {
    throw fileError(error, path);
  }
  return seedFromPem(pem, path);
}

/**
 * Writes the key file of a seed, which must not exist, with mode 0600.
 *
 * @throws {LogError} `invalid-argument` when the path is no text.
 * @throws {FileError} `file-exists`, `missing-folder`, `io`: there is no file then.
 */
export function writeKeyFile(path: string, seed: Uint8Array): void {
  requireKeyPath(path);
  try {
    using file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
    try {
      for (let bytes = encoder.encode(pemOf(seed)); bytes.length > 0;) bytes = bytes.subarray(file.writeSync(bytes));
      file.syncSync();
    } catch (error) {
      Deno.removeSync(path); // a part of a key is no key
      throw error;
    }
  } catch (error) {
    throw fileError(error, path, true);
  }
}

function requireKeyPath(path: unknown): void {
  if (typeof path !== "string") throw new LogError("invalid-argument", "a key file is named by its path, a string");
  if (isPrivateKey(path)) {
    throw new LogError("invalid-argument", "this is a private key itself; give the path of its file");
  }
}

function refuseOther(path: string, info: Deno.FileInfo): void {
  if (info.isDirectory) throw new FileError("is-a-folder", path, `${path} is a folder, not a key file`);
  if (!info.isFile) throw new FileError("key-unreadable", path, `${path} is a pipe or a device, not a key file`);
}

function refuseExposed(path: string, { mode }: Deno.FileInfo): void {
  if (mode === null || (mode & 0o077) === 0) return;
  const shown = (mode & 0o777).toString(8).padStart(4, "0");
  throw new FileError(
    "key-exposed",
    path,
    `others can read or change the key file ${path} (mode ${shown}); mend it with: chmod 600 ${path}`,
  );
}

/** The whole of a file, as text; one that is too large to be a key file is not read to its end. */
function readText(file: Deno.FsFile, path: string): string {
  const bytes = new Uint8Array(MAX_BYTES + 1);
  let length = 0;
  for (let read = file.readSync(bytes); read !== null && length < bytes.length;) {
    length += read;
    read = file.readSync(bytes.subarray(length));
  }
  if (length > MAX_BYTES) throw unreadable(path);
  return new TextDecoder().decode(bytes.subarray(0, length));
}

function seedFromPem(pem: string, path: string): Uint8Array {
  try {
    const { crv, d } = createPrivateKey(pem).export({ format: "jwk" });
    if (crv === "Ed25519" && d !== undefined) return Uint8Array.fromBase64(d, { alphabet: "base64url" });
  } catch {
    // Not a key at all: the same advice helps. What the parser says is not passed on: it may quote the key.
  }
  throw unreadable(path);
}

function unreadable(path: string): FileError {
  return new FileError(
    "key-unreadable",
    path,
    `${path} holds no Ed25519 key in unencrypted PKCS#8 PEM; make one with Identity.generate, or: openssl genpkey -algorithm ed25519`,
  );
}
