/**
 * Checkpoints (c2sp.org/tlog-checkpoint): a signed note of a log's origin, its size, and its root hash. With one,
 * anyone can later detect a change to the operations that it covers.
 *
 * ```text
 * mnema.example/log
 * 30055305
 * mXfgRcJ0bG0j3CPdKwgGWtUzBUbX67saZGRmFuJGGsM=
 *
 * — mnema.example/log Az3grpgE…
 * ```
 *
 * @module
 */

import { ProofError } from "../errors.ts";
import { toBase64 } from "../bytes.ts";
import type { Signer } from "../keys/signer.ts";
import { decodeDecimal, decodeHash } from "./text_lines.ts";
import { formatVerifierKey, namedKey, parseVerifierKey, publicKeyOf, signNote, verifyNote } from "./note.ts";

/** The size of a log, and the root of the Merkle tree over its operations. */
export interface TreeHead {
  /** The number of leaves, which is the number of operations. */
  readonly size: number;
  /** The root hash, 32 bytes. */
  readonly root: Uint8Array;
}

/** A decoded checkpoint. */
export interface Checkpoint extends TreeHead {
  /** The origin of the log: its name. */
  readonly origin: string;
  /** The whole text of the checkpoint, with extension lines and signatures. */
  readonly text: string;
}

/**
 * The verifier key of a log: the name and the public key with which its checkpoints and proofs are verified.
 *
 * @param author The author who signs the checkpoints: `mnk_` and the public key in lower-case hex.
 * @param origin The log's origin, the first line of its checkpoints, without spaces or a plus. `log.proofs.verifierKey` uses
 * the origin of the log.
 * @returns The verifier key: `NAME+HEX8+BASE64`, where the name is the origin.
 * @throws {ProofError} `bad-key` when the author or the origin is malformed.
 */
export function verifierKey(author: string, origin: string): string {
  return formatVerifierKey(namedKey(origin, publicKeyOf(author)));
}

/**
 * Signs a checkpoint. The caller must make sure that it is consistent with those signed before.
 *
 * @param head The log's size and root.
 * @param signer The signer.
 * @param origin The log's origin, which is also the name of the key.
 * @returns The text of the checkpoint.
 * @throws {ProofError} `bad-key` when the origin cannot be the name of a key.
 */
export function signCheckpoint({ size, root }: TreeHead, signer: Signer, origin: string): string {
  return signNote(`${origin}\n${size}\n${toBase64(root)}\n`, origin, signer);
}

/**
 * Checks that a checkpoint is well-formed, of the given log, and signed by its key. Signatures of other keys are ignored.
 *
 * @param text The whole text of the checkpoint.
 * @param vkey The verifier key of the log: `NAME+HEX8+BASE64`.
 * @param origin The log's origin; by default the name in the verifier key.
 * @returns The decoded checkpoint.
 * @throws {ProofError} `bad-checkpoint`, `bad-key`.
 *
 * @example
 * ```ts
 * import { verifyCheckpoint } from "@mnema/oplog/proof";
 * import { assertEquals } from "@std/assert";
 *
 * const checkpoint = verifyCheckpoint(
 *   `go.sum database tree
 * 30055305
 * mXfgRcJ0bG0j3CPdKwgGWtUzBUbX67saZGRmFuJGGsM=
 *
 * — sum.golang.org Az3grpgEild5qw7+5dtV13Kf1C2Xurm8q4fhdxvcsDHnqNTaxL2AFjBY+2TyGKevucFcAAlWFJJYle3EJlDCrQ+y3A8=
 * `,
 *   "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
 *   "go.sum database tree",
 * );
 * assertEquals(checkpoint.size, 30055305);
 * ```
 */
export function verifyCheckpoint(text: string, vkey: string, origin?: string): Checkpoint {
  const key = parseVerifierKey(vkey);
  const checkpoint = parseCheckpointText(verifyNote(text, key));
  const expected = origin ?? key.name;
  if (checkpoint.origin !== expected) {
    throw new ProofError("bad-checkpoint", `the checkpoint is of the log ${checkpoint.origin}, not of ${expected}`);
  }
  return { ...checkpoint, text };
}

/**
 * Decodes a checkpoint without verifying its signatures.
 *
 * @param text The whole text of the checkpoint.
 * @throws {ProofError} `bad-checkpoint` when it is malformed.
 */
export function parseCheckpoint(text: string): Checkpoint {
  if (typeof text !== "string") throw new ProofError("bad-checkpoint", "a checkpoint must be a string");
  return { ...parseCheckpointText(text.slice(0, text.lastIndexOf("\n\n") + 1)), text };
}

/** Decodes the signed text of a checkpoint. */
function parseCheckpointText(text: string): TreeHead & { origin: string } {
  const [origin, sizeLine, rootLine, ...extensions] = text.slice(0, -1).split("\n");
  const fault = (what: string) => new ProofError("bad-checkpoint", `the checkpoint ${what}`);
  if (rootLine === undefined) throw fault("has fewer than three lines: origin, size and root");
  if (origin === "" || extensions.includes("")) throw fault("has an empty line");
  const size = decodeDecimal(sizeLine);
  if (size === undefined) throw fault("has a size, its second line, that is not 0 to 2^53-1 in decimal");
  const root = decodeHash(rootLine);
  if (root === undefined) throw fault("has a root, its third line, that is not 32 bytes in base64");
  return { origin, size, root };
}
