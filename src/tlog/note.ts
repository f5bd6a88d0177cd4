/**
 * Signed notes (c2sp.org/signed-note): a text, an empty line, and a line for each signature. Supports Ed25519 signatures
 * (type 0x01), and ignores those of other keys.
 *
 * ```text
 * The text, of one or more lines.
 *
 * — NAME BASE64(key id ‖ signature)
 * ```
 *
 * @module
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { ProofError } from "../errors.ts";
import { fromBase64, fromHex, toBase64, toHex } from "../bytes.ts";
import { isAuthor, publicKeyHex } from "../keys/author.ts";
import { isPrivateKey } from "../keys/private_key.ts";
import type { Signer } from "../keys/signer.ts";
import { verifySignature } from "../keys/portable.ts";

/** The signature type of Ed25519. */
const ED25519 = 0x01;
/** U+2014, a space. */
const SIGNATURE_PREFIX = "— ";
const KEY_ID_BYTES = 4;
/** A limit against notes that take long to verify. The specification requires at least 16. */
const MAX_SIGNATURES = 100;

const utf8 = new TextEncoder();

/** A named public key, with which notes are verified. */
export interface VerifierKey {
  /** The name of the signer, without spaces or a plus. */
  readonly name: string;
  /** The first four bytes of SHA-256(name ‖ "\n" ‖ 0x01 ‖ public key), in lower-case hex. */
  readonly id: string;
  /** The Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/**
 * Makes a verifier key.
 *
 * @param name The name of the signer.
 * @param publicKey 32 bytes.
 * @throws {ProofError} `bad-key` when the name is empty, or has spaces, control characters or a plus.
 */
export function namedKey(name: string, publicKey: Uint8Array): VerifierKey {
  if (typeof name !== "string" || !isName(name)) {
    throw new ProofError("bad-key", `the name of a key has no spaces and no plus, unlike ${JSON.stringify(name)}`);
  }
  const hash = sha256(new Uint8Array([...utf8.encode(name + "\n"), ...typed(publicKey)]));
  return { name, id: toHex(hash.subarray(0, KEY_ID_BYTES)), publicKey };
}

/** Encodes a verifier key: `NAME+HEX8+BASE64(0x01 ‖ public key)`. */
export function formatVerifierKey({ name, id, publicKey }: VerifierKey): string {
  return `${name}+${id}+${toBase64(typed(publicKey))}`;
}

/**
 * Decodes a verifier key.
 *
 * @param text `NAME+HEX8+BASE64(0x01 ‖ public key)`.
 * @throws {ProofError} `bad-key` when it is malformed, of another type than Ed25519, or has another key's id.
 */
export function parseVerifierKey(text: string): VerifierKey {
  // The text may be a secret by mistake: no message quotes it.
  const refuse = (what: string) => new ProofError("bad-key", what);
  if (typeof text !== "string") throw refuse("a verifier key must be a string, NAME+HEX8+BASE64");
  if (isPrivateKey(text)) {
    throw refuse("this is a private key; give the verifier key instead, which is NAME+HEX8+BASE64");
  }
  const [, name, id, base64] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/i.exec(text) ?? [];
  const bytes = base64 === undefined ? undefined : fromBase64(base64);
  if (bytes === undefined || bytes.length === 0 || !isName(name)) {
    throw refuse("this is not a verifier key, which is NAME+HEX8+BASE64, without spaces");
  }
  if (bytes[0] !== ED25519 || bytes.length !== 33) {
    throw refuse("the verifier key does not hold 0x01 and the 32 bytes of an Ed25519 key");
  }
  const key = namedKey(name, bytes.slice(1));
  if (key.id !== id.toLowerCase()) {
    throw refuse(`the verifier key was changed: its id is not ${key.id}, as follows from its name and key`);
  }
  return key;
}

/**
 * Signs a text.
 *
 * @param text The text, which ends with a newline.
 * @param name The name of the key.
 * @param signer The signer.
 * @returns The signed note.
 * @throws {ProofError} `bad-key` when the name is malformed.
 */
export function signNote(text: string, name: string, signer: Signer): string {
  const { id } = namedKey(name, publicKeyOf(signer.author));
  const signature = new Uint8Array([...fromHex(id), ...signer.sign(utf8.encode(text))]);
  return `${text}\n${SIGNATURE_PREFIX}${name} ${toBase64(signature)}\n`;
}

/**
 * Checks that a note is signed by a key.
 *
 * @param note The whole note.
 * @param key The key that must have signed it. Signatures of other keys are ignored.
 * @returns The signed text, with its newlines.
 * @throws {ProofError} `bad-checkpoint` when the note is malformed, is not signed by the key, or has an invalid signature
 * with the key's name and id.
 */
export function verifyNote(note: string, key: VerifierKey): string {
  if (typeof note !== "string") throw malformed("must be a string");
  if (!isPlain(note)) throw malformed("has control characters, or is not Unicode");
  // The text may have empty lines itself.
  const split = note.lastIndexOf("\n\n");
  if (split < 0) throw malformed("has no empty line before signatures");
  const [text, signatures] = [note.slice(0, split + 1), note.slice(split + 2)];
  if (!signatures.endsWith("\n")) throw malformed("does not end with a signature and a newline");
  const lines = signatures.slice(0, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) throw malformed(`has more than ${MAX_SIGNATURES} signatures`);

  const message = utf8.encode(text);
  let isSigned = false;
  for (const { name, id, signature } of lines.map(parseSignature)) {
    if (name !== key.name || id !== key.id) continue;
    if (!verifySignature(key.publicKey, signature, message)) {
      throw new ProofError("bad-checkpoint", `the signature of ${key.name}+${key.id} is not of this text`);
    }
    isSigned = true;
  }
  if (!isSigned) throw new ProofError("bad-checkpoint", `${key.name}+${key.id} has not signed this text`);
  return text;
}

/**
 * The public key in an author id.
 *
 * @throws {ProofError} `bad-key` when it is malformed.
 */
export function publicKeyOf(author: string): Uint8Array {
  if (typeof author !== "string" || !isAuthor(author)) {
    throw new ProofError("bad-key", "an author id must be mnk_ and 64 lower-case hex digits");
  }
  return fromHex(publicKeyHex(author));
}

function parseSignature(line: string): { name: string; id: string; signature: Uint8Array } {
  const [, name, base64] = /^— ([^ ]+) ([^ ]+)$/.exec(line) ?? [];
  const bytes = base64 === undefined ? undefined : fromBase64(base64);
  if (bytes === undefined || bytes.length <= KEY_ID_BYTES || !isName(name)) {
    throw malformed("has a signature line that is not — NAME BASE64");
  }
  return { name, id: toHex(bytes.subarray(0, KEY_ID_BYTES)), signature: bytes.subarray(KEY_ID_BYTES) };
}

function typed(publicKey: Uint8Array): Uint8Array {
  return new Uint8Array([ED25519, ...publicKey]);
}

function isName(name: string): boolean {
  return /^[^\p{White_Space}+]+$/u.test(name) && isPlain(name);
}

/** Whether a text has a UTF-8 encoding, and no control characters besides newlines. */
function isPlain(text: string): boolean {
  if (!text.isWellFormed()) return false;
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) < 0x20 && text[i] !== "\n") return false;
  }
  return true;
}

function malformed(how: string): ProofError {
  return new ProofError("bad-checkpoint", `the signed note ${how}`);
}
