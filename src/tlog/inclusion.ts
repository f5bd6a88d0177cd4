/**
 * Inclusion proofs (c2sp.org/tlog-proof): the line `c2sp.org/tlog-proof@v1`; where there is any, `extra` and data that
 * nothing vouches for; `index` and the place of the leaf; a hash on each line, from the leaf's sibling upward; an empty
 * line; and a checkpoint.
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

/** What an inclusion proof consists of. */
export interface InclusionProof {
  /** The place of the operation in the log, from 0. */
  readonly index: number;
  /** The hashes from the leaf's sibling upward. */
  readonly hashes: readonly Uint8Array[];
  /** The checkpoint, whole. */
  readonly checkpoint: string;
  /** Data that came with the proof and that nothing vouches for: at least one byte. */
  readonly extra?: Uint8Array;
}

/** Writes an inclusion proof. */
export function formatInclusionProof({ index, hashes, checkpoint, extra }: InclusionProof): string {
  const extras = extra === undefined ? [] : [`extra ${toBase64(extra)}`];
  return [HEADER, ...extras, `index ${index}`, ...hashes.map(toBase64), "", checkpoint].join("\n");
}

/**
 * Reads an inclusion proof. Checks nothing but its form, and not that of the checkpoint.
 *
 * @param text The proof, whole.
 * @throws {ProofError} `bad-proof` when it is malformed.
 */
export function parseInclusionProof(text: string): InclusionProof {
  const fault = (what: string) => new ProofError("bad-proof", `the inclusion proof ${what}`);
  if (typeof text !== "string") throw fault("is no text");
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
  if (index === undefined) throw fault("has no index, 0 to 2^53-1 in decimal, where it should");
  const hashes = lines.map((line, i) => {
    const hash = decodeHash(line);
    if (hash === undefined) throw fault(`has something else than hash ${i + 1} in base64 where that should be`);
    return hash;
  });
  const checkpoint = text.slice(end + 2);
  return extra === undefined ? { index, hashes, checkpoint } : { index, hashes, checkpoint, extra };
}

/**
 * Checks that a log holds an operation. Needs no log: only the operation, the proof and the verifier key.
 *
 * It shows that the log's signer vouches for these bytes, at this place. That they are an operation, and signed by the
 * author whom they name, is for `Operation.parse` and `Operation.verify` to tell.
 *
 * @param proof The inclusion proof, whole.
 * @param wire The wire text of the operation, or its bytes in UTF-8.
 * @param vkey The verifier key of who must have signed the checkpoint: `NAME+HEX8+BASE64`.
 * @param origin The log's origin: the name in the verifier key by default.
 * @returns The checkpoint in the proof, and the place of the operation in the log, from 0.
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
  if (typeof wire !== "string") throw new ProofError("bad-proof", "the wire text is neither a text nor its bytes");
  // Encoded, half a surrogate pair would become another character: the proof of one text would hold for two.
  if (!wire.isWellFormed()) {
    throw new ProofError("bad-proof", "the wire text has half a surrogate pair, and no UTF-8 form");
  }
  return utf8.encode(wire);
}
