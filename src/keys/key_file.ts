/**
 * Key files: PKCS#8 PEM (RFC 8410) that only its owner can read. No error message quotes their content.
 *
 * @module
 */

import { createPrivateKey } from "node:crypto";
import { FileError, fileError, LogError } from "../errors.ts";
import { isPrivateKey } from "./private_key.ts";

/** The DER bytes before the 32 bytes of an Ed25519 seed in a PKCS#8 key (RFC 8410, section 7). */
const PKCS8_PREFIX = Uint8Array.fromHex("302e020100300506032b657004220420");

/** Maximum size of a key file. One of an Ed25519 key has about 120 bytes. */
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
 * Reads the seed in a key file. Type, mode and content are read from one open file, so that replacing the file at the
 * path meanwhile cannot bypass the checks.
 *
 * @throws {LogError} `invalid-argument` when the path is not a string.
 * @throws {FileError} `missing-file`, `is-a-folder`, `key-exposed`, `key-unreadable`, `io`.
 */
export function readKeyFile(path: string): Uint8Array {
  requireKeyPath(path);
  let pem: string;
  try {
    const expected = Deno.statSync(path);
    requireRegularFile(path, expected); // before it is opened: opening a FIFO waits for a writer
    using file = Deno.openSync(path);
    const info = file.statSync();
    requireRegularFile(path, info);
    if (info.dev !== expected.dev || info.ino !== expected.ino) {
      throw new FileError("io", path, `${path} was replaced while it was opened; try again`);
    }
    requirePrivateMode(path, info);
    pem = readText(file, path);
  } catch (error) {
    throw fileError(error, path);
  }
  return seedFromPem(pem, path);
}

/**
 * Writes the key file of a seed, which must not exist, with mode 0600.
 *
 * @throws {LogError} `invalid-argument` when the path is not a string.
 * @throws {FileError} `file-exists`, `missing-folder`, `io`: no file is left behind.
 */
export function writeKeyFile(path: string, seed: Uint8Array): void {
  requireKeyPath(path);
  try {
    using file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
    try {
      for (let bytes = encoder.encode(pemOf(seed)); bytes.length > 0;) bytes = bytes.subarray(file.writeSync(bytes));
      file.syncSync();
    } catch (error) {
      Deno.removeSync(path); // it may be incomplete
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

function requireRegularFile(path: string, info: Deno.FileInfo): void {
  if (info.isDirectory) throw new FileError("is-a-folder", path, `${path} is a folder, not a key file`);
  if (!info.isFile) throw new FileError("key-unreadable", path, `${path} is a pipe or a device, not a key file`);
}

function requirePrivateMode(path: string, { mode }: Deno.FileInfo): void {
  if (mode === null || (mode & 0o077) === 0) return;
  const shown = (mode & 0o777).toString(8).padStart(4, "0");
  throw new FileError(
    "key-exposed",
    path,
    `others can read or change the key file ${path} (mode ${shown}); run: chmod 600 ${path}`,
  );
}

/** The content of a file, as text. Reads no more than the maximum size of a key file. */
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
    // Not a key. The parser's error is dropped: its message may quote the file.
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
