/**
 * Checkpoints (c2sp.org/tlog-checkpoint): a signed note of a log's origin, its size, and its root. Somebody who holds
 * one can later tell whether anything before it was changed.
 *
 * @module
 */

import { ProofError } from "../errors.ts";
import { toBase64 } from "../bytes.ts";
import type { Signer } from "../keys/signer.ts";
import { decodeDecimal, decodeHash } from "./text_lines.ts";
import { formatVerifierKey, namedKey, parseVerifierKey, publicKeyOf, signNote, verifyNote } from "./note.ts";

/** How many operations a log has, and the root of the Merkle tree over them. */
export interface TreeHead {
  /** How many leaves the tree has. */
  readonly size: number;
  /** The root of the tree, 32 bytes. */
  readonly root: Uint8Array;
}

/** What a signed checkpoint says. */
export interface Checkpoint extends TreeHead {
  /** Which log it is of. */
  readonly origin: string;
  /** The checkpoint as it was given, whole: its lines, those of extensions too, and its signatures. */
  readonly text: string;
}

/**
 * Writes what whoever checks checkpoints and proofs of a log must know: the name and the public key that they are
 * signed with.
 *
 * @param author Who signs the checkpoints: `mnk_` and the public key in lower-case hex.
 * @param origin The log's origin, without spaces or a plus: the first line of its checkpoints.
 * `log.proofs.verifierKey` knows that of a log.
 * @returns The verifier key: `NAME+HEX8+BASE64`, where the name is the origin.
 * @throws {ProofError} `bad-key` when the author or the origin is none.
 */
export function verifierKey(author: string, origin: string): string {
  return formatVerifierKey(namedKey(origin, publicKeyOf(author)));
}

/**
 * Signs a checkpoint. Whether it is consistent with those that were signed before is for the caller to make sure.
 *
 * @param head The log's size and root.
 * @param signer Who signs.
 * @param origin The log's origin, and the name of the key.
 * @returns The checkpoint.
 * @throws {ProofError} `bad-key` when the origin cannot be the name of a key.
 */
export function signCheckpoint({ size, root }: TreeHead, signer: Signer, origin: string): string {
  return signNote(`${origin}\n${size}\n${toBase64(root)}\n`, origin, signer);
}

/**
 * Checks that a checkpoint is well-formed, of a log, and signed by its key. Signatures of other keys are not looked at.
 *
 * @param text The checkpoint, whole.
 * @param vkey The verifier key of who must have signed it: `NAME+HEX8+BASE64`.
 * @param origin The log's origin: the name in the verifier key by default.
 * @returns What the checkpoint says.
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
 * What a checkpoint says, without a look at who signed it.
 *
 * @param text The checkpoint, whole.
 * @throws {ProofError} `bad-checkpoint` when it is malformed.
 */
export function parseCheckpoint(text: string): Checkpoint {
  if (typeof text !== "string") throw new ProofError("bad-checkpoint", "a checkpoint is a text, whole");
  return { ...parseCheckpointText(text.slice(0, text.lastIndexOf("\n\n") + 1)), text };
}

/** Reads the text of a checkpoint, without its signatures. */
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
