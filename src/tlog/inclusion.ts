/**
 * Inclusion proofs (c2sp.org/tlog-proof): a log contains an operation.
 *
 * ```text
 * c2sp.org/tlog-proof@v1
 * extra BASE64 of unauthenticated data (optional line)
 * index 3
 * BASE64 of each hash, from the leaf's sibling upward, one a line
 *
 * a checkpoint
 * ```
 *
 * @module
 */

import { ProofError } from "../errors.ts";
import { fromBase64, toBase64 } from "../bytes.ts";
import { type Checkpoint, verifyCheckpoint } from "./checkpoint.ts";
import { decodeDecimal, decodeHash } from "./text_lines.ts";
import { equalHashes, leafHash, rootFromInclusion } from "./merkle.ts";

const HEADER = "c2sp.org/tlog-proof@v1";
const utf8 = new TextEncoder();

/** A decoded inclusion proof. */
export interface InclusionProof {
  /** The index of the operation in the log, from 0. */
  readonly index: number;
  /** The hashes from the leaf's sibling upward. */
  readonly hashes: readonly Uint8Array[];
  /** The whole text of the checkpoint. */
  readonly checkpoint: string;
  /** Unauthenticated data that comes with the proof: at least one byte. */
  readonly extra?: Uint8Array;
}

/** Encodes an inclusion proof. */
export function formatInclusionProof({ index, hashes, checkpoint, extra }: InclusionProof): string {
  const extras = extra === undefined ? [] : [`extra ${toBase64(extra)}`];
  return [HEADER, ...extras, `index ${index}`, ...hashes.map(toBase64), "", checkpoint].join("\n");
}

/**
 * Decodes an inclusion proof. Checks its format only, and not that of its checkpoint.
 *
 * @param text The whole text of the proof.
 * @throws {ProofError} `bad-proof` when it is malformed.
 */
export function parseInclusionProof(text: string): InclusionProof {
  const fault = (what: string) => new ProofError("bad-proof", `the inclusion proof ${what}`);
  if (typeof text !== "string") throw fault("must be a string");
  const end = text.indexOf("\n\n");
  if (end < 0) throw fault("has no empty line before a checkpoint");
  const [header, ...lines] = text.slice(0, end).split("\n");
  if (header !== HEADER) throw fault(`does not begin with the line ${HEADER}`);

  let extra: Uint8Array | undefined;
  if (lines[0]?.startsWith("extra ")) {
    extra = fromBase64(lines.shift()!.slice("extra ".length));
    if (extra === undefined || extra.length === 0) throw fault("has an extra that is not bytes in base64");
  }
  const indexLine = lines.shift() ?? "";
  const index = indexLine.startsWith("index ") ? decodeDecimal(indexLine.slice("index ".length)) : undefined;
  if (index === undefined) throw fault("has no index line with 0 to 2^53-1 in decimal");
  const hashes = lines.map((line, i) => {
    const hash = decodeHash(line);
    if (hash === undefined) throw fault(`has a line that is not hash ${i + 1}: 32 bytes in base64`);
    return hash;
  });
  const checkpoint = text.slice(end + 2);
  return extra === undefined ? { index, hashes, checkpoint } : { index, hashes, checkpoint, extra };
}

/**
 * Checks that a log contains an operation, with only the operation, the proof and the verifier key.
 *
 * The proof shows that the log's signer has committed to these bytes at this index. Whether they are an operation, signed
 * by the author in it, is checked by `Operation.parse` and `Operation.verify`.
 *
 * @param proof The whole text of the proof.
 * @param wire The wire text of the operation, or its bytes in UTF-8.
 * @param vkey The verifier key of the log: `NAME+HEX8+BASE64`.
 * @param origin The log's origin; by default the name in the verifier key.
 * @returns The checkpoint in the proof, and the index of the operation in the log, from 0.
 * @throws {ProofError} `bad-proof`: malformed, or of another operation. `bad-checkpoint`, `bad-key`.
 */
export function verifyInclusion(
  proof: string,
  wire: string | Uint8Array,
  vkey: string,
  origin?: string,
): Checkpoint & { readonly index: number } {
  const { index, hashes, checkpoint: text } = parseInclusionProof(proof);
  const checkpoint = verifyCheckpoint(text, vkey, origin);
  const root = rootFromInclusion(index, checkpoint.size, leafHash(bytesOf(wire)), hashes);
  if (!equalHashes(root, checkpoint.root)) {
    throw new ProofError(
      "bad-proof",
      `the proof does not lead from this operation at ${index} to the checkpoint's root`,
    );
  }
  return { ...checkpoint, index };
}

function bytesOf(wire: string | Uint8Array): Uint8Array {
  if (wire instanceof Uint8Array) return wire;
  if (typeof wire !== "string") throw new ProofError("bad-proof", "the wire text is neither a string nor a Uint8Array");
  // TextEncoder replaces a lone surrogate by U+FFFD: the proof of one text would be valid for two.
  if (!wire.isWellFormed()) {
    throw new ProofError("bad-proof", "the wire text has a lone surrogate, which UTF-8 cannot hold");
  }
  return utf8.encode(wire);
}
